import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { TypedMap } from 'typed-superdashmap'

async function main(): Promise<void> {
  const map = TypedMap.open<string, { n: number }>('numbers')
  map.set('a', { n: 1 })
  const words = TypedMap.open<string, string>('words')
  const body = `require('typed-superdashmap').TypedMap.open('words').set('from', 'a worker')`
  await once(new Worker(body, { eval: true }), 'exit')
  console.log(map.get('a')?.n, map.has('a'), words.get('from'))
}

main()
