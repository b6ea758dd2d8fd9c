import Tinypool from 'tinypool'
import { TypedMap } from 'typed-superdashmap'

const pool = new Tinypool({ filename: new URL('task.mjs', import.meta.url).href, minThreads: 2, maxThreads: 2 })
const map = TypedMap.open('numbers')
await Promise.all(Array.from({ length: 100 }, (_, n) => pool.run(n)))
let sum = 0
for (let n = 0; n < 100; n++) sum += map.get(n)
console.log(map.size, sum, JSON.stringify(map.get('object')))
await pool.destroy()
