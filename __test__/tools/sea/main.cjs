'use strict'

const path = require('node:path')
const { Worker } = require('node:worker_threads')
const { TypedMap } = require('typed-superdashmap')

const map = TypedMap.open('bundled')
map.set('main', { n: 1 })
const worker = new Worker(path.join(path.dirname(process.execPath), 'worker.cjs'))
worker.once('exit', code => console.log(JSON.stringify([code, map.get('main'), map.get('worker')])))
