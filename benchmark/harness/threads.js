'use strict'

/*
 * Runs a task of a question file in worker threads: they all get ready, begin together, and go on until they are asked
 * to stop. One shared word for each of these.
 */

const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads')

const READY = 0
const BEGIN = 1
const STOP = 2
const WORDS = 3

/** How often the starting thread looks whether all are ready. */
const POLL_MS = 5

/** The argument by which a task keeps step with the others. */
class Sync {
  #words

  constructor(words) {
    this.#words = words
  }

  /** Says that this thread is ready, and waits for all others. */
  ready() {
    Atomics.add(this.#words, READY, 1)
    Atomics.wait(this.#words, BEGIN, 0)
  }

  get stopped() {
    return Atomics.load(this.#words, STOP) !== 0
  }

  waitForStop() {
    Atomics.wait(this.#words, STOP, 0)
  }
}

/**
 * Starts a thread for each of `parameters`; resolves when all of them have begun. `whenReady` is awaited when all are
 * ready and none has begun. `stop()` asks them to end and returns their results.
 */
async function startThreads(file, task, parameters, whenReady) {
  const words = new Int32Array(new SharedArrayBuffer(WORDS * Int32Array.BYTES_PER_ELEMENT))
  const results = parameters.map(
    one =>
      new Promise((resolve, reject) => {
        const worker = new Worker(__filename, { workerData: { file, task, parameters: one, words } })
        worker.once('message', resolve)
        worker.once('error', reject)
      })
  )
  const failed = Promise.all(results)
  while (Atomics.load(words, READY) < parameters.length) {
    await Promise.race([failed, new Promise(resolve => setTimeout(resolve, POLL_MS))])
  }
  await whenReady?.()
  Atomics.store(words, BEGIN, 1)
  Atomics.notify(words, BEGIN)
  return {
    stop() {
      Atomics.store(words, STOP, 1)
      Atomics.notify(words, STOP)
      return failed
    }
  }
}

/** Lets threads work for some seconds, and returns their results. */
async function runThreads(file, task, parameters, seconds) {
  const threads = await startThreads(file, task, parameters)
  await new Promise(resolve => setTimeout(resolve, seconds * 1000))
  return threads.stop()
}

// Before the task below is loaded: its file asks for these.
module.exports = { startThreads, runThreads }

if (!isMainThread && workerData?.words !== undefined && require.main === module) {
  const { file, task, parameters, words } = workerData
  const run = async () => require(file).tasks[task](parameters, new Sync(words))
  run().then(result => parentPort.postMessage(result))
}
