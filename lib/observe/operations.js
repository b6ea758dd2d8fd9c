'use strict'

// The operations that probes can see, and how a call of each is read: which key it is about, and whether the entry was
// there.

/**
 * @typedef {object} Operation
 * @property {'first' | 'result' | 'none'} key where the key or handle is: the first argument, what is returned, or the
 *   operation is about more than one entry
 * @property {'value' | 'defined' | 'true'} [hit] how to tell whether the entry was there: a value was returned, which
 *   may be `undefined`; something was returned; `true` was returned
 * @property {boolean} [isAsync] a promise is returned, and the call takes until that is settled
 * @property {boolean} [calls] code of the user runs within, whose own calls of the map count as well
 */

/** What `handle.get()` is called among the operations. */
const HANDLE_GET = 'handle.get'

/** @type {Readonly<Record<string, Operation>>} */
const OPERATIONS = Object.freeze({
  get: { key: 'first', hit: 'value' },
  getByHandle: { key: 'first', hit: 'value' },
  [HANDLE_GET]: { key: 'first', hit: 'value' },
  peek: { key: 'first', hit: 'value' },
  has: { key: 'first', hit: 'true' },
  getHandle: { key: 'first', hit: 'defined' },
  ttlOf: { key: 'first', hit: 'defined' },
  touch: { key: 'first', hit: 'true' },
  set: { key: 'first' },
  insert: { key: 'result' },
  insertWithHandle: { key: 'first' },
  replace: { key: 'first' },
  getOrInsert: { key: 'first' },
  getOrInsertComputed: { key: 'first', calls: true },
  increment: { key: 'first' },
  update: { key: 'first', calls: true },
  compareAndSet: { key: 'first' },
  delete: { key: 'first', hit: 'true' },
  remove: { key: 'first', hit: 'value' },
  clear: { key: 'none' },
  evict: { key: 'none' },
  getMany: { key: 'none' },
  hasMany: { key: 'none' },
  setMany: { key: 'none' },
  updateMany: { key: 'none' },
  insertMany: { key: 'none' },
  deleteMany: { key: 'none' },
  transaction: { key: 'none', calls: true },
  getOrLoad: { key: 'first', isAsync: true, calls: true },
  getManyOrLoad: { key: 'none', isAsync: true, calls: true },
  find: { key: 'none', isAsync: true, calls: true },
  count: { key: 'none', isAsync: true, calls: true },
  filter: { key: 'none', isAsync: true, calls: true },
  deleteWhere: { key: 'none', isAsync: true, calls: true },
  deletePrefix: { key: 'none', isAsync: true, calls: true }
})

module.exports = { HANDLE_GET, OPERATIONS, OPERATION_NAMES: Object.freeze(Object.keys(OPERATIONS)) }
