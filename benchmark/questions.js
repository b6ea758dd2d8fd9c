'use strict'

/** The question files of `npm run bench:targets`, in the order of the table. */
const QUESTIONS = [
  'hot-handle',
  'near-cache-load',
  'near-cache-bytes',
  'hot-key',
  'cold-read',
  'set',
  'raw-calls',
  'batch',
  'eviction',
  'memory-limit',
  'expiry',
  'growth',
  'clear',
  'gc',
  'memory',
  'many-entries',
  'shared-reads',
  'reader-latency',
  'rust-store'
]

module.exports = { QUESTIONS }
