'use strict'

const path = require('node:path')
const { after } = require('node:test')
const { Worker } = require('node:worker_threads')

const PACKAGE = path.join(__dirname, '..', '..')

/** Workers that have not ended. */
const alive = new Set()

// A test that failed left its worker waiting for a message that will not come.
after(() => Promise.all([...alive].map(worker => worker.terminate())))

/**
 * Starts a worker that runs `body`, an async function that sees nothing of this file and is handed `{ TypedMap,
 * TypedMapError, Handle, data, port, assert }`. `data` is cloned to it, and what it returns is cloned back.
 *
 * @returns {Worker & { result: Promise<unknown>, exit: Promise<number> }} `result` settles when the body has ended, and
 * rejects if it throws or the worker dies first.
 */
function startWorker(body, data) {
  const source = `
    const { parentPort, workerData } = require('node:worker_threads')
    const assert = require('node:assert/strict')
    const library = require(workerData.package)
    const body = ${body}
    Promise.resolve(body({ ...library, data: workerData.data, port: parentPort, assert })).then(result => {
      parentPort.postMessage({ testResult: result })
    })`
  const worker = new Worker(source, { eval: true, workerData: { package: PACKAGE, data } })
  alive.add(worker)
  worker.exit = new Promise(resolve => worker.once('exit', resolve))
  worker.exit.then(() => alive.delete(worker))
  worker.result = new Promise((resolve, reject) => {
    worker.on('message', message => {
      if (message !== null && typeof message === 'object' && 'testResult' in message) resolve(message.testResult)
    })
    worker.once('error', reject)
    worker.once('exit', code => reject(new Error(`the worker ended with ${code} before its result`)))
  })
  // A worker that is terminated on purpose has no result, and no test reads it.
  worker.result.catch(() => {})
  return worker
}

/** Runs `body` in a worker; resolves with its result once the worker has ended, so that all it held is released. */
async function inWorker(body, data) {
  const worker = startWorker(body, data)
  const result = await worker.result
  await worker.exit
  return result
}

/** The next message of `worker` that is not its result. */
function nextMessage(worker) {
  return new Promise((resolve, reject) => {
    worker.once('error', reject)
    worker.once('message', resolve)
  })
}

module.exports = { PACKAGE, inWorker, nextMessage, startWorker }
