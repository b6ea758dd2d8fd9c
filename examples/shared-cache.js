'use strict'

/*
 * One warm cache instead of one cold cache per worker.
 *
 * Four workers answer the same kind of requests, and each answer is expensive to make. With a cache of its own, every
 * worker makes every answer once; with a shared one, an answer made by any of them serves all of them
 * (two that miss the same page at the same moment both render it, and one of the two answers is kept).
 *
 *   node examples/shared-cache.js
 */

const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads')
const { TypedMap } = require('typed-superdashmap')

const WORKERS = 4
const REQUESTS = 2000
const PAGES = 100

/** Stands for a template, a query, an image: something worth caching. */
function render(page) {
  let checksum = 0
  for (let i = 0; i < 200_000; i++) checksum = (checksum * 31 + page + i) | 0
  return { page, title: `Page ${page}`, checksum }
}

function serve(cache) {
  let rendered = 0
  for (let i = 0; i < REQUESTS; i++) {
    const page = Math.floor(Math.random() * PAGES)
    const answer = cache.getOrInsertComputed(`page:${page}`, () => {
      rendered++
      return render(page)
    })
    if (answer.page !== page) throw new Error(`asked for page ${page}, got ${answer.page}`)
  }
  return rendered
}

async function renderedBy(workers) {
  const counts = await Promise.all(
    workers.map(
      worker =>
        new Promise((resolve, reject) => {
          worker.once('message', resolve)
          worker.once('error', reject)
        })
    )
  )
  return counts.reduce((sum, rendered) => sum + rendered, 0)
}

const startWorkers = cacheName =>
  Array.from({ length: WORKERS }, () => new Worker(__filename, { workerData: { cacheName } }))

async function main() {
  // A map lives as long as a thread holds it: this thread does until all workers have used it.
  const pages = TypedMap.open('pages')
  const own = await renderedBy(startWorkers(undefined))
  const shared = await renderedBy(startWorkers('pages'))
  console.log(`${WORKERS * REQUESTS} requests for ${PAGES} pages, ${WORKERS} workers`)
  console.log(`a cache per worker   ${own} pages rendered`)
  console.log(`one shared cache     ${shared} pages rendered, ${pages.size} in the cache`)
  pages.close()
}

if (isMainThread) {
  main()
} else {
  const { cacheName } = workerData
  const cache = cacheName === undefined ? new TypedMap() : TypedMap.open(cacheName)
  parentPort.postMessage(serve(cache))
  cache.close()
}
