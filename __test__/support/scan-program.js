'use strict'

// Random scans beside random changes: of each entry that is there from the first page to the last, exactly one is
// given; of no entry two.
//
// An entry is known by an id in its value, which a replaced value keeps. A key that is deleted and set again is another
// entry with another id.

const assert = require('node:assert/strict')
const { TypedMap } = require('../..')

const MAX_ENTRIES = 6_000

/** Keys of all kinds that a number can become. */
const KEYS = [
  id => `key ${id}`,
  id => id,
  id => `${'long '.repeat(20)}${id}`,
  id => BigInt(id),
  id => Uint8Array.of(id, id >> 8, id >> 16)
]

/** Values of different sizes and kinds, with their id. */
const VALUES = [
  id => ({ id }),
  (id, random) => ({ id, text: 'x'.repeat(random.below(300)) }),
  (id, random) => ({ id, [`name ${random.below(5_000)}`]: true }),
  id => ({ id, list: [id, { id }] })
]

class ScanProgram {
  #random
  #map
  /** Keys or handles of the entries by id. @type {Map<number, any>} */
  #live = new Map()
  /** Those that were there when the scan began and are still there. @type {Set<number>} */
  #steady = new Set()
  #nextId = 0
  pages = 0
  given = 0
  changes = 0

  /** @param {any} map whose own entries nothing else changes @param {import('./random.js').Random} random */
  constructor(map, random) {
    this.#map = map
    this.#random = random
  }

  /** One scan from its beginning to its end. */
  scan() {
    this.#insert(this.#random.below(1_500))
    this.#steady = new Set(this.#live.keys())
    const given = new Set()
    const count = this.#random.pick([1, 7, 50, 300])
    let cursor = '0'
    do {
      const page = this.#map.scan(cursor, { count: 1 + this.#random.below(count) })
      for (const [key, value] of page.entries) this.#take(given, key, value)
      cursor = page.cursor
      this.pages++
      if (this.#random.oneIn(3)) this.#change()
    } while (cursor !== '0')
    for (const id of this.#steady) assert.ok(given.has(id), `entry ${id} was there all the while and is not given`)
    this.given += given.size
  }

  /** Removes its entries, for the next program. */
  end() {
    this.#map.deleteMany(this.#live.values())
  }

  #take(given, key, value) {
    // Another thread's.
    if (value.id === undefined) return
    assert.ok(!given.has(value.id), `entry ${value.id} is given twice`)
    given.add(value.id)
    const own = this.#live.get(value.id)
    assert.ok(own !== undefined, `entry ${value.id} is gone and given`)
    if (typeof own !== 'object') assert.equal(key, own)
    else if (own instanceof Uint8Array) assert.deepEqual(key, own)
    else assert.equal(key.id, own.id)
  }

  #change() {
    const random = this.#random
    this.changes++
    switch (random.below(10)) {
      case 0:
      case 1:
        return this.#insert(random.below(400))
      case 2:
      case 3:
      case 4:
        return this.#remove(random.below(3))
      case 5:
      case 6:
        return this.#replace()
      case 7:
        return this.#map.shrinkToFit()
      case 8:
        return this.#map.reserve(random.below(50_000))
      default:
        if (!random.oneIn(20)) return
        this.#map.clear()
        this.#live.clear()
        this.#steady.clear()
    }
  }

  #insert(count) {
    for (let n = 0; n < count && this.#live.size < MAX_ENTRIES; n++) {
      const id = this.#nextId++
      const value = this.#random.pick(VALUES)(id, this.#random)
      if (this.#random.oneIn(4)) {
        this.#live.set(id, this.#map.insert(value))
      } else {
        const key = this.#random.pick(KEYS)(id)
        this.#map.set(key, value)
        this.#live.set(id, key)
      }
    }
  }

  /** Removes one in four, nearly all, or one. */
  #remove(how) {
    for (const [id, key] of this.#live) {
      if (how < 2 && this.#random.below(4) >= [1, 3][how]) continue
      assert.ok(this.#map.delete(key))
      this.#live.delete(id)
      this.#steady.delete(id)
      if (how === 2) return
    }
  }

  #replace() {
    let left = this.#random.below(200)
    for (const [id, key] of this.#live) {
      if (left-- === 0) return
      this.#map.set(key, this.#random.pick(VALUES)(id, this.#random))
    }
  }
}

/**
 * Scans for so long. Where `name` is given, other threads may have that map open, too.
 *
 * @param {import('./random.js').Random} random
 * @param {number} seconds
 * @param {string} [name]
 */
function scanFor(random, seconds, name) {
  const end = performance.now() + 1_000 * seconds
  const sums = { maps: 0, scans: 0, pages: 0, given: 0, changes: 0 }
  do {
    const options = { shards: random.pick([1, 2, 16, 256]) }
    const map = name === undefined ? new TypedMap(options) : TypedMap.open(name)
    const program = new ScanProgram(map, random)
    for (let scan = 0; scan < 10; scan++) program.scan()
    program.end()
    map.close()
    sums.maps++
    sums.scans += 10
    for (const sum of ['pages', 'given', 'changes']) sums[sum] += program[sum]
  } while (performance.now() < end)
  return sums
}

module.exports = { scanFor }
