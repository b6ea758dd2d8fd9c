'use strict'

// The shapes of one open map, for writing and reading records: numbers that the map gave to them, and what each means.

const { UNPUBLISHED, ShapeTree } = require('./shape-tree.js')

/** @typedef {import('./record.js').Layout} Layout */

/** Shapes that are known at a time. Numbers are not assigned twice, so those of shapes that went would stay. */
const MAX_LAYOUTS = 8_192

/** The number of the shape of an array of numbers, which has no members. */
const BARE = 0

/** What an object without members takes of the heap, which has room for some; and for each of more than those. */
const OBJECT_BYTES = 56
const IN_OBJECT = 4
const WORD_BYTES = 16

class Shapes {
  tree
  /** How many objects this `open` of the map has written as text, by the reason. */
  texts = { first: 0, names: 0, refused: 0, large: 0, other: 0 }
  /** By number. @type {Map<number, Layout>} */
  #layouts = new Map()
  /** The one that was read last: most maps have few. */
  #lastNumber = BARE
  /** @type {Layout | undefined} */
  #last = undefined
  #define
  #publish

  /**
   * @param {(definition: string) => number} publish the number of a shape, UNPUBLISHED if the map has no place for it
   * @param {(number: number) => string | null} define the definition of a shape that still has entries
   * @param {import('./encoded.js').Codec | undefined} codec what stores the values of the map in place of all this
   */
  constructor(publish, define, codec) {
    /** Undefined if values are stored as JSON and as records. */
    this.codec = codec
    this.#define = define
    this.#publish = publish
    this.tree = this.#newTree()
  }

  /** Forgets which shapes are published. */
  renew() {
    this.tree = this.#newTree()
  }

  #newTree() {
    return new ShapeTree(definition => {
      const number = this.#publish(definition)
      if (number !== UNPUBLISHED) this.#add(number, definition)
      return number
    }, this.texts)
  }

  /**
   * What a number means. Undefined if no entry has that shape any more.
   *
   * @param {number} number not BARE
   * @returns {Layout | undefined}
   */
  layoutOf(number) {
    if (number === this.#lastNumber) return this.#last
    const layout = this.#layouts.get(number) ?? this.#learn(number)
    if (layout === undefined) return undefined
    this.#lastNumber = number
    this.#last = layout
    return layout
  }

  /** @param {number} number */
  #learn(number) {
    const definition = this.#define(number)
    return definition === null ? undefined : this.#add(number, definition)
  }

  /** @param {number} number @param {string} definition */
  #add(number, definition) {
    const layout = layoutFrom(JSON.parse(definition), false)
    if (this.#layouts.size >= MAX_LAYOUTS) this.#layouts.clear()
    this.#layouts.set(number, layout)
    return layout
  }
}

/**
 * @param {any[]} members as a definition lists them
 * @param {boolean} isRows
 * @returns {Layout}
 */
function layoutFrom(members, isRows) {
  const names = members.map(member => (typeof member === 'string' ? member : member[0]))
  return {
    names,
    inner: members.map(member => (typeof member === 'string' ? undefined : layoutFrom(member[1], member[2] === 1))),
    isRows,
    heapBytes: OBJECT_BYTES + Math.max(0, names.length - IN_OBJECT) * WORD_BYTES,
    isInherited: names.some(name => name in Object.prototype)
  }
}

module.exports = { BARE, Shapes, UNPUBLISHED }
