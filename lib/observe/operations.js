'use strict'

// The operations that probes can see, and how a call of each is read: which keys it is about, whether the entries were
// there, and whether it wrote.

/**
 * @typedef {object} Operation
 * @property {'first' | 'result' | 'none'} key where the key or handle is: the first argument, what is returned, or the
 *   operation is about more than one entry
 * @property {'value' | 'defined' | 'true' | 'state' | 'uncalled' | 'given'} [hit] how to tell whether the entry was
 *   there: a value was returned, which may be `undefined`; something was returned; `true` was returned; by the state
 *   that native code left; its function was not called; its function was given something
 * @property {'swapped' | 'defined' | 'missing'} [wrote] how to tell whether it wrote, where it may do without: it says
 *   so; something was returned; the entry was not there
 * @property {'items' | 'entries' | 'result'} [many] where the keys are, if there are many: the first argument, the
 *   keys of its entries, or what is returned
 * @property {'defined' | 'true' | 'number'} [hits] how to tell how many of their entries were there: by what was
 *   returned for each, or in sum
 * @property {'number'} [count] what is returned is how many entries it was about
 * @property {boolean} [isAsync] a promise is returned, and the call takes until that is settled
 * @property {readonly string[]} [calls] which others it calls of the same map for its own work, with a handle
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
  getHandle: { key: 'first', hit: 'defined', calls: ['has'] },
  ttlOf: { key: 'first', hit: 'defined' },
  touch: { key: 'first', hit: 'true' },
  set: { key: 'first', calls: ['replace'] },
  insert: { key: 'result' },
  insertWithHandle: { key: 'first', calls: ['replace'] },
  replace: { key: 'first' },
  getOrInsert: { key: 'first', hit: 'state', wrote: 'missing', calls: ['get', 'has'] },
  getOrInsertComputed: { key: 'first', hit: 'uncalled', wrote: 'missing', calls: ['get', 'has'] },
  increment: { key: 'first' },
  update: { key: 'first', hit: 'given', wrote: 'defined' },
  compareAndSet: { key: 'first', wrote: 'swapped' },
  delete: { key: 'first', hit: 'true' },
  remove: { key: 'first', hit: 'value' },
  clear: { key: 'none' },
  evict: { key: 'none', count: 'number' },
  purgeExpired: { key: 'none', count: 'number' },
  getMany: { key: 'none', many: 'items', hits: 'defined' },
  hasMany: { key: 'none', many: 'items', hits: 'true' },
  setMany: { key: 'none', many: 'entries' },
  updateMany: { key: 'none', many: 'entries', hits: 'number' },
  insertMany: { key: 'none', many: 'result' },
  deleteMany: { key: 'none', many: 'items', hits: 'number' },
  randomKey: { key: 'none' },
  randomEntry: { key: 'none' },
  scan: { key: 'none' },
  keys: { key: 'none' },
  values: { key: 'none' },
  entries: { key: 'none' },
  forEach: { key: 'none' },
  transaction: { key: 'none' },
  getOrLoad: { key: 'first', isAsync: true, calls: ['get', 'has'] },
  getManyOrLoad: { key: 'none', isAsync: true, calls: ['has'] },
  find: { key: 'none', isAsync: true },
  count: { key: 'none', isAsync: true },
  filter: { key: 'none', isAsync: true },
  deleteWhere: { key: 'none', isAsync: true, count: 'number' },
  deletePrefix: { key: 'none', isAsync: true, count: 'number' }
})

module.exports = { HANDLE_GET, OPERATIONS, OPERATION_NAMES: Object.freeze(Object.keys(OPERATIONS)) }
