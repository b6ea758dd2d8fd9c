'use strict'

/*
 * Settings that every worker sees change, without a message.
 *
 * The main thread sends each worker a handle, once, and then replaces the value behind it. A read through a handle
 * costs less than a look into a Map as long as nothing changes, so a worker can afford one per request.
 *
 *   node examples/live-settings.js
 */

const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads')
const { TypedMap } = require('typed-superdashmap')

const WORKERS = 2
const LAST_REVISION = 5
const CHANGE_EVERY_MS = 50

async function main() {
  const settings = TypedMap.open('settings')
  const handle = settings.insert({ revision: 1, greeting: 'hello' })

  const finished = Array.from({ length: WORKERS }, () => {
    const worker = new Worker(__filename, { workerData: { handle } })
    return new Promise((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    })
  })

  let revision = 1
  const timer = setInterval(() => {
    revision++
    settings.replace(handle, { revision, greeting: `hello, for the ${revision}th time` })
    if (revision === LAST_REVISION) clearInterval(timer)
  }, CHANGE_EVERY_MS)

  for (const { seen, reads } of await Promise.all(finished)) {
    console.log(`a worker read ${reads.toLocaleString('en-US')} times and saw revisions ${seen.join(', ')}`)
  }
  settings.close()
}

function readUntilLast() {
  const settings = TypedMap.open('settings')
  const handle = settings.handle(workerData.handle)
  const seen = []
  let reads = 0
  for (;;) {
    const { revision } = settings.get(handle)
    reads++
    if (revision !== seen.at(-1)) seen.push(revision)
    if (revision === LAST_REVISION) break
  }
  parentPort.postMessage({ seen, reads })
  settings.close()
}

if (isMainThread) main()
else readUntilLast()
