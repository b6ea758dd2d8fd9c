'use strict'

// What a thread tells of itself when the inspector asks: whether it answers at all, how busy it is, and the figures
// that its program has registered.

const { performance } = process.getBuiltinModule('node:perf_hooks')
const { BroadcastChannel, isMainThread, threadId } = process.getBuiltinModule('node:worker_threads')
const { outOfRange, wrongType } = require('../errors.js')
const { checkFunction } = require('../options/checks.js')

/** All threads of the process hear it. */
const CHANNEL = 'typed-superdashmap:inspector'

const MAX_NAME = 64
/** Figures of one source, and characters of their names and of texts. */
const MOST_FIGURES = 64
const MAX_TEXT = 200
/** Sources of one thread. */
const MOST_SOURCES = 64

/** @type {Map<string, () => unknown>} */
const sources = new Map()
/** @type {import('node:worker_threads').BroadcastChannel | undefined} */
let channel
/** How busy the thread was when it was asked last. */
let busy = performance.eventLoopUtilization()

/** Has this thread answer from now on; it keeps no process alive. */
function answer() {
  if (channel !== undefined) return
  channel = new BroadcastChannel(CHANNEL)
  channel.onmessage = message => {
    const { kind, round } = /** @type {any} */ (message).data
    if (kind === 'ask') answerAll(round)
  }
  channel.unref()
  // The main thread ends with the inspector. A thread that is terminated says nothing, and is forgotten after a while.
  if (!isMainThread) process.once('exit', () => channel?.postMessage({ kind: 'end', thread: threadId, name: null }))
}

/** @param {number} round */
function answerAll(round) {
  say({ round, name: null, figures: ownFigures() })
  for (const [name, ask] of sources) answerFor(round, name, ask)
}

function ownFigures() {
  const now = performance.eventLoopUtilization()
  const { utilization } = performance.eventLoopUtilization(now, busy)
  busy = now
  return { eventLoopUtilization: Math.round(utilization * 1000) / 1000, heapUsedBytes: process.memoryUsage().heapUsed }
}

/** @param {number} round @param {string} name @param {() => unknown} ask */
async function answerFor(round, name, ask) {
  try {
    say({ round, name, figures: plainFigures(await ask()) })
  } catch (error) {
    const text = error instanceof Error ? error.message : 'the source threw'
    say({ round, name, error: String(text).slice(0, MAX_TEXT) })
  }
}

/** @param {Record<string, unknown>} what */
function say(what) {
  channel?.postMessage({ kind: 'answer', thread: threadId, ...what })
}

/**
 * Numbers, texts and truth values; others are shown as what they are not.
 *
 * @param {unknown} figures
 */
function plainFigures(figures) {
  if (typeof figures !== 'object' || figures === null) throw new TypeError('the source returned no object')
  const some = Object.entries(figures).slice(0, MOST_FIGURES)
  return Object.fromEntries(some.map(([name, value]) => [name.slice(0, MAX_TEXT), plainFigure(value)]))
}

/** @param {unknown} value */
function plainFigure(value) {
  if (typeof value === 'number' || typeof value === 'boolean') return value
  if (typeof value === 'string' || typeof value === 'bigint') return String(value).slice(0, MAX_TEXT)
  return value === null || value === undefined ? null : typeof value
}

/**
 * Adds figures of the program to the inspector's page.
 *
 * @param {unknown} name
 * @param {any} ask
 * @returns {() => void} removes them
 */
function registerSource(name, ask) {
  const allowed = `a string of 1 to ${MAX_NAME} characters that no other source of this thread has`
  if (typeof name !== 'string') throw wrongType('name', name, allowed)
  if (name === '' || name.length > MAX_NAME || sources.has(name)) throw outOfRange('name', name, allowed)
  checkFunction('fn', ask)
  if (sources.size >= MOST_SOURCES) throw outOfRange('name', name, `one of at most ${MOST_SOURCES} sources of a thread`)
  sources.set(name, ask)
  answer()
  return () => {
    if (sources.get(name) !== ask) return
    sources.delete(name)
    channel?.postMessage({ kind: 'end', thread: threadId, name })
  }
}

module.exports = { CHANNEL, answer, registerSource }
