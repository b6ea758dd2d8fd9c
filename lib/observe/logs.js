'use strict'

// `onLog` and `onError`: events of maps, delivered to the callbacks that this thread registered, from whatever thread
// caused them. `say` is how code in `lib/` logs a line of its own.

const { onWake } = require('../native/attach.js')
const { LEVEL, WAKE } = require('../native/layout.js')
const { checkFunction } = require('../options/checks.js')
const { readLogOptions } = require('../options/log.js')
const { Audience, LogListener, MapSubscription } = require('./audience.js')
const { watchOperations } = require('./operation-lines.js')

/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */
/** @typedef {import('./audience.js').LogLine} LogLine */

/** By the id of the open map. @type {Map<number, Audience>} */
const audiences = new Map()

/** @param {number} id */
function forget(id) {
  audiences.get(id)?.end()
  audiences.delete(id)
}

/**
 * What a listener of a program keeps open: a named map, which other threads can still write to. A map without a name is
 * used by this thread only, so no event of another thread can come, and it is collected although something listens.
 *
 * @param {OpenMap} open
 * @param {object} map
 */
const heldMap = ({ name }, map) => (name === null ? undefined : map)

/**
 * @template {'logs' | 'errors'} K
 * @param {OpenMap} open
 * @param {K} kind
 * @param {K extends 'logs' ? LogListener : MapSubscription} subscription
 * @returns {() => void} ends it
 */
function subscribe(open, kind, subscription) {
  const { id } = open
  const audience = audiences.get(id) ?? new Audience(open)
  const subscriptions = /** @type {Set<MapSubscription>} */ (audience[kind])
  subscriptions.add(subscription)
  try {
    audience.subscribe()
  } catch (error) {
    subscriptions.delete(subscription)
    throw error
  }
  open.atEnd(forget)
  audiences.set(id, audience)
  return () => {
    // Closing the map has ended it already.
    if (!subscriptions.delete(subscription) || audiences.get(id) !== audience) return
    audience.subscribe()
    if (audience.isEmpty()) forget(id)
  }
}

/**
 * Logs a line to the listeners of this thread, which get it some time later. Costs a look where there is none.
 *
 * @param {OpenMap} open
 * @param {keyof typeof LEVEL} level
 * @param {string} target one of TARGETS
 * @param {string} code
 * @param {string} message what happened, in words, without its figures
 * @param {Record<string, any>} details plain JSON, with units in the names
 */
function say({ id }, level, target, code, message, details) {
  const audience = audiences.get(id)
  if (audience === undefined) return
  for (const listener of audience.logs) {
    if (listener.wants(LEVEL[level], target)) return audience.say(level, target, code, message, details)
  }
}

/**
 * Has `hear` called with each error, for what watches all maps: it keeps none open.
 *
 * @param {OpenMap} open
 * @param {(error: any) => void} hear
 * @returns {() => void} ends it
 */
const hearErrors = (open, hear) => subscribe(open, 'errors', new MapSubscription(hear, undefined))

onWake(WAKE.EVENTS, id => audiences.get(id)?.wake())

/** @param {import('../install.js').Access} access */
const methods = ({ openOf }) => ({
  /** @param {(error: Error) => void} listener */
  onError(listener) {
    const open = openOf(this)
    checkFunction('listener', listener)
    return subscribe(open, 'errors', new MapSubscription(listener, heldMap(open, this)))
  },

  /** @param {(line: LogLine) => void} listener @param {any} options */
  onLog(listener, options = undefined) {
    const open = openOf(this)
    checkFunction('listener', listener)
    const read = readLogOptions(options, { level: open.logLevel, targets: open.logTargets })
    const end = subscribe(open, 'logs', new LogListener(listener, heldMap(open, this), read))
    const endOperations = watchOperations(open, read, say)
    return () => {
      endOperations()
      end()
    }
  }
})

module.exports = { hearErrors, methods, say }
