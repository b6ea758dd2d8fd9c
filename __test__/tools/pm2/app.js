'use strict'

const { once } = require('node:events')
const { appendFileSync } = require('node:fs')
const { createServer } = require('node:http')
const { Worker } = require('node:worker_threads')
const { TypedMap } = require('typed-superdashmap')

async function main() {
  const map = TypedMap.open('pm2')
  map.set('up', true)
  const body = `require('typed-superdashmap').TypedMap.open('pm2').set('from', 'a worker')`
  await once(new Worker(body, { eval: true }), 'exit')
  // Keeps the process up, as an app does.
  createServer().listen(0)
  appendFileSync('up.txt', `${map.get('from')} ${map.size}\n`)
}

main()
