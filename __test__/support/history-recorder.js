'use strict'

// Runs operations on a map and writes each down as a row of numbers.

const { CONTROL, COUNTER, DELETED, KEYS, KIND, LOADED, NOT_READ, ROW, keyOf } = require('./history-program.js')

/** Values of other threads begin above. */
const VALUES_PER_THREAD = 2 ** 20

/** How long a value is that becomes a text, where the longest are of `longest` characters. */
const lengthOf = (value, longest) => (value % 32 === 3 ? longest : 8 + (value % 7) * 100)

/** A value of one of the kinds that near caches keep, which says its number. */
function valueFor(number, longest) {
  switch (number & 3) {
    case 0:
      return number
    case 1:
      return { number }
    case 2:
      return [number]
    default:
      return String(number).padEnd(lengthOf(number, longest), '.')
  }
}

/** The number of a value, 0 for none; a value that is not whole is none of the numbers that were written. */
function numberOf(value, longest) {
  if (value === undefined) return 0
  if (typeof value === 'number') return value
  if (typeof value !== 'string') return value.number ?? value[0]
  const number = Number.parseInt(value, 10)
  return value.length === lengthOf(number, longest) && value.endsWith('.') ? number : -1
}

/** One number for a handle. */
const tenantOf = ({ shard, slot, generation }) => shard + 64 * (slot + 2 ** 16 * generation)

const DEAD = new Set(['ERR_HANDLE_NOT_FOUND', 'ERR_HANDLE_INVALIDATED', 'ERR_GENERATION_MISMATCH'])
const FULL = new Set(['ERR_MEMORY_LIMIT', 'ERR_VALUE_TOO_LARGE'])

const NEVER = 2 ** 31

/** What takes the place of writes, and of handles, where the key is that of a counter. */
const OF_COUNTER = {
  write: 'increment',
  writeBrief: 'incrementBrief',
  writeForever: 'increment',
  replace: 'update',
  find: 'increment'
}

/** The same where the key is loaded. */
const OF_LOADED = {
  write: 'put',
  writeBrief: 'put',
  writeForever: 'load',
  replace: 'load',
  find: 'load',
  has: 'load',
  readHandle: 'load'
}

class Recorder {
  #near
  #native
  #control
  #log
  #nextValue
  #other = 0
  #longest
  #hasCodec
  #countsField
  /** The handle that this thread uses for each key. */
  #handles = []
  /** The number that this thread has seen last of each key, 0 for none. */
  #seen = []
  count = 0

  /**
   * Two maps of one name, the second without near cache. Nothing is added to what a codec has made. The counter is a
   * number, or one in an object.
   */
  constructor({ near, native, control, log, thread, longest, hasCodec, countsField }) {
    this.#hasCodec = hasCodec
    this.#countsField = countsField
    this.#longest = longest
    this.#near = near
    this.#native = native
    this.#control = control
    this.#log = log
    this.#nextValue = thread * VALUES_PER_THREAD
  }

  /** Runs an operation and writes down what it saw. Returns a promise for one that ends later. */
  run(operation, key, random) {
    const start = Atomics.load(this.#control, CONTROL.CLOCK)
    const name = (key === COUNTER && OF_COUNTER[operation]) || (key === LOADED && OF_LOADED[operation]) || operation
    const failed = error => {
      const end = Atomics.add(this.#control, CONTROL.CLOCK, 1)
      if (error.code === 'ERR_CLOSED') this.#note(KIND.CLOSED, key, 0, 0, 0, start, end)
      // The map is as it was.
      else if (!FULL.has(error.code)) throw error
    }
    try {
      return this[name](key, random)?.catch(failed)
    } catch (error) {
      return failed(error)
    }
  }

  #start() {
    return Atomics.load(this.#control, CONTROL.CLOCK)
  }

  #end() {
    return Atomics.add(this.#control, CONTROL.CLOCK, 1)
  }

  #note(kind, key, result, value, tenant, start, end) {
    const log = this.#log
    const row = this.count++ * ROW
    log[row] = kind
    log[row + 1] = key
    log[row + 2] = result
    log[row + 3] = value
    log[row + 4] = tenant
    log[row + 5] = start
    log[row + 6] = end
  }

  #hold(key, handle, random) {
    const held = this.#handles[key]
    if (held === undefined || (tenantOf(held) !== tenantOf(handle) && random.oneIn(2))) this.#handles[key] = handle
  }

  #write(key, random, options) {
    const number = ++this.#nextValue
    const value = valueFor(number, this.#longest)
    const start = this.#start()
    const handle = this.#near.insertWithHandle(keyOf(key), value, options)
    const end = this.#end()
    this.#note(KIND.WRITE, key, 1, number, tenantOf(handle), start, end)
    this.#hold(key, handle, random)
  }

  write(key, random) {
    this.#write(key, random)
  }

  writeBrief(key, random) {
    this.#write(key, random, { ttl: 1 + random.below(3) })
  }

  writeForever(key, random) {
    this.#write(key, random, { ttl: NEVER })
  }

  #increment(key, random, options) {
    if (this.#hasCodec) return this.update(key, random)
    const name = keyOf(key)
    const by = 1 + random.below(3)
    const asked = this.#countsField ? { ...options, at: '/number' } : options
    const start = this.#start()
    const value = this.#near.increment(name, by, asked)
    const end = this.#end()
    this.#note(KIND.INCREMENT, key, value, by, 0, start, end)
  }

  /** A value of the counter. */
  #counted(number) {
    return this.#countsField ? { number } : number
  }

  /** The value that has a number, of a key. */
  #valueFor(key, number) {
    return key === COUNTER ? this.#counted(number) : valueFor(number, this.#longest)
  }

  increment(key, random) {
    this.#increment(key, random)
  }

  incrementBrief(key, random) {
    this.#increment(key, random, { ttl: 1 + random.below(3) })
  }

  update(key, random) {
    const name = keyOf(key)
    const by = 1 + random.below(3)
    const add = value => this.#counted(numberOf(value, this.#longest) + by)
    const start = this.#start()
    const value = this.#near.update(name, add)
    const end = this.#end()
    this.#note(KIND.UPDATE, key, numberOf(value, this.#longest), by, 0, start, end)
  }

  put(key) {
    const number = ++this.#nextValue
    const value = valueFor(number, this.#longest)
    const start = this.#start()
    this.#near.set(keyOf(key), value)
    this.#note(KIND.PUT, key, 1, number, 0, start, this.#end())
  }

  /** Loads it where it is missing. Some loaders take a while, so that others write meanwhile. */
  async load(key, random) {
    const number = ++this.#nextValue
    const turns = random.below(3)
    let began = 0
    const loader = async () => {
      began = this.#start() + 1
      for (let turn = 0; turn < turns; turn++) await new Promise(resolve => setImmediate(resolve))
      return valueFor(number, this.#longest)
    }
    const start = this.#start()
    const value = numberOf(await this.#near.getOrLoad(keyOf(key), loader), this.#longest)
    const end = this.#end()
    // It may have begun to load, and got what was loaded by others in the end.
    if (value === number) this.#note(KIND.LOAD, key, value, value, began, start, end)
    else this.#note(KIND.GOT, key, value, 0, 0, start, end)
  }

  replace(key) {
    const handle = this.#handles[key]
    if (handle === undefined) return
    const number = ++this.#nextValue
    const value = valueFor(number, this.#longest)
    const start = this.#start()
    let end
    let isWritten = 1
    try {
      this.#near.replace(handle, value)
      end = this.#end()
    } catch (error) {
      end = this.#end()
      if (!DEAD.has(error.code)) throw error
      isWritten = 0
    }
    this.#note(KIND.REPLACE, key, isWritten, number, tenantOf(handle), start, end)
  }

  /**
   * Writes a value in place of one that this thread wrote or saw before. The expected one is made anew, so that it is
   * compared as a value.
   */
  #compareAndSet(key, target, tenant, random) {
    const number = ++this.#nextValue
    const expected = this.#expectedFor(key, random)
    const next = this.#valueFor(key, key === COUNTER ? expected + 1 : number)
    const asked = this.#valueFor(key, expected)
    const start = this.#start()
    let answer
    try {
      answer = this.#near.compareAndSet(target, asked, next)
    } catch (error) {
      const end = this.#end()
      if (!DEAD.has(error.code)) throw error
      this.#note(KIND.READ_HANDLE, key, 0, 0, tenant, start, end)
      return
    }
    const end = this.#end()
    const { swapped, value } = answer
    const found = numberOf(value, this.#longest)
    if (!swapped && found === expected) throw new Error(`${found} was not found equal to itself`)
    if (swapped) this.#note(KIND.SWAP, key, expected, found, tenant, start, end)
    else this.#note(KIND.DIFFERS, key, found, 0, tenant, start, end)
    this.#seen[key] = found
  }

  /** The number of a value that may be there. */
  #expectedFor(key, random) {
    return this.#seen[key] && !random.oneIn(8) ? this.#seen[key] : 1 + random.below(this.#nextValue)
  }

  compareAndSet(key, random) {
    this.#compareAndSet(key, keyOf(key), 0, random)
  }

  compareAndSetHandle(key, random) {
    const handle = this.#handles[key]
    if (handle !== undefined) this.#compareAndSet(key, handle, tenantOf(handle), random)
  }

  /** Reads and writes two or three keys. An attempt that others have disturbed is made again, or has done nothing. */
  transaction(key, random) {
    const keys = [key]
    while (keys.length < 2 || (keys.length < KEYS && random.oneIn(2))) {
      const other = random.below(KEYS)
      if (!keys.includes(other)) keys.push(other)
    }
    const plan = keys.map(key => ({ key, reads: random.oneIn(2), does: random.below(3), by: 1 + random.below(3) }))
    let steps = []
    const attempt = transaction => {
      steps = plan.map(part => ({ key: part.key, ...this.#within(transaction, part) }))
    }
    const start = this.#start()
    try {
      if (random.oneIn(3)) {
        const transaction = this.#near.begin()
        attempt(transaction)
        transaction.commit()
      } else this.#near.transaction(attempt)
    } catch (error) {
      // Nothing was written: at once, or after all tries, which busy processors bring about.
      if (error.code === 'ERR_TRANSACTION_CONFLICT') return
      throw error
    }
    const end = this.#end()
    for (const { key, read, written } of steps) this.#note(KIND.TRANSACTION, key, read, written, 0, start, end)
  }

  /** What a transaction does with one key. */
  #within(transaction, { key, reads, does, by }) {
    const name = keyOf(key)
    if (key === COUNTER && does > 0) {
      if (!this.#hasCodec && !this.#countsField) {
        const written = transaction.increment(name, by)
        return { read: written - by, written }
      }
      const read = numberOf(transaction.get(name), this.#longest)
      transaction.set(name, this.#counted(read + by))
      return { read, written: read + by }
    }
    const read = reads || does === 0 ? numberOf(transaction.get(name), this.#longest) : NOT_READ
    if (does === 0) return { read, written: 0 }
    if (does === 1) {
      const wasThere = transaction.delete(name)
      if (read !== NOT_READ && wasThere !== (read !== 0)) throw new Error(`${read} was read, and then not deleted`)
      return { read: wasThere ? read : 0, written: DELETED }
    }
    const written = ++this.#nextValue
    transaction.set(name, valueFor(written, this.#longest))
    return { read, written }
  }

  /** Deletes a key by a prefix that no other key has. */
  async deletePrefix(key) {
    if (key === 0) return
    const start = this.#start()
    try {
      const count = await this.#near.deletePrefix(keyOf(key))
      this.#note(KIND.DELETE_PREFIX, key, count, 0, 0, start, this.#end())
    } catch (error) {
      if (error.code !== 'ERR_CLOSED') throw error
      this.#note(KIND.DELETE_CLOSED, key, 0, 0, 0, start, this.#end())
    }
  }

  /** Deletes a key if its value is an object that this thread has seen last. */
  async deleteWhere(key) {
    const number = this.#seen[key] || this.#nextValue
    if (key === 0 || number === 0 || this.#hasCodec) return
    const start = this.#start()
    const count = await this.#near.deleteWhere({ key: keyOf(key), where: { '/number': number } })
    const end = this.#end()
    // Not every value is an object with its number.
    if (count > 0 || this.#isObject(key, number)) this.#note(KIND.DELETE_WHERE, key, count, number, 0, start, end)
  }

  #isObject(key, number) {
    return this.#valueFor(key, number).number === number
  }

  async deleteTexts() {
    const start = this.#start()
    await this.#near.deletePrefix('key-')
    this.#note(KIND.DELETE_TEXTS, 0, 0, 0, 0, start, this.#end())
  }

  #read(kind, map, key) {
    const name = keyOf(key)
    const start = this.#start()
    const value = map.get(name)
    const end = this.#end()
    const number = numberOf(value, this.#longest)
    this.#note(kind, key, number, 0, 0, start, end)
    this.#seen[key] = number
  }

  readNear(key) {
    this.#read(KIND.READ, this.#near, key)
  }

  readNative(key) {
    this.#read(KIND.READ_NATIVE, this.#native, key)
  }

  peek(key) {
    const name = keyOf(key)
    const start = this.#start()
    const value = this.#near.peek(name)
    const end = this.#end()
    this.#note(KIND.READ, key, numberOf(value, this.#longest), 0, 0, start, end)
  }

  getMany(key) {
    const names = [keyOf(key)]
    const start = this.#start()
    const values = this.#near.getMany(names)
    const end = this.#end()
    this.#note(KIND.READ, key, numberOf(values[0], this.#longest), 0, 0, start, end)
  }

  #readHandle(kind, key, read) {
    const handle = this.#handles[key]
    if (handle === undefined) return
    const start = this.#start()
    const value = read(handle)
    const end = this.#end()
    this.#note(kind, key, numberOf(value, this.#longest), 0, tenantOf(handle), start, end)
    if (value === undefined) this.#handles[key] = undefined
  }

  readHandle(key) {
    this.#readHandle(KIND.READ_HANDLE, key, handle => this.#near.get(handle))
  }

  readHandleNative(key) {
    this.#readHandle(KIND.READ_HANDLE_NATIVE, key, handle => this.#native.get(handle))
  }

  /** A read by `handle.get()`: of the map with the near cache, which made the handle. */
  readItself(key) {
    this.#readHandle(KIND.READ_HANDLE, key, handle => handle.get())
  }

  has(key) {
    const name = keyOf(key)
    const start = this.#start()
    const isThere = this.#near.has(name)
    const end = this.#end()
    this.#note(KIND.HAS, key, Number(isThere), 0, 0, start, end)
  }

  hasHandle(key) {
    const handle = this.#handles[key]
    if (handle === undefined) return
    const start = this.#start()
    const isThere = this.#near.has(handle)
    const end = this.#end()
    this.#note(KIND.HAS_HANDLE, key, Number(isThere), 0, tenantOf(handle), start, end)
  }

  find(key, random) {
    const name = keyOf(key)
    const start = this.#start()
    const handle = this.#near.getHandle(name)
    const end = this.#end()
    this.#note(KIND.FIND, key, Number(handle !== undefined), 0, handle === undefined ? 0 : tenantOf(handle), start, end)
    if (handle !== undefined) this.#hold(key, handle, random)
  }

  delete(key) {
    const name = keyOf(key)
    const start = this.#start()
    const wasThere = this.#near.delete(name)
    const end = this.#end()
    this.#note(KIND.DELETE, key, Number(wasThere), 0, 0, start, end)
  }

  deleteHandle(key) {
    const handle = this.#handles[key]
    if (handle === undefined) return
    const start = this.#start()
    const wasThere = this.#near.delete(handle)
    const end = this.#end()
    this.#note(KIND.DELETE_HANDLE, key, Number(wasThere), 0, tenantOf(handle), start, end)
  }

  remove(key) {
    const name = keyOf(key)
    const start = this.#start()
    const value = this.#near.remove(name)
    const end = this.#end()
    this.#note(KIND.REMOVE, key, numberOf(value, this.#longest), 0, 0, start, end)
  }

  touch(key, random) {
    const name = keyOf(key)
    const ttl = 1 + random.below(3)
    const start = this.#start()
    const isThere = this.#near.touch(name, { ttl })
    const end = this.#end()
    this.#note(KIND.TOUCH, key, Number(isThere), 0, 0, start, end)
  }

  clear() {
    const start = this.#start()
    this.#near.clear()
    const end = this.#end()
    this.#note(KIND.CLEAR, 0, 0, 0, 0, start, end)
  }

  /** Ends the map for all threads. */
  destroy() {
    const start = this.#start()
    this.#native.destroy()
    const end = this.#end()
    this.#note(KIND.DESTROY, 0, 0, 0, 0, start, end)
  }

  // What changes no key that is looked at, or none for good: it moves, fills, empties and frees what is beside them.

  churn(_key, random) {
    const other = `other-${random.below(600)}`
    if (random.oneIn(3)) this.#near.delete(other)
    else this.#near.set(other, valueFor(this.#other++, this.#longest))
  }

  shrink() {
    this.#near.shrinkToFit()
  }

  evict() {
    this.#near.evict(1)
  }

  purge() {
    this.#near.purgeExpired()
  }
}

module.exports = { Recorder }
