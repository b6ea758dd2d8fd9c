'use strict'

// Watches that time does not go backwards for one thread, at full speed: nothing is written down.
//
// One thread writes, each value with a higher number than the one before. Others read each key in every way there is.
// What one read saw, the next of the same thread must not contradict: no lower number comes after a higher one, and a
// value that was missing does not come back.

const { keyOf } = require('./history-program.js')

/** How the entry of a key may come into being, change and go, in turn. */
const CHANGES = ['set', 'set', 'set', 'replace', 'set', 'replace', 'delete', 'deleteHandle', 'clear']

class Writer {
  #map
  #random
  #handles = []
  #number = 0

  constructor(map, random) {
    this.#map = map
    this.#random = random
  }

  /** Changes one of `keys` keys. */
  step(keys) {
    const map = this.#map
    const key = this.#random.below(keys)
    const handle = this.#handles[key]
    // `clear` seldom: what it ends has to be read first.
    const change = this.#random.below(20) === 0 ? 'clear' : CHANGES[this.#random.below(CHANGES.length - 1)]
    if (change === 'clear') {
      map.clear()
      this.#handles.length = 0
    } else if (change === 'set' || handle === undefined) {
      this.#handles[key] = map.insertWithHandle(keyOf(key), ++this.#number)
    } else if (change === 'replace') {
      map.replace(handle, ++this.#number)
    } else {
      map.delete(change === 'delete' ? keyOf(key) : handle)
      this.#handles[key] = undefined
    }
  }
}

class Reader {
  #near
  #native
  #handles = []
  /** The highest number seen of each key, whether its value is gone, and whether it was read by the handle. */
  #highest
  #isGone
  #isOfHandle
  /** What was wrong, for people. @type {string | null} */
  wrong = null
  reads = 0

  /** Two maps of one name, the second without near cache. */
  constructor(near, native, keys) {
    this.#near = near
    this.#native = native
    this.#highest = new Array(keys).fill(0)
    this.#isGone = new Array(keys).fill(true)
    this.#isOfHandle = new Array(keys).fill(false)
  }

  /** Reads each key in all ways. */
  step() {
    for (let key = 0; key < this.#highest.length; key++) {
      const name = keyOf(key)
      this.#handles[key] ??= this.#near.getHandle(name)
      const handle = this.#handles[key]
      this.#see(key, 'get in the store', this.#native.get(name))
      if (handle !== undefined) this.#seeHandle(key, this.#near.get(handle))
      this.#see(key, 'get', this.#near.get(name))
      if (!this.#near.has(name)) this.#isGone[key] = true
      if (handle !== undefined) this.#seeHandle(key, handle.get())
      this.#see(key, 'get', this.#near.get(name))
      this.reads += 4
    }
  }

  #see(key, how, number) {
    if (number === undefined) {
      this.#isGone[key] = true
      return
    }
    const highest = this.#highest[key]
    if (number > highest) {
      this.#highest[key] = number
      this.#isGone[key] = false
      this.#isOfHandle[key] = false
    } else if (number < highest || this.#isGone[key]) {
      const gone = this.#isGone[key] ? ', which was gone' : ''
      this.wrong ??= `${how} of key ${key} gave ${number} after ${highest}${gone}`
    }
  }

  #seeHandle(key, number) {
    if (number !== undefined) {
      this.#see(key, 'get of a handle', number)
      this.#isOfHandle[key] ||= number === this.#highest[key]
      return
    }
    this.#handles[key] = undefined
    if (this.#isOfHandle[key]) this.#isGone[key] = true
  }
}

module.exports = { Reader, Writer }
