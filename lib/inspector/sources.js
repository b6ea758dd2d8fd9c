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

/**
 * @typedef {object} Source
 * @property {() => unknown} ask
 * @property {boolean} isPending whether it was asked and has not answered
 * @property {boolean} isKnown whether the inspector has heard of it
 */

/** By name; another source of the same name is another object. @type {Map<string, Source>} */
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

/** @param {string} round */
function answerAll(round) {
  say({ round, name: null, figures: ownFigures() })
  for (const [name, source] of sources) answerFor(round, name, source)
}

function ownFigures() {
  const now = performance.eventLoopUtilization()
  const { utilization } = performance.eventLoopUtilization(now, busy)
  busy = now
  return { eventLoopUtilization: Math.round(utilization * 1000) / 1000, heapUsedBytes: process.memoryUsage().heapUsed }
}

/** @param {string} round @param {string} name @param {Source} source */
async function answerFor(round, name, source) {
  if (source.isPending) {
    // Said once, so that it is listed. From then on it does not answer.
    if (!source.isKnown) say({ round, name, error: 'the source has not answered yet' })
    source.isKnown = true
    return
  }
  source.isPending = true
  const said = await figuresOrError(source)
  source.isPending = false
  source.isKnown = true
  // It may have been removed meanwhile: that is said already, and must be the last of it.
  if (sources.get(name) === source) say({ round, name, ...said })
}

/** @param {{ ask: () => unknown }} source */
async function figuresOrError({ ask }) {
  try {
    return { figures: plainFigures(await ask()) }
  } catch (error) {
    return { error: textOf(error) }
  }
}

/** What a source threw, in words: a text, or the message of an error, of this realm or another. @param {any} thrown */
function textOf(thrown) {
  try {
    const text = typeof thrown === 'string' ? thrown : thrown.message
    if (typeof text === 'string' && text !== '') return text.slice(0, MAX_TEXT)
  } catch {
    // It has no message, or one that throws as well.
  }
  return 'the source threw'
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
  const source = { ask, isPending: false, isKnown: false }
  sources.set(name, source)
  answer()
  return () => {
    if (sources.get(name) !== source) return
    sources.delete(name)
    channel?.postMessage({ kind: 'end', thread: threadId, name })
  }
}

module.exports = { CHANNEL, answer, registerSource }
