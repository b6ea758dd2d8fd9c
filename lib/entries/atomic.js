'use strict'

// Writes that depend on the value that is there, each one step for all threads.

const { isHandleKey } = require('../handle.js')
const { kindOf } = require('../codec/values.js')
const { binding, scratch, scratchFloats } = require('../native/attach.js')
const { STEP_BY, STEP_INITIAL, STEP_MAX, STEP_MIN, STEP_TTL, STEP_VALUE } = require('../native/layout.js')
const { readIncrement } = require('../options/increment.js')
const { writeNative } = require('../session/room-maker.js')
const { throwDead } = require('./handles.js')

const {
  increment: incrementBinding,
  incrementBigInt: incrementBigIntBinding,
  incrementByHandle: incrementByHandleBinding
} = binding

/** @typedef {import('../options/increment.js').Increment} Increment */
/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */

/**
 * One attempt; whether the number has changed. What it is asked for lies in memory that other writes use, too, so each
 * attempt puts it there.
 *
 * @param {OpenMap} open
 * @param {any} target
 * @param {Increment} step
 */
function incrementNumber(open, target, step) {
  scratchFloats[STEP_BY] = step.by
  scratchFloats[STEP_INITIAL] = step.initial
  scratchFloats[STEP_MIN] = step.min
  scratchFloats[STEP_MAX] = step.max
  scratchFloats[STEP_TTL] = step.withTtl ? 1 : 0
  if (!isHandleKey(target)) return incrementBinding(open.id, target)
  return incrementByHandleBinding(open.id, target.shard, target.slot, target.generation)
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

/** @param {import('../install.js').Access} access */
const methods = ({ openOf, roomOf }) => ({
  /** @this {any} @param {any} given @param {any} by @param {any} options */
  increment(given, by = undefined, options = undefined) {
    const open = openOf(this)
    open.checkJson('increment')
    const step = readIncrement(by, options)
    const key = open.keyOf(given)
    if (!open.mayHave(key)) throwDead(open, key)
    let value
    let changed
    if (typeof step.by === 'number') {
      changed = writeNative(roomOf(this), step.ttl, 'increment', incrementNumber, 0, open, key, step)
      value = scratchFloats[STEP_VALUE]
    } else {
      value = writeNative(roomOf(this), step.ttl, 'increment', incrementBigInt, 0, open, key, step)
      changed = scratchFloats[STEP_VALUE] !== 0
    }
    const ttl = scratchFloats[STEP_TTL]
    if (changed) open.near.renew(key, kindOf(open.shapes, value), value, scratch)
    return step.withTtl ? { value, ttl, changed } : value
  }
})

module.exports = { methods }
