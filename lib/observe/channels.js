'use strict'

// The channels of `node:diagnostics_channel`, for tools that watch every map of a thread without its program's help.
//
// As long as a channel has no subscriber, nothing is built or called for it: no probe, no listener. Node tells nothing
// of a subscription, so the channels themselves do: each has methods of its own in front of those of its class. They
// are held here, because Node forgets a channel that nothing holds, and they are asked when the package is loaded,
// because a tool may have subscribed before.
//
// Channels belong to a thread. `get`, `set` and `remove` are of the calls of this thread, and published within the
// call, in its async context. `evict`, `expire` and `error` are published in each thread that has the map open and has
// a subscriber, some time later, whichever thread caused them: most entries expire in a thread without JavaScript. No
// message holds a value, and no subscription keeps a map open.

const diagnostics = process.getBuiltinModule('node:diagnostics_channel')
const { attempt } = require('../native/attempt.js')
const { greetAll } = require('../session/opens.js')
const { hearErrors } = require('./logs.js')
const { hearRemovals } = require('./removals.js')
const { HANDLE_GET } = require('./operations.js')
const { probeAll, surround } = require('./probes.js')

/** @typedef {import('node:diagnostics_channel').Channel} Channel */
/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */
/** @typedef {import('./probes.js').Call} Call */

const PREFIX = 'typed-superdashmap'

// An operation may be of several channels: `getOrInsert` reads an entry or writes it.
const READS = ['get', 'getByHandle', HANDLE_GET, 'getMany', 'getOrInsert', 'getOrInsertComputed']
const WRITES = [
  ...['set', 'insert', 'insertWithHandle', 'replace', 'update', 'increment', 'compareAndSet'],
  ...['getOrInsert', 'getOrInsertComputed', 'setMany', 'insertMany', 'updateMany']
]
const REMOVALS = ['delete', 'remove', 'update', 'deleteMany', 'deleteWhere', 'deletePrefix', 'clear']

/** Methods of a channel after which it may have a subscriber, or none any more. */
const SUBSCRIBING = /** @type {const} */ (['subscribe', 'unsubscribe', 'bindStore', 'unbindStore'])

/** Steps of a traced call. */
const STEPS = /** @type {const} */ (['start', 'end', 'asyncStart', 'asyncEnd', 'error'])

/** Channels, and what looks at them: for as long as this evaluation is reached. @type {Set<object>} */
const held = new Set()

/** What looks at a channel, of all evaluations of the package. */
const LOOKS = Symbol.for('typed-superdashmap:looks')

/**
 * A channel, and what tells when it is subscribed to. The channel does not keep the evaluation alive.
 *
 * @param {string} name
 * @param {() => void} look called after each change
 * @returns {Channel}
 */
function watched(name, look) {
  const channel = /** @type {any} */ (diagnostics.channel(name))
  /** @type {Set<WeakRef<() => void>>} */
  const looks = channel[LOOKS] ?? looksOf(channel)
  for (const reference of looks) if (reference.deref() === undefined) looks.delete(reference)
  looks.add(new WeakRef(look))
  held.add(channel).add(look)
  return channel
}

/**
 * Has a channel tell of subscriptions: the first evaluation of the thread does it for all.
 *
 * @param {any} channel
 */
function looksOf(channel) {
  /** @type {Set<WeakRef<() => void>>} */
  const looks = new Set()
  for (const method of SUBSCRIBING) {
    const value = (/** @type {any[]} */ ...args) => {
      // The class of a channel is another one while it has subscribers.
      const result = Reflect.apply(Object.getPrototypeOf(channel)[method], channel, args)
      for (const reference of looks) reference.deref()?.()
      return result
    }
    Object.defineProperty(channel, method, { value, writable: true, configurable: true })
  }
  Object.defineProperty(channel, LOOKS, { value: looks })
  return looks
}

/**
 * Has something going while a channel has subscribers.
 *
 * @param {string} name
 * @param {(channel: Channel) => () => void} start returns what ends it
 */
function whileSubscribed(name, start) {
  /** @type {(() => void) | undefined} */
  let stop
  const look = () => {
    if (channel.hasSubscribers === (stop !== undefined)) return
    if (stop === undefined) stop = start(channel)
    else {
      stop()
      stop = undefined
    }
  }
  const channel = watched(`${PREFIX}:${name}`, look)
  look()
}

/**
 * Publishes calls of this thread that did not fail.
 *
 * @param {string} name
 * @param {readonly string[]} operations
 * @param {(call: Call) => object | undefined} messageOf `undefined` for none
 */
function publishCalls(name, operations, messageOf) {
  whileSubscribed(name, channel =>
    probeAll(operations, call => {
      const message = call.hasFailed ? undefined : messageOf(call)
      if (message !== undefined) channel.publish(message)
    })
  )
}

/**
 * Publishes messages about a map, which it does not hold: a function of its own, because functions that are made in one
 * place hold what any of them uses.
 *
 * @param {Channel} channel
 * @param {WeakRef<OpenMap>} reference
 * @returns {(message: object) => void}
 */
function publisher(channel, reference) {
  return message => {
    const map = reference.deref()?.map
    if (map !== undefined) channel.publish({ map, ...message })
  }
}

/**
 * Publishes what native code tells of the maps that this thread has open.
 *
 * @param {string} name
 * @param {(open: OpenMap, publish: (message: object) => void) => () => void} hear returns what ends it
 */
function publishEvents(name, hear) {
  /** By the id of the open map. @type {Map<number, () => void>} */
  const ends = new Map()
  // One for all subscriptions: each map keeps what it calls at its end.
  const forget = (/** @type {number} */ id) => ends.delete(id)
  whileSubscribed(name, channel => {
    const endGreeting = greetAll(open => {
      const publish = publisher(channel, new WeakRef(open))
      const end = attempt(() => hear(open, publish))
      if (end === undefined) return
      ends.set(open.id, end)
      open.atEnd(forget)
    })
    return () => {
      endGreeting()
      for (const end of ends.values()) end()
      ends.clear()
    }
  })
}

/**
 * Traces calls as `TracingChannel` does, without their result: that is a value.
 *
 * @param {string} operation
 * @param {(map: any, args: readonly any[]) => object} contextOf
 */
function trace(operation, contextOf) {
  /** @type {(() => void) | undefined} */
  let stop
  const look = () => {
    const isSubscribed = STEPS.some(step => channels[step]?.hasSubscribers)
    if (isSubscribed === (stop !== undefined)) return
    stop?.()
    stop = isSubscribed
      ? surround(operation, (map, args, run) => tracedCall(channels, contextOf(map, args), run))
      : undefined
  }
  /** @type {Record<string, Channel>} */
  const channels = {}
  for (const step of STEPS) channels[step] = watched(`tracing:${PREFIX}:${operation}:${step}`, look)
  look()
}

/**
 * @param {Record<string, Channel>} channels by step
 * @param {Record<string, any>} context
 * @param {() => any} run
 */
function tracedCall({ start, end, asyncStart, asyncEnd, error }, context, run) {
  const fail = (/** @type {unknown} */ reason) => {
    context.error = reason
    error.publish(context)
  }
  const settle = () => {
    asyncStart.publish(context)
    asyncEnd.publish(context)
  }
  return start.runStores(context, () => {
    try {
      const result = run()
      if (!(result instanceof Promise)) return result
      return result.then(
        value => {
          settle()
          return value
        },
        reason => {
          fail(reason)
          settle()
          throw reason
        }
      )
    } catch (reason) {
      fail(reason)
      throw reason
    } finally {
      end.publish(context)
    }
  })
}

/**
 * What a message says of a call: a batch has `keys` in place of a key.
 *
 * @param {Call} call
 * @returns {Record<string, any>}
 */
const about = ({ map, operation, key, keys }) =>
  keys === undefined ? { map, operation, key } : { map, operation, keys }

/** @param {Call} call */
function readMessage(call) {
  const { hit, hits } = call
  return hits === undefined ? { ...about(call), hit } : { ...about(call), hits }
}

/** A batch may have written nothing, too. @param {Call} call */
const writeMessage = call =>
  call.wrote === false || call.hits === 0 || call.keys?.length === 0 ? undefined : about(call)

/** @param {Call} call */
function removeMessage(call) {
  const { map, operation, hit, count, hits, wrote } = call
  if (operation === 'clear') return { map, operation, cause: 'cleared' }
  // A batch or a query.
  const removed = hits ?? count
  if (removed !== undefined) {
    if (removed === 0) return undefined
    return call.keys === undefined
      ? { map, operation, count, cause: 'explicit' }
      : { ...about(call), hits, cause: 'explicit' }
  }
  return hit && wrote !== true ? { ...about(call), cause: 'explicit' } : undefined
}

/** Makes the channels. */
function openChannels() {
  publishCalls('get', READS, readMessage)
  publishCalls('set', WRITES, writeMessage)
  publishCalls('remove', REMOVALS, removeMessage)
  for (const [name, cause] of [
    ['evict', 'evicted'],
    ['expire', 'expired']
  ]) {
    publishEvents(name, (open, publish) =>
      hearRemovals(open, [cause], ({ key, dropped }) => publish(dropped > 0 ? { cause, dropped } : { key, cause }))
    )
  }
  publishEvents('error', (open, publish) =>
    hearErrors(open, error => publish({ operation: error.details.operation, error }))
  )
  trace('getOrLoad', (map, [key]) => ({ map, operation: 'getOrLoad', key }))
  trace('getManyOrLoad', map => ({ map, operation: 'getManyOrLoad' }))
  trace('transaction', map => ({ map, operation: 'transaction' }))
}

module.exports = { openChannels }
