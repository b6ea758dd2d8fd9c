import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { TypedMap } from 'typed-superdashmap'

const map: TypedMap<string, { n: number }> = TypedMap.open('numbers')
map.set('a', { n: 1 })
const words = TypedMap.open<string, string>('words')
await once(new Worker(new URL('worker.ts', import.meta.url)), 'exit')
console.log(map.get('a')?.n, map.has('a'), words.get('from'))
