'use strict'

const { once } = require('node:events')
const path = require('node:path')
const { Worker } = require('node:worker_threads')
const { TypedMap } = require('typed-superdashmap')

/** Text without a space is cut after so many characters. */
const LONGEST_PORTION = 1_000_000

/**
 * Counts the words of texts with several threads.
 *
 * @param {AsyncIterable<string>} texts in pieces, as a stream with an encoding gives them
 * @param {{ workers?: number, name?: string }} [options] `name` of the map: counts are added to those that it has
 * @returns {Promise<TypedMap<string, number>>} the counts by word, to be closed by the caller
 */
async function countWords(texts, { workers: howMany = 4, name = 'word-count' } = {}) {
  const counts = TypedMap.open(name)
  const portions = portionsOf(texts)
  const workers = Array.from(
    { length: howMany },
    () => new Worker(path.join(__dirname, 'worker.js'), { workerData: { name } })
  )
  try {
    // Each worker asks for its next portion when it has counted the one before.
    await Promise.all(
      workers.map(async worker => {
        for await (const portion of portions) {
          worker.postMessage(portion)
          await once(worker, 'message')
        }
      })
    )
    return counts
  } catch (error) {
    counts.close()
    throw error
  } finally {
    await Promise.all(workers.map(worker => worker.terminate()))
  }
}

/** The same text in portions that end between two words. */
async function* portionsOf(texts) {
  let rest = ''
  for await (const text of texts) {
    rest += text
    const space = Math.max(rest.lastIndexOf(' '), rest.lastIndexOf('\n'))
    const end = space === -1 && rest.length > LONGEST_PORTION ? rest.length : space + 1
    if (end > 0) yield rest.slice(0, end)
    rest = rest.slice(end)
  }
  if (rest !== '') yield rest
}

module.exports = { countWords }
