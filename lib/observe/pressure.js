'use strict'

// Reports memory pressure to the listeners of this thread: the ratio of memory to limit when it rises past a threshold
// or falls below it again.

const { outOfRange, wrongType } = require('../errors.js')
const { binding, onWake } = require('../native/attach.js')
const { readData, writeData } = require('../native/data.js')
const { WAKE } = require('../native/layout.js')
const { checkFunction, checkObject } = require('../options/checks.js')
const { Delivery, Subscription } = require('./turns.js')

const {
  endPressure: endPressureBinding,
  evictTo: evictToBinding,
  listenPressure: listenPressureBinding,
  memoryUsed: memoryUsedBinding,
  takePressure: takePressureBinding
} = binding

/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */
/** @typedef {import('../../index.js').PressureEvent} PressureEvent */
/** @typedef {(ratio: number, event: PressureEvent) => unknown} PressureListener */

const DEFAULT_THRESHOLDS = [0.8, 0.9, 0.95]

/** Bytes that are evicted in one step: less than half a millisecond. */
const EVICTED_PER_STEP_BYTES = 1024 * 1024

/**
 * Checks the ratios of memory to limit at which a listener is to be called.
 *
 * @param {unknown} options
 * @returns {number[]}
 */
function readThresholds(options) {
  const { thresholds = DEFAULT_THRESHOLDS } =
    options === undefined ? {} : checkObject('options', options, ['thresholds'])
  const allowed = 'an array of at least one number above 0 and up to 1'
  if (!Array.isArray(thresholds)) throw wrongType('option thresholds', thresholds, allowed)
  if (thresholds.length === 0) throw outOfRange('option thresholds', thresholds, allowed)
  for (const threshold of thresholds) {
    if (typeof threshold !== 'number') throw wrongType('option thresholds', threshold, allowed)
    if (!(threshold > 0 && threshold <= 1)) throw outOfRange('option thresholds', threshold, allowed)
  }
  return [...thresholds]
}

/**
 * What is listened to: an open map, or the process.
 *
 * @typedef {object} Source
 * @property {number} id of the map in native code, or the number of this evaluation
 * @property {object} [map] held, because a map that something listens to must not be closed for being unreachable
 * @property {() => number} usedBytes
 * @property {(bytes: number) => number} evictTo evicts entries until so many bytes are in use, or some; how many
 */

/** One listener of this thread. */
class Gauge {
  source
  #listener
  /** Its number in native code. */
  number
  /** Bytes to evict down to, while evicting. */
  #goalBytes = 0
  #reading = new Delivery(() => this.#read())
  #relief = new Delivery(() => this.#evictSome())

  /**
   * @param {Source} source
   * @param {PressureListener} listener
   * @param {number[]} thresholds
   */
  constructor(source, listener, thresholds) {
    this.source = source
    this.#listener = new Subscription(listener)
    this.number = listenPressureBinding(source.id, writeData(thresholds))
  }

  wake() {
    this.#reading.schedule()
  }

  end() {
    endPressureBinding(this.source.id, this.number)
  }

  /** Tells the listener of one threshold that was passed; whether there may be more. */
  #read() {
    if (!gauges.has(this)) return false
    const text = this.#ask(({ id }) => takePressureBinding(id, this.number), null)
    if (text === null) return false
    const { goalBytes, ...rest } = readData(text)
    const event = /** @type {PressureEvent} */ (rest)
    const wantsRoom = this.#listener.call(event.ratio, event) === true
    if (wantsRoom && event.rising && gauges.has(this)) {
      this.#goalBytes = goalBytes
      this.#relief.schedule()
    }
    return true
  }

  /**
   * Asks native code about the map; `otherwise` if another thread has destroyed it meanwhile, when there is nothing to
   * relieve.
   *
   * @template T
   * @param {(source: Source) => T} question
   * @param {T} otherwise
   */
  #ask(question, otherwise) {
    try {
      return question(this.source)
    } catch {
      return otherwise
    }
  }

  /** Evicts a part of what is above the goal, as much as one call takes the time for; whether there is more. */
  #evictSome() {
    if (!gauges.has(this)) return false
    const stepBytes = Math.max(this.#goalBytes, this.#ask(source => source.usedBytes(), 0) - EVICTED_PER_STEP_BYTES)
    // A call evicts a bounded number of entries, which may be fewer bytes.
    const evicted = this.#ask(source => source.evictTo(stepBytes), 0)
    return evicted > 0 && this.#ask(source => source.usedBytes(), 0) > this.#goalBytes
  }
}

/** @type {Set<Gauge>} */
const gauges = new Set()

/** @param {number} id */
function forget(id) {
  for (const gauge of gauges) if (gauge.source.id === id) gauges.delete(gauge)
}

/**
 * @param {Source} source
 * @param {PressureListener} listener
 * @param {unknown} options
 * @returns {() => void} ends it
 */
function subscribe(source, listener, options) {
  checkFunction('listener', listener)
  const gauge = new Gauge(source, listener, readThresholds(options))
  gauges.add(gauge)
  return () => {
    if (gauges.delete(gauge)) gauge.end()
  }
}

onWake(WAKE.PRESSURE, (id, number) => {
  for (const gauge of gauges) if (gauge.source.id === id && gauge.number === number) gauge.wake()
})

/** @param {import('../install.js').Access} access */
const methods = ({ openOf }) => ({
  /** @param {PressureListener} listener @param {any} options */
  onPressure(listener, options = undefined) {
    checkFunction('listener', listener)
    /** @type {OpenMap} */
    const open = openOf(this)
    const { id } = open
    const usedBytes = () => memoryUsedBinding(id)
    const evictTo = (/** @type {number} */ bytes) => evictToBinding(id, bytes)
    const end = subscribe({ id, map: this, usedBytes, evictTo }, listener, options)
    open.atEnd(forget)
    return end
  }
})

module.exports = { methods, subscribe }
