'use strict'

const { once } = require('node:events')
const path = require('node:path')
const { Worker } = require('node:worker_threads')
const { TypedMap } = require('typed-superdashmap')

/** Rows that a worker stores at a time. */
const PORTION = 1_000

/** A map of texts that several workers fill, and whose entries they list. */
class SharedListing {
  #map
  #workers

  constructor({ workers = 4, name = 'prefix-scan' } = {}) {
    this.#map = TypedMap.open(name)
    this.#workers = Array.from(
      { length: workers },
      () => new Worker(path.join(__dirname, 'worker.js'), { workerData: { name } })
    )
  }

  /** Number of entries. */
  get size() {
    return this.#map.size
  }

  /**
   * Stores rows, all workers at once. Of two rows with the same key either may be the one that stays.
   *
   * @param {AsyncIterable<[string, string]>} rows keys and values
   */
  async fill(rows) {
    const portions = portionsOf(rows)
    await Promise.all(
      this.#workers.map(async worker => {
        for await (const portion of portions) await ask(worker, { store: portion })
      })
    )
  }

  /**
   * The entries whose keys match, page by page. Each page is of another worker: a cursor is all that it needs, so a
   * server may hand it to a client and answer the next request in whichever thread takes it.
   *
   * @param {{ match: string, count?: number }} options a glob, and about how many entries a page has
   * @returns {AsyncGenerator<[string, string][]>}
   */
  async *pages({ match, count = 100 }) {
    let cursor = '0'
    for (let turn = 0; ; turn++) {
      const worker = this.#workers[turn % this.#workers.length]
      const page = await ask(worker, { scan: { cursor, match, count } })
      yield page.entries
      cursor = page.cursor
      if (cursor === '0') return
    }
  }

  async close() {
    await Promise.all(this.#workers.map(worker => worker.terminate()))
    this.#map.close()
  }
}

/** Asks a worker, which answers one question at a time. Rejects with the error that the worker dies of. */
async function ask(worker, question) {
  worker.postMessage(question)
  const [{ answer, failure }] = await once(worker, 'message')
  if (failure !== undefined) throw Object.assign(new Error(failure.message), { code: failure.code })
  return answer
}

async function* portionsOf(rows) {
  let portion = []
  for await (const row of rows) {
    if (portion.push(row) === PORTION) {
      yield portion
      portion = []
    }
  }
  if (portion.length > 0) yield portion
}

/** The glob of all keys that begin with `prefix`: what has a meaning in globs is meant as it is. */
const globOf = prefix => `${prefix.replace(/[*?[\\]/g, '\\$&')}*`

module.exports = { SharedListing, globOf }
