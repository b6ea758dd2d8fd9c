'use strict'

const cluster = require('node:cluster')
const { once } = require('node:events')
const { Worker } = require('node:worker_threads')
const { TypedMap } = require('typed-superdashmap')

const map = TypedMap.open('cluster')

async function inPrimary() {
  map.set('of', 'primary')
  const found = []
  for (const name of ['process 1', 'process 2']) {
    const worker = cluster.fork({ NAME: name })
    const [said] = await once(worker, 'message')
    found.push(JSON.stringify(said))
    worker.disconnect()
    await once(worker, 'exit')
  }
  console.log(...found, map.get('of'))
}

async function inProcess() {
  const empty = map.size === 0
  map.set('of', empty ? process.env.NAME : 'another process')
  const body = `require('typed-superdashmap').TypedMap.open('cluster').set('own', 'a worker')`
  await once(new Worker(body, { eval: true }), 'exit')
  process.send({ own: map.get('own'), of: map.get('of') })
}

if (cluster.isPrimary) inPrimary()
else inProcess()
