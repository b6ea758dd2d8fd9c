'use strict'

// Workers that do a round of work at the same time, each time that they are told to.

const { once } = require('node:events')
const { Worker, parentPort, workerData } = require('node:worker_threads')

/**
 * Starts workers that run a file.
 *
 * @param {string} file which calls `serve`
 * @param {number} count
 * @param {object} data for each of them, beside its number
 */
function hire(file, count, data) {
  const workers = Array.from({ length: count }, (_, number) => new Worker(file, { workerData: { ...data, number } }))
  return {
    /** Has each of them do a round. */
    async round() {
      const rounds = workers.map(async worker => {
        worker.postMessage('round')
        await once(worker, 'message')
      })
      await Promise.all(rounds)
    },
    async close() {
      const ends = workers.map(async worker => {
        const end = once(worker, 'exit')
        worker.postMessage('end')
        await end
      })
      await Promise.all(ends)
    }
  }
}

/**
 * In a worker: does a round of work when it is asked.
 *
 * @param {(data: any) => { round: () => void, close: () => void }} begin
 */
function serve(begin) {
  const { round, close } = begin(workerData)
  parentPort.on('message', message => {
    if (message === 'round') {
      round()
      parentPort.postMessage('done')
    } else {
      close()
      parentPort.close()
    }
  })
}

module.exports = { hire, serve }
