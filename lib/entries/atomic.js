'use strict'

// Writes that depend on the value that is there, each one step for all threads.

const { ERROR_NUMBERS, createError } = require('../errors.js')
const { isHandleKey } = require('../handle.js')
const { walk } = require('../codec/field.js')
const { kindOf, prepare } = require('../codec/values.js')
const { binding, scratch, scratchFloats } = require('../native/attach.js')
const {
  SCRATCH,
  STEP_BY,
  STEP_INITIAL,
  STEP_MAX,
  STEP_MIN,
  STEP_TTL,
  STEP_VALUE,
  STEPPED
} = require('../native/layout.js')
const { KEEPS } = require('../native/ttl.js')
const { readIncrement } = require('../options/increment.js')
const { refused } = require('../session/refusals.js')
const { writeNative } = require('../session/room-maker.js')
const { throwDead } = require('./handles.js')
const { find } = require('./seen.js')

const {
  getOrInsert: getOrInsertBinding,
  increment: incrementBinding,
  incrementAt: incrementAtBinding,
  incrementBigInt: incrementBigIntBinding,
  incrementByHandle: incrementByHandleBinding,
  peekVersion: peekVersionBinding,
  replaceIf: replaceIfBinding,
  ttlOf: ttlOfBinding
} = binding

const { GENERATION, SEEN_VERSION, SHARD, SLOT, STATE } = SCRATCH
const ABSENT = 0
const NAME = 'increment'
/** What is found where a number would be in something that is not there. */
const NOTHING = Object.freeze({ expected: 'a number', found: 'nothing', of: 'value' })

/** @typedef {import('../options/increment.js').Increment} Increment */
/** @typedef {import('../options/pointer.js').Pointer} Pointer */
/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */
/** @typedef {import('../session/room-maker.js').RoomMaker} RoomMaker */

/**
 * One attempt; whether the number has changed. What it is asked for lies in memory that other writes use, too, so each
 * attempt puts it there.
 *
 * @param {OpenMap} open
 * @param {any} target
 * @param {Increment} step
 */
function incrementNumber(open, target, step) {
  askFor(step)
  if (!isHandleKey(target)) return incrementBinding(open.id, target)
  return incrementByHandleBinding(open.id, target.shard, target.slot, target.generation)
}

/** @param {Increment} step of a number */
function askFor({ by, initial, min, max, withTtl }) {
  scratchFloats[STEP_BY] = by
  scratchFloats[STEP_INITIAL] = initial
  scratchFloats[STEP_MIN] = min
  scratchFloats[STEP_MAX] = max
  scratchFloats[STEP_TTL] = withTtl ? 1 : 0
}

/**
 * The same for a bigint; the value.
 *
 * @param {OpenMap} open
 * @param {any} target
 * @param {Increment} step
 */
function incrementBigInt({ id }, target, { by, initial, min, max, withTtl }) {
  scratchFloats[STEP_TTL] = withTtl ? 1 : 0
  if (!isHandleKey(target)) return incrementBigIntBinding(id, by, initial, min, max, target)
  const { shard, slot, generation } = target
  return incrementBigIntBinding(id, by, initial, min, max, shard, slot, generation)
}

/**
 * One attempt at a number inside of an object; what became of it.
 *
 * @param {OpenMap} open
 * @param {any} target
 * @param {Increment} step
 */
function incrementAt(open, target, step) {
  askFor(step)
  const { text } = /** @type {Pointer} */ (step.at)
  if (!isHandleKey(target)) return incrementAtBinding(open.id, text, target)
  return incrementAtBinding(open.id, text, target.shard, target.slot, target.generation)
}

/**
 * A step of a number inside of an object; what it led to. What native code cannot make of the value as it is stored,
 * because a name comes to it, is made here.
 *
 * @param {OpenMap} open
 * @param {RoomMaker} room
 * @param {any} target
 * @param {Increment} step
 * @returns {{ value: number, ttl: number, changed: boolean }}
 */
function incrementField(open, room, target, step) {
  for (;;) {
    const done = writeNative(room, step.ttl, NAME, incrementAt, 0, open, target, step)
    const told = { value: scratchFloats[STEP_VALUE], ttl: scratchFloats[STEP_TTL], changed: done !== STEPPED.NOT }
    if (done === STEPPED.NOT || done === STEPPED.WRITTEN) return told
    if (done === STEPPED.TO_BE_MADE) {
      if (makeAnew(open, room, target, step, told.value)) return told
    } else if (makeEntry(open, room, target, step, told.value)) {
      const ttl = step.withTtl ? (ttlOfBinding(open.id, target) ?? 0) : told.ttl
      return { ...told, ttl }
    }
  }
}

/**
 * Makes an entry with the number alone in its object; whether no other came before.
 *
 * @param {OpenMap} open
 * @param {RoomMaker} room
 * @param {any} target
 * @param {Increment} step
 * @param {number} number
 */
function makeEntry(open, room, target, step, number) {
  if (isHandleKey(target)) return throwDead(open, target)
  const { tokens } = /** @type {Pointer} */ (step.at)
  if (tokens.length > 1) throw createError(ERROR_NUMBERS.ERR_WRONG_TYPE, NOTHING)
  const { kind, wire } = prepare(open.shapes, withMember({}, tokens[0], number))
  writeNative(room, step.ttl, NAME, getOrInsertBinding, 2, open.id, target, wire, kind)
  return scratch[STATE] === ABSENT
}

/**
 * Writes the value anew, with the number in it, if it is still the one that native code has seen; whether it is.
 *
 * @param {OpenMap} open
 * @param {RoomMaker} room
 * @param {any} target
 * @param {Increment} step
 * @param {number} number
 */
function makeAnew(open, room, target, step, number) {
  const { id, shapes } = open
  const [shard, slot, generation] = [scratch[SHARD], scratch[SLOT], scratch[GENERATION]]
  const version = scratch[SEEN_VERSION]
  const seen = find(open, target, peekVersionBinding)
  const isSame =
    seen?.version === version && seen.shard === shard && seen.slot === slot && seen.generation === generation
  if (!isSame) return false
  const { tokens } = /** @type {Pointer} */ (step.at)
  withMember(walk(seen.value, tokens.slice(0, -1)), tokens[tokens.length - 1], number)
  const { kind, wire } = prepare(shapes, seen.value)
  return writeNative(room, KEEPS, NAME, replaceIfBinding, 4, id, shard, slot, generation, wire, kind, seen.version)
}

/**
 * Sets a member of an object, whatever its name is.
 *
 * @param {any} object
 * @param {string} name
 * @param {number} value
 */
const withMember = (object, name, value) =>
  Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true })

/** @param {import('../install.js').Access} access */
const methods = ({ openOf, roomOf }) => ({
  /** @this {any} @param {any} given @param {any} by @param {any} options */
  increment(given, by = undefined, options = undefined) {
    const open = openOf(this)
    open.checkJson(NAME)
    try {
      const step = readIncrement(by, options)
      const key = open.keyOf(given)
      if (!open.mayHave(key)) throwDead(open, key)
      if (step.at !== undefined) {
        const told = incrementField(open, roomOf(this), key, step)
        return step.withTtl ? told : told.value
      }
      let value
      let changed
      if (typeof step.by === 'number') {
        changed = writeNative(roomOf(this), step.ttl, NAME, incrementNumber, 0, open, key, step)
        value = scratchFloats[STEP_VALUE]
      } else {
        value = writeNative(roomOf(this), step.ttl, NAME, incrementBigInt, 0, open, key, step)
        changed = scratchFloats[STEP_VALUE] !== 0
      }
      const ttl = scratchFloats[STEP_TTL]
      if (changed) open.near.renew(key, kindOf(open.shapes, value), value, scratch)
      return step.withTtl ? { value, ttl, changed } : value
    } catch (error) {
      throw refused(open, error)
    }
  }
})

module.exports = { methods }
