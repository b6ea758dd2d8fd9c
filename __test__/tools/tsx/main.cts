import { Worker } from 'node:worker_threads'
import typed = require('typed-superdashmap')

const { TypedMap } = typed

interface Seen {
  seen: number
}

const map = TypedMap.open<string, { n: number } | Seen>('run')
map.set('main', { n: 1 })
const body = `const map = require('typed-superdashmap').TypedMap.open('run')
  map.set('worker', { seen: map.get('main').n })`
const worker = new Worker(body, { eval: true })
worker.once('exit', code => console.log(JSON.stringify([code, map.get('main'), map.get('worker')])))
