import { fileURLToPath } from 'node:url'
import { TypedMap } from 'typed-superdashmap'
import workerpool from 'workerpool'

const task = fileURLToPath(new URL('task.cjs', import.meta.url))
const pool = workerpool.pool(task, { workerType: 'thread', minWorkers: 2, maxWorkers: 2 })
const map = TypedMap.open('numbers')
await Promise.all(Array.from({ length: 100 }, (_, n) => pool.exec('task', [n])))
let sum = 0
for (let n = 0; n < 100; n++) sum += map.get(n)
console.log(map.size, sum, JSON.stringify(map.get('object')))
await pool.terminate()
