'use strict'

/*
 * A blocked thread: a worker computes for seconds and does not return to its event loop, so it answers nothing. The
 * inspector has a thread of its own, and says which thread does not answer.
 *
 *   node examples/trouble/blocked-thread.js [--healthy] [--page]
 */

const { once } = require('node:events')
const { setTimeout: sleep } = require('node:timers/promises')
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads')
const { TypedMap } = require('typed-superdashmap')
const { registerSource, serveInspector } = require('typed-superdashmap/inspector')
const { play } = require('./stage.js')

const BLOCK_MS = 4_000
/** Without the trouble, the same work in pieces. */
const PIECE_MS = 10
/** From one look of the inspector to the next. */
const LOOK_MS = 200

/** Stands for work that takes so long. @param {number} ms */
function compute(ms) {
  const end = performance.now() + ms
  while (performance.now() < end);
}

/** A worker that computes. */
function serve({ name, isHealthy, blockMs }) {
  const map = TypedMap.open(name)
  let jobs = 0
  registerSource('jobs', () => ({ jobs }))
  const turn = leftMs => {
    compute(isHealthy ? PIECE_MS : leftMs)
    const nextMs = isHealthy ? leftMs - PIECE_MS : 0
    if (nextMs > 0) setImmediate(turn, nextMs)
    else parentPort.postMessage('done')
  }
  parentPort.on('message', message => {
    if (message === 'end') {
      map.close()
      return parentPort.close()
    }
    jobs++
    map.set('jobs', jobs)
    turn(blockMs)
  })
}

/** What the inspector says while the worker computes: of a blocked thread, the map knows nothing. */
async function observe({ round }) {
  const inspector = await serveInspector({ interval: LOOK_MS })
  const headers = { Authorization: `Bearer ${inspector.token}` }
  const ask = async path => (await fetch(new URL(path, inspector.url), { headers })).json()
  const silences = new Map()
  let isOver = false
  const work = round().then(() => {
    isOver = true
  })
  while (!isOver) {
    const { threads } = await ask('/stats')
    for (const { thread, name, agoMs, isSilent } of threads) if (name === null && isSilent) silences.set(thread, agoMs)
    await sleep(LOOK_MS)
  }
  await work
  const { lines } = await ask('/log')
  await inspector.close()
  const stats = { silentThreads: [...silences.keys()], longestSilenceMs: Math.max(0, ...silences.values()) }
  return { lines: lines.filter(({ code }) => code.startsWith('thread.')), stats, advice: [] }
}

const trouble = {
  title: 'A thread is blocked',
  code: 'thread.blocked',
  from: '/stats of the inspector',
  figures: ['silentThreads', 'longestSilenceMs'],
  observe,
  async start({ name, isHealthy, blockMs = BLOCK_MS }) {
    const map = TypedMap.open(name)
    const worker = new Worker(__filename, { workerData: { serves: __filename, name, isHealthy, blockMs } })
    return {
      map,
      thread: worker.threadId,
      async round() {
        worker.postMessage('work')
        await once(worker, 'message')
      },
      async close() {
        worker.postMessage('end')
        await once(worker, 'exit')
        map.destroy()
      }
    }
  }
}

if (!isMainThread && workerData?.serves === __filename) serve(workerData)
else if (require.main === module) play(trouble)

module.exports = trouble
