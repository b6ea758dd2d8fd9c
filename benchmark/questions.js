'use strict'

const { join } = require('node:path')

/**
 * The questions of `npm run bench:targets`, in the order of the table, and the rooms of their files. @type
 * {Record<string, string>}
 */
const ROOMS = {
  'hot-handle': 'reads',
  'near-cache-load': 'reads',
  'near-cache-bytes': 'memory',
  'hot-key': 'reads',
  observers: 'reads',
  'cold-read': 'reads',
  objects: 'reads',
  codecs: 'reads',
  set: 'writes',
  increment: 'writes',
  transaction: 'writes',
  load: 'reads',
  'raw-calls': 'reads',
  sampling: 'reads',
  scrape: 'reads',
  batch: 'reads',
  walk: 'reads',
  scan: 'reads',
  views: 'reads',
  find: 'reads',
  eviction: 'writes',
  'memory-limit': 'memory',
  expiry: 'pauses',
  'single-calls': 'pauses',
  growth: 'pauses',
  clear: 'pauses',
  gc: 'pauses',
  memory: 'memory',
  'many-entries': 'memory',
  'shared-reads': 'reads',
  sessions: 'reads',
  'reader-latency': 'pauses',
  'rust-store': 'rust'
}

const QUESTIONS = Object.keys(ROOMS)

/** @param {string} name of a question */
const fileOf = name => join(__dirname, ROOMS[name], `${name}.js`)

module.exports = { QUESTIONS, fileOf }
