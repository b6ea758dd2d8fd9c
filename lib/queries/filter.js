'use strict'

// Handles of the entries for which a function of the user returns a true value. It goes through the map as a scan does,
// and lets the event loop have a turn whenever it has taken two milliseconds of one.

const { GONE } = require('../codec/values.js')
const { Walked } = require('../entries/walked.js')
const { binding, scratch } = require('../native/attach.js')
const { SCRATCH, STEP_ROW } = require('../native/layout.js')
const { handleAt } = require('../native/rows.js')
const { now, soon } = require('../native/timer.js')
const { Subscription } = require('../observe/turns.js')
const { checkFunction } = require('../options/checks.js')
const { wrongType } = require('../errors.js')
const { refused } = require('../session/refusals.js')
const { PROGRESS_MS, readJobOptions } = require('./find.js')
const { valueAt } = require('./page.js')

const { scan: scanBinding, size: sizeBinding } = binding

/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */
/** @typedef {import('../handle.js').Handle} Handle */
/** @typedef {import('./find.js').JobOptions} JobOptions */

const { COUNT, NEXT_SHARD, NEXT_SLOT } = SCRATCH

/** What it may take of one turn of the event loop, with what the function takes that is running then. */
const TURN_MS = 2
/** Entries that are fetched at once. */
const PAGE = 128

/** The time of one turn of the event loop after the other. */
class Turns {
  #end = now() + TURN_MS

  get isOver() {
    return now() >= this.#end
  }

  /** Resolves in a later turn. A pending immediate keeps the event loop alive. */
  async next() {
    await new Promise(resolve => soon(() => resolve(undefined)))
    this.#end = now() + TURN_MS
  }
}

/** Tells a listener how far a search is, now and then. */
class Reports {
  #open
  #listener
  #due = now() + PROGRESS_MS

  /** @param {OpenMap} open @param {NonNullable<JobOptions['onProgress']>} onProgress */
  constructor(open, onProgress) {
    this.#open = open
    this.#listener = new Subscription(onProgress)
  }

  /** Comes between two turns, so the map is open. @param {number} seen @param {number} found */
  tell(seen, found) {
    if (now() < this.#due) return
    this.#due = now() + PROGRESS_MS
    this.#listener.call({ seen, found, total: sizeBinding(this.#open.id) })
  }
}

/**
 * @param {OpenMap} open
 * @param {(value: any, key: any) => unknown} predicate
 * @param {JobOptions} options
 * @returns {Promise<Handle[]>}
 */
async function filter(open, predicate, { limit, type, signal, onProgress }) {
  /** @type {Handle[]} */
  const handles = []
  const turns = new Turns()
  const reports = onProgress === undefined ? undefined : new Reports(open, onProgress)
  let seen = 0
  let [shard, slot] = [0, 0]
  while (shard < open.shards) {
    signal?.throwIfAborted()
    const walked = new Walked(PAGE, open)
    const cells = scanBinding(open.id, shard, slot, PAGE, undefined, type, walked.words)
    shard = scratch[NEXT_SHARD]
    slot = scratch[NEXT_SLOT]
    walked.begin(scratch[COUNT], cells)
    for (let index = 0; index < walked.count; index++) {
      if (turns.isOver) {
        await turns.next()
        signal?.throwIfAborted()
        open.check()
        reports?.tell(seen, handles.length)
      }
      seen++
      const key = walked.takeKey(index)
      const value = valueAt(open, walked, index)
      if (value !== GONE && isTrue(predicate(value, key))) {
        handles.push(handleAt(open.origin, walked.words, index * STEP_ROW))
        if (handles.length === limit) return handles
      }
    }
    // Many pages without entries may follow each other.
    if (turns.isOver) await turns.next()
  }
  return handles
}

/** What a predicate says. A promise is always true, and its user meant what it resolves to. @param {any} answer */
function isTrue(answer) {
  if (typeof answer === 'object' && answer !== null && typeof answer.then === 'function') {
    throw wrongType('the result of predicate', answer, 'a value that is no promise: a predicate is synchronous')
  }
  return Boolean(answer)
}

/** @param {import('../install.js').Access} access */
const methods = ({ openOf }) => ({
  /** @param {(value: any, key: any) => unknown} predicate @param {any} options */
  async filter(predicate, options = undefined) {
    const open = openOf(this)
    try {
      checkFunction('predicate', predicate)
      const read = readJobOptions(options, ['limit', 'type', 'signal', 'onProgress'])
      open.check()
      const handles = await filter(open, predicate, read)
      // Held until here, because an unreachable map is closed.
      openOf(this)
      return handles
    } catch (error) {
      throw refused(open, error)
    }
  }
})

module.exports = { methods }
