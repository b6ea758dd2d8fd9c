import { fileURLToPath } from 'node:url'
import { FixedThreadPool } from 'poolifier'
import { TypedMap } from 'typed-superdashmap'

const pool = new FixedThreadPool(2, fileURLToPath(new URL('task.mjs', import.meta.url)))
const map = TypedMap.open('numbers')
await Promise.all(Array.from({ length: 100 }, (_, n) => pool.execute(n)))
let sum = 0
for (let n = 0; n < 100; n++) sum += map.get(n)
console.log(map.size, sum, JSON.stringify(map.get('object')))
await pool.destroy()
