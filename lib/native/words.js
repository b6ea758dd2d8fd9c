'use strict'

// Version words of one map, as this thread sees them. A word changes whenever its entry does, in whatever thread, and
// is read without a call.

const { binding } = require('./attach.js')

const {
  changes: changesBinding,
  commitWord: commitWordBinding,
  hitLog: hitLogBinding,
  replayHits: replayHitsBinding,
  words: wordsBinding
} = binding

/** Above this number of kept chunks, `tidy` looks for cleared ones. */
const FIRST_SWEEP = 64

/** Chunks that `tidy` looks at. */
const TIDIED_PER_CALL = 64

/** Hits of entries with a higher slot number are not recorded; that takes four billion entries. */
const MAX_TICKET = 2 ** 32 - 1

class Words {
  #id
  /** Signed, so that each word is a small integer to the engine. @type {Map<number, Int32Array>} */
  #chunks = new Map()
  #nextSweep = FIRST_SWEEP
  /** Where `tidy` goes on. @type {Iterator<[number, Int32Array]> | undefined} */
  #tidied

  /** @param {number} id */
  constructor(id) {
    this.#id = id
  }

  /**
   * The words of a chunk, wrapped on first use.
   *
   * @param {number} chunk
   * @returns {Int32Array | null} null if the engine refuses the memory or the chunk was freed
   */
  of(chunk) {
    const known = this.#chunks.get(chunk)
    return known === undefined ? this.#wrap(chunk) : known
  }

  /** Releases all chunks. */
  forget() {
    this.#chunks.clear()
    this.#nextSweep = FIRST_SWEEP
  }

  /** Releases some of the chunks that another thread cleared, if there are any. */
  tidy() {
    this.#tidied ??= this.#chunks.entries()
    for (let look = 0; look < TIDIED_PER_CALL; look++) {
      const { value, done } = this.#tidied.next()
      if (done) {
        this.#tidied = undefined
        return
      }
      const [chunk, words] = value
      if (words[0] === 0) this.#chunks.delete(chunk)
    }
  }

  /** @param {number} chunk */
  #wrap(chunk) {
    const unsigned = wordsBinding(this.#id, chunk)
    if (unsigned === null) return null
    if (this.#chunks.size >= this.#nextSweep) this.#sweep()
    const words = new Int32Array(unsigned.buffer, unsigned.byteOffset, unsigned.length)
    this.#chunks.set(chunk, words)
    return words
  }

  /**
   * Releases chunks that any thread cleared: their words are 0 for good, and while this thread holds them, their memory
   * stays. A chunk in use may look the same for a moment; it is wrapped again when it is needed.
   */
  #sweep() {
    for (const [chunk, words] of this.#chunks) if (words[0] === 0) this.#chunks.delete(chunk)
    this.#nextSweep = Math.max(FIRST_SWEEP, this.#chunks.size * 2)
  }
}

/**
 * How often each shard of a map changed, at even distances; no words where the engine refuses them.
 *
 * @param {number} id
 */
const changesOf = id => changesBinding(id) ?? new Uint32Array(0)

/** In place of a word that the engine refuses: without it, no copies are kept either. */
const NO_COMMITS = new Uint32Array(1)

/**
 * The word that is odd while a commit changes entries of a map, and another even number after each.
 *
 * @param {number} id
 */
const commitWordOf = id => commitWordBinding(id) ?? NO_COMMITS

/** The hits of this thread in one map, in order, for a policy that goes by it. Native code reads and empties it. */
class HitLog {
  #id
  #shards
  /** The number of recorded hits, and the hits. @type {Uint32Array | null} */
  #words

  /**
   * @param {number} id
   * @param {number} shards
   */
  constructor(id, shards) {
    this.#id = id
    this.#shards = shards
    this.#words = hitLogBinding(id)
  }

  /**
   * The number of an entry in the log. It is unique as long as it fits in 32 bits.
   *
   * @param {number} shard
   * @param {number} slot
   */
  ticketOf(shard, slot) {
    return slot * this.#shards + shard
  }

  /** @param {{ shard: number, slot: number }} handle */
  noteHandle({ shard, slot }) {
    this.note(this.ticketOf(shard, slot))
  }

  /** @param {{ ticketAt: (place: number) => number }} copies @param {number} place */
  noteKey(copies, place) {
    this.note(copies.ticketAt(place))
  }

  /** @param {{ ticket: number }} guest */
  noteGuest({ ticket }) {
    this.note(ticket)
  }

  /** @param {number} ticket */
  note(ticket) {
    const words = this.#words
    if (words === null || ticket > MAX_TICKET) return
    const noted = words[0] + 1
    words[noted] = ticket
    words[0] = noted
    if (noted === words.length - 1) replayHitsBinding(this.#id)
  }
}

module.exports = { HitLog, Words, changesOf, commitWordOf }
