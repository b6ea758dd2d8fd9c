'use strict'

const assert = require('node:assert/strict')
const { TypedMapError } = require('../..')

/** Every code of the error table with the number that belongs to it. */
const NUMBERS = {
  ERR_HANDLE_NOT_FOUND: 1001,
  ERR_WRONG_TYPE: 1002,
  ERR_HANDLE_INVALIDATED: 1003,
  ERR_GENERATION_MISMATCH: 1004,
  ERR_INVALID_SHARD_INDEX: 1005,
  ERR_MEMORY_LIMIT: 1006,
  ERR_VALUE_TOO_LARGE: 1007,
  ERR_EVICTION_FAILED: 1008,
  ERR_OUT_OF_MEMORY: 1009,
  ERR_CLOSED: 1010,
  ERR_KEY_TYPE: 1011,
  ERR_VALUE_NOT_SERIALIZABLE: 1012,
  ERR_INVALID_OPTION: 1013,
  ERR_TRANSACTION_CONFLICT: 1014,
  ERR_TRANSACTION_CLOSED: 1015,
  ERR_SNAPSHOT_CORRUPT: 1016,
  ERR_SNAPSHOT_VERSION: 1017,
  ERR_SNAPSHOT_IO: 1018,
  ERR_SIMD: 1019,
  ERR_BROKEN: 1020,
  ERR_NATIVE_UNAVAILABLE: 1024,
  ERR_OUT_OF_RANGE: 1025,
  ERR_VALIDATION: 1026,
  ERR_TIMEOUT: 1027,
  ERR_INVALID_QUERY: 1028,
  ERR_TRANSACTION_TOO_LARGE: 1030,
  ERR_CLOCK_ENDED: 1031,
  ERR_TOO_MANY_JOBS: 1032,
  ERR_REFRESH_FAILED: 1033,
  ERR_EXPIRY_UNATTENDED: 1034
}

/**
 * Runs `fn`, which must throw a TypedMapError that is whole: one of `codes`, its number, details that survive JSON,
 * and the class where one is given. Returns the error for further questions.
 */
function throwsTyped(fn, codes, { kind = Error, says = [] } = {}) {
  let thrown
  let result
  try {
    result = fn()
  } catch (error) {
    thrown = error
  }
  assert.ok(thrown !== undefined, `expected ${codes}, but the call returned ${typeof result}`)
  isTyped(thrown, codes, { kind, says })
  return thrown
}

/** The error that a promise rejects with, which must be as one that `throwsTyped` takes. */
async function rejectsTyped(promise, codes, options) {
  const error = await promise.then(
    () => assert.fail(`expected ${codes}`),
    thrown => thrown
  )
  isTyped(error, codes, options)
  return error
}

function isTyped(error, codes, { kind = Error, says = [] } = {}) {
  const allowed = [codes].flat()
  assert.ok(error instanceof TypedMapError, `expected a TypedMapError, got ${error?.stack ?? error}`)
  assert.ok(error instanceof Error)
  assert.ok(error instanceof kind, `${error.code} should be a ${kind.name}`)
  assert.ok(allowed.includes(error.code), `expected ${allowed.join(' or ')}, got ${error.code}: ${error.message}`)
  assert.equal(error.number, NUMBERS[error.code])
  assert.equal(typeof error.message, 'string')
  assert.notEqual(error.message, '')
  assert.doesNotMatch(error.message, /\[object /, 'a message is made of what is known')
  assert.equal(typeof error.details, 'object')
  assert.deepEqual(JSON.parse(JSON.stringify(error.details)), error.details, 'details are plain JSON')
  for (const part of says) assert.match(error.message, part)
}

/** What a map holds, in order, in a form that compares by content. */
function contentOf(map) {
  return { size: map.size, entries: [...map.entries()] }
}

/** Runs `fn`, which must throw one of `codes`, and checks that `map` holds afterwards what it held before. */
function refusesUnchanged(map, fn, codes, options) {
  const before = contentOf(map)
  const error = throwsTyped(fn, codes, options)
  assert.deepEqual(contentOf(map), before)
  return error
}

module.exports = { NUMBERS, contentOf, isTyped, refusesUnchanged, rejectsTyped, throwsTyped }
