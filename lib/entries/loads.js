'use strict'

// The loads of this thread: those that run their loader here, and those of other threads that are waited for here.
// Native code says which key is being loaded by which thread (src/store/shard/loads.rs) and gives notice of what comes
// of it. A load has a ticket, the number that native code knows it by here.

const { closed } = require('../errors.js')
const { GONE, decode, decodeWritten, encode, kindOf, kindOfWire } = require('../codec/values.js')
const { binding, onWake, scratch, scratchFloats } = require('../native/attach.js')
const { attempt } = require('../native/attempt.js')
const layout = require('../native/layout.js')
const { now, soon } = require('../native/timer.js')
const { MAPS_OWN } = require('../native/ttl.js')
const { readTtl } = require('../options/ttl.js')
const { writeNative } = require('../session/room-maker.js')
const { Job } = require('./load-call.js')
const { readError, writeError } = require('./load-errors.js')

const {
  beginLoad: beginBinding,
  completeLoad: completeBinding,
  failLoad: failBinding,
  listenLoads: listenBinding,
  size: sizeBinding,
  takeLoad: takeBinding,
  wantLoad: wantBinding
} = binding

/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */
/** @typedef {import('../session/room-maker.js').RoomMaker} RoomMaker */
/** @typedef {import('./load-call.js').Call} Call */
/** @typedef {InstanceType<typeof OpenLoads>} Loads */

const { BEGUN, ENDED, KIND, LOAD_TICKET, LOAD_TOKEN, NEED, NOTICES, SCRATCH, WAKE } = layout
const FIRST_BYTES = KIND.Uint8Array

/** What notices may take of one turn of the event loop. The step under way is finished, so it is a little more. */
const TURN_MS = 2

/** A load of an open map, for the calls that wait for it. */
class Load {
  /** The calls that wait for it, the first one first. @type {Set<Call>} */
  calls = new Set()
  /** What runs the loader that counts, where that is here. @type {Job | undefined} */
  job
  /** What native code was told, one of NEED. @type {number} */
  need = NEED.TURN
  isOver = false

  /** @param {OpenLoads} loads @param {any} key @param {number} ticket */
  constructor(loads, key, ticket) {
    this.loads = loads
    this.key = key
    this.ticket = ticket
  }

  /** @param {Call} call */
  add(call) {
    this.calls.add(call)
    call.onEnd = () => this.#leave(call)
  }

  /**
   * Runs the loader of a call, which owns the load from now on.
   *
   * @param {Call} call
   * @param {number} token
   */
  start(call, token) {
    const { open } = this.loads
    const job = new Job(token, call)
    call.job = job
    this.job = job
    job.run(open, this.key, call.loader, undefined).then(
      value => this.#complete(job, call, value),
      error => this.#fail(job, error)
    )
  }

  /** Native code made this the owner. @param {number} token */
  take(token) {
    // One whose loader does not run already, if there is one.
    const call = [...this.calls].find(({ job }) => job === undefined || job.isOver) ?? this.calls.values().next().value
    if (call === undefined) return
    call.runInAsyncScope(() => this.start(call, token))
    this.need = NEED.OUTCOME
    if (!this.isOver) this.#review()
  }

  /**
   * Hands a value out. Bytes belong to the caller, so each call gets its own.
   *
   * @param {number} kind
   * @param {any} value
   */
  resolve(kind, value) {
    this.#end()
    let isTaken = false
    for (const call of this.calls) {
      call.resolve(isTaken && kind >= FIRST_BYTES ? value.slice() : value)
      isTaken = true
    }
  }

  /** @param {unknown} reason */
  reject(reason) {
    this.#end()
    for (const call of this.calls) call.reject(reason)
  }

  /** Nothing waits for it any more, and native code knows. */
  drop() {
    this.#end()
  }

  /** A loader that still runs brings nothing that anything waits for. */
  #end() {
    this.isOver = true
    this.loads.remove(this)
    this.job?.abort()
  }

  /** @param {Call} call */
  #leave(call) {
    this.calls.delete(call)
    // A loader whose load is another's by now runs for its call alone.
    if (call.job !== this.job) call.job?.abort()
    if (this.isOver) return
    try {
      this.#review()
    } catch {
      // The map has ended, and so does all that waits for it: notice comes of that.
    }
  }

  /** Tells native code what is wanted of the load, if that has changed. */
  #review() {
    const { job, calls } = this
    const isTurn = [...calls].some(call => job === undefined || call !== job.call)
    /** @type {number} */
    let need = NEED.TURN
    if (calls.size === 0) need = NEED.NOTHING
    else if (!isTurn) need = NEED.OUTCOME
    if (need === this.need) return
    this.need = need
    const isOwner = wantBinding(this.loads.open.id, this.key, this.ticket, need, job?.token ?? 0)
    if (calls.size === 0 && !isOwner) this.drop()
  }

  /**
   * Stores what a loader brought, unless the load is void or another's, and hands it out.
   *
   * @param {Job} job
   * @param {Call} call
   * @param {any} value
   */
  #complete(job, call, value) {
    if (this.isOver && this.job === job) return
    const { open, room } = this.loads
    try {
      const { ttl, negativeTtl } = call.options
      let [asked, isStored] = [MAPS_OWN, 1]
      if (value === undefined) [asked, isStored] = negativeTtl === undefined ? [MAPS_OWN, 0] : [negativeTtl, 1]
      else asked = typeof ttl === 'function' ? readTtl(Reflect.apply(ttl, undefined, [value])) : ttl
      const { kind, wire, known } = written(open, value)
      const { key } = this
      const parameters = /** @type {[any, any, any, any, any, any]} */ ([open.id, key, wire, kind, job.token, isStored])
      const ended = writeNative(room, asked, 'getOrLoad', completeBinding, 2, ...parameters)
      if (ended === ENDED.STORED) open.near.keep(key, kind, known, scratch, 0)
      if (ended === ENDED.FENCED) call.resolve(known)
      else this.resolve(kind, known)
    } catch (error) {
      this.#fail(job, error)
    }
  }

  /**
   * @param {Job} job
   * @param {unknown} error
   */
  #fail(job, error) {
    if (this.isOver && this.job === job) return
    let wasOwner = false
    try {
      wasOwner = failBinding(this.loads.open.id, this.key, job.token, writeError(error))
    } catch {
      // The map has ended, and so does all that waits for it.
    }
    if (wasOwner) this.reject(error)
    else job.call?.reject(error)
  }
}

/**
 * A value in the form in which it crosses, and as a read of it would return it.
 *
 * @param {OpenMap} open
 * @param {any} value
 */
function written({ shapes }, value) {
  for (;;) {
    const known = kindOf(value)
    const wire = encode(shapes, value, known)
    const kind = kindOfWire(known, wire)
    const read = decodeWritten(shapes, kind, wire)
    if (read !== GONE) return { kind, wire, known: read }
    shapes.renew()
  }
}

/** The loads of an open map. */
class OpenLoads {
  isClosed = false
  #lastTicket = 0
  /** By ticket. @type {Map<number, Load>} */
  #loads = new Map()

  /**
   * @param {OpenMap} open
   * @param {RoomMaker} room
   * @param {object} map held, because an unreachable map is closed
   */
  constructor(open, room, map) {
    this.open = open
    this.room = room
    this.map = map
  }

  /**
   * Begins a load of a key for a call, or has the call wait for the one that is under way; false if the key has an
   * entry.
   *
   * @param {any} key
   * @param {Call} call
   */
  begin(key, call) {
    const ticket = ++this.#lastTicket
    if (this.#loads.size === 0) listenBinding(this.open.id, true)
    /** @type {number} */
    let begun = BEGUN.PRESENT
    try {
      begun = beginBinding(this.open.id, key, ticket)
    } finally {
      if (this.#loads.size === 0 && begun === BEGUN.PRESENT) listenBinding(this.open.id, false)
    }
    if (begun === BEGUN.PRESENT) return false
    const isOwner = begun === BEGUN.OWNED
    const known = isOwner ? ticket : scratchFloats[LOAD_TICKET]
    const token = scratchFloats[LOAD_TOKEN]
    const load = this.#loads.get(known) ?? new Load(this, key, known)
    this.#loads.set(known, load)
    load.add(call)
    load.need = isOwner ? NEED.OUTCOME : NEED.TURN
    if (isOwner) load.start(call, token)
    return true
  }

  /** @param {Load} load */
  remove({ ticket }) {
    if (this.#loads.delete(ticket) && this.#loads.size === 0 && !this.isClosed) {
      attempt(() => listenBinding(this.open.id, false))
    }
  }

  /** @param {unknown} reason */
  rejectAll(reason) {
    for (const load of this.#loads.values()) load.reject(reason)
  }

  /** Takes out one notice; whether there was one. */
  step() {
    const { id, shapes } = this.open
    /** @type {any} */
    let raw
    try {
      raw = takeBinding(id)
    } catch (error) {
      this.#loads.get(scratchFloats[LOAD_TICKET])?.reject(error)
      return true
    }
    const load = this.#loads.get(scratchFloats[LOAD_TICKET])
    switch (scratch[SCRATCH.NOTICE]) {
      case NOTICES.NONE:
        return false
      case NOTICES.LOADED: {
        const kind = scratch[SCRATCH.STATE]
        load?.resolve(kind, decode(shapes, kind, raw))
        break
      }
      case NOTICES.FAILED:
        load?.reject(readError(raw))
        break
      case NOTICES.GRANTED:
        load?.take(scratchFloats[LOAD_TOKEN])
        break
      case NOTICES.UNWANTED:
        load?.drop()
        break
      default:
        this.#over()
    }
    return true
  }

  /** The map has ended for all threads. */
  #over() {
    try {
      sizeBinding(this.open.id)
    } catch (error) {
      this.rejectAll(error)
    }
  }
}

/** By the id of the open map. @type {Map<number, OpenLoads>} */
const all = new Map()

/** @param {number} id */
function forget(id) {
  const loads = all.get(id)
  if (loads === undefined) return
  all.delete(id)
  loads.isClosed = true
  loads.rejectAll(closed())
}

/**
 * The loads of an open map.
 *
 * @param {OpenMap} open
 * @param {RoomMaker} room
 * @param {object} map
 */
function loadsOf(open, room, map) {
  const known = all.get(open.id)
  if (known !== undefined) return known
  open.check()
  const loads = new OpenLoads(open, room, map)
  open.atEnd(forget)
  all.set(open.id, loads)
  return loads
}

/** Takes out the notices of an open map, as long as this turn of the event loop has time for it. @param {number} id */
function takeNotices(id) {
  const end = now() + TURN_MS
  while (all.get(id)?.step()) {
    if (now() < end) continue
    soon(() => takeNotices(id))
    return
  }
}

onWake(WAKE.LOADS, takeNotices)

module.exports = { loadsOf }
