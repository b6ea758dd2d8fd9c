'use strict'

// `getStats`: what native code counts, with what is known in JavaScript alone. A section that is native arrives by its
// name (`src/store/observe/stats/`); one that is not has a file in `stats/`.

const { binding } = require('../native/attach.js')
const { readData } = require('../native/data.js')
const { errors } = require('./stats/errors.js')
const { memory } = require('./stats/memory.js')
const { rates } = require('./stats/rates.js')
const { recovery } = require('./stats/recovery.js')

const { stats: statsBinding } = binding

/**
 * @param {import('../session/open-map.js').OpenMap} open
 * @returns {Record<string, any>}
 */
function readStats(open) {
  const { maxEntries, maxValueBytes, ...read } = readData(statsBinding(open.id))
  return {
    ...read,
    ...rates(open, read),
    ...memory(read),
    ...errors(read),
    ...recovery(read),
    shapes: { ...read.shapes, texts: { ...open.shapes.texts } },
    limits: { memoryLimit: read.memory.limit, maxEntries, maxValueBytes },
    nearCache: open.near.stats
  }
}

/** @param {import('../install.js').Access} access */
const methods = ({ openOf }) => ({
  getStats() {
    const open = openOf(this)
    open.check()
    open.reportHits()
    return readStats(open)
  }
})

module.exports = { methods, readStats }
