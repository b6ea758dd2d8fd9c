'use strict'

// Removals of entries, told to the listeners of this thread: what was evicted, expired, deleted, replaced or cleared, in
// whatever thread. Native code keeps them, up to a bound in bytes, until this thread takes them out.

const { handleAt } = require('./batch.js')
const { checkObject, quoted } = require('./checks.js')
const { decode } = require('./codec.js')
const { outOfRange, wrongType } = require('./errors.js')
const { CAUSE, KEY_KIND, REMOVAL_ROW, REMOVED_BY, SCRATCH } = require('./layout.js')
const { DELIVERED_PER_TURN, Turns, call } = require('./listeners.js')
const { binding, onWake, scratch } = require('./native.js')

const { listenRemovals: listenRemovalsBinding, takeRemovals: takeRemovalsBinding } = binding

/** @typedef {import('./open-map.js').OpenMap} OpenMap */
/** @typedef {Record<string, any>} Removal */
/** @typedef {{ listener: (removal: Removal) => void, causes: Set<number> }} Seat */
/** With those who listened when it was taken out. @typedef {{ removal: Removal, seats: Seat[] }} Taken */

const { DROPPED, STATE, TYPE } = SCRATCH

const CAUSES = Object.keys(CAUSE)
/** Names of causes by their number. */
const CAUSE_NAMES = ['', ...CAUSES]
const DEFAULT_CAUSES = ['evicted', 'expired']

/** Where native code says what it gives. */
const states = new Uint32Array(DELIVERED_PER_TURN * REMOVAL_ROW)

/** More than ever wait at once. Other threads may go on causing removals faster than this one takes them. */
const MAX_TAKES = 256

/**
 * Checks what a listener wants to hear of.
 *
 * @param {unknown} options
 * @returns {Set<number>} numbers of CAUSE
 */
function readCauses(options) {
  const { causes = DEFAULT_CAUSES } = options === undefined ? {} : checkObject('options', options, ['causes'])
  const allowed = `an array of at least one of ${quoted(CAUSES)}`
  if (!Array.isArray(causes)) throw wrongType('option causes', causes, allowed)
  if (causes.length === 0) throw outOfRange('option causes', causes, allowed)
  for (const cause of causes) if (!CAUSES.includes(cause)) throw outOfRange('option causes', cause, allowed)
  return new Set(causes.map(cause => CAUSE[/** @type {keyof typeof CAUSE} */ (cause)]))
}

/** The listeners of this thread to one open map. */
class Audience {
  /** Held, because a map that somebody listens to must not be closed for being unreachable: entries expire by themselves. */
  map
  #open
  /** @type {Set<Seat>} */
  #seats = new Set()
  /** Taken out and not delivered, from `#next` on. @type {Taken[]} */
  #taken = []
  #next = 0
  /** Whether more may wait natively. */
  #isWoken = false
  #turns = new Turns(() => this.#deliverSome())

  /** @param {OpenMap} open @param {object} map */
  constructor(open, map) {
    this.#open = open
    this.map = map
  }

  /** @param {Seat} seat */
  add(seat) {
    // What happened so far is not for the newcomer.
    for (let takes = 0; takes < MAX_TAKES && this.#seats.size > 0 && this.#takeSome(); takes++);
    this.#seats.add(seat)
    try {
      this.#subscribe()
    } catch (error) {
      this.#seats.delete(seat)
      throw error
    }
  }

  /**
   * @param {Seat} seat
   * @returns {boolean} whether nobody is left
   */
  leave(seat) {
    if (this.#seats.delete(seat)) this.#subscribe()
    return this.#seats.size === 0
  }

  wake() {
    this.#isWoken = true
    this.#turns.schedule()
  }

  /** Tells nobody anything any more. */
  end() {
    this.#seats.clear()
    this.#taken = []
    this.#isWoken = false
  }

  /** Tells native code what is wanted. */
  #subscribe() {
    let mask = 0
    for (const { causes } of this.#seats) for (const cause of causes) mask |= 1 << cause
    listenRemovalsBinding(this.#open.id, mask)
  }

  /** Takes removals out of native memory; whether there may be more. */
  #takeSome() {
    const open = this.#open
    const cells = takeRemovalsBinding(open.id, DELIVERED_PER_TURN, states)
    const count = /** @type {number} */ (scratch[STATE])
    const dropped = /** @type {number} */ (scratch[DROPPED])
    const seats = [...this.#seats]
    for (let index = 0; index < count; index++) this.#taken.push({ removal: removalAt(open, cells, index), seats })
    if (dropped > 0) this.#taken.push({ removal: { dropped }, seats })
    // Only once nothing was there, the next removal wakes this again.
    this.#isWoken = count > 0 || dropped > 0
    return this.#isWoken
  }

  #deliverSome() {
    if (this.#next === this.#taken.length && this.#isWoken) {
      this.#taken = []
      this.#next = 0
      this.#takeSome()
    }
    const end = Math.min(this.#next + DELIVERED_PER_TURN, this.#taken.length)
    // A listener that closes the map leaves nothing to deliver.
    while (this.#next < end && this.#next < this.#taken.length) {
      const { removal, seats } = /** @type {Taken} */ (this.#taken[this.#next++])
      for (const seat of seats) if (this.#seats.has(seat) && wants(seat, removal)) call(seat.listener, removal)
    }
    return this.#next < this.#taken.length || this.#isWoken
  }
}

/**
 * @param {Seat} seat
 * @param {Removal} removal
 */
const wants = (seat, { cause }) =>
  cause === undefined || seat.causes.has(CAUSE[/** @type {keyof typeof CAUSE} */ (cause)])

/**
 * What listeners are told of the removal at `index` of `states`.
 *
 * @param {OpenMap} open
 * @param {readonly any[]} cells its key and its value, for each
 * @param {number} index
 * @returns {Removal}
 */
function removalAt(open, cells, index) {
  const row = index * REMOVAL_ROW
  const at = (/** @type {number} */ column) => /** @type {number} */ (states[row + column])
  const handle = handleAt(open.instance, states, row)
  const key = at(KEY_KIND) === 0 ? handle : cells[index * 2]
  const value = decode(at(STATE), cells[index * 2 + 1])
  const cause = CAUSE_NAMES[at(REMOVED_BY)]
  const type = at(TYPE) === 0 ? null : open.typeName(at(TYPE))
  return type === null ? { key, handle, value, cause } : { key, handle, value, cause, type }
}

/** By the id of the open map. @type {Map<number, Audience>} */
const audiences = new Map()

/** @param {OpenMap} open */
function forget(open) {
  audiences.get(open.id)?.end()
  audiences.delete(open.id)
}

/**
 * @param {OpenMap} open
 * @param {object} map
 * @param {(removal: Removal) => void} listener
 * @param {unknown} options
 * @returns {() => void} ends it
 */
function subscribe(open, map, listener, options) {
  const causes = readCauses(options)
  const audience = audiences.get(open.id) ?? new Audience(open, map)
  // An object of its own, so that the same function can listen twice.
  const seat = { listener, causes }
  audience.add(seat)
  open.atEnd(forget)
  audiences.set(open.id, audience)
  return () => {
    // After the map was closed there is nothing to end.
    if (audiences.get(open.id) === audience && audience.leave(seat)) forget(open)
  }
}

onWake(() => {
  for (const audience of audiences.values()) audience.wake()
})

module.exports = { subscribe }
