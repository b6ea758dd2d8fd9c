'use strict'

// The end of one `open` of a map, by a call or because the map was collected. What waits for the latter knows the
// number of the map and no more of it: the near cache of a map holds handles, and handles hold the map.

const { binding } = require('../native/attach.js')

const { abandon: abandonBinding, close: closeBinding } = binding

/** Releases maps that have become unreachable. @type {FinalizationRegistry<Lifeline>} */
const unreachable = new FinalizationRegistry(lifeline => lifeline.abandon())

class Lifeline {
  isEnded = false
  #id
  /** Called with the number of the map. @type {Set<(id: number) => void>} */
  #endings = new Set()

  /** @param {number} id */
  constructor(id) {
    this.#id = id
  }

  /**
   * Releases the `open` when `map` is collected without having been closed.
   *
   * @param {object} map
   */
  watch(map) {
    unreachable.register(map, this, this)
  }

  /**
   * Has `ending` called with the number of the map at the end; once, however often this is asked for.
   *
   * @param {(id: number) => void} ending it holds nothing of the map
   */
  atEnd(ending) {
    this.#endings.add(ending)
  }

  /**
   * Ends what ends with the map, and releases it.
   *
   * @param {() => void} before comes between the two
   */
  end(before) {
    unreachable.unregister(this)
    this.#end()
    before()
    closeBinding(this.#id)
  }

  /** The map is unreachable. The thread itself keeps holding a named one. */
  abandon() {
    this.#end()
    abandonBinding(this.#id)
  }

  #end() {
    this.isEnded = true
    for (const ending of this.#endings) ending(this.#id)
  }
}

module.exports = { Lifeline }
