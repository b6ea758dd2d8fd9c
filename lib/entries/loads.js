'use strict'

// The loads of this thread: those that run their loader here, and those of other threads that are waited for here.
// Native code says which key is being loaded by which thread (src/store/shard/loads.rs) and gives notice of what comes
// of it. A load has a ticket, the number that native code knows it by here.

const { ERROR_NUMBERS, closed, createError, refreshFailed } = require('../errors.js')
const { ownBytes } = require('../codec/encoded.js')
const { GONE, decode, decodePrepared, decodeWritten, prepare } = require('../codec/values.js')
const { binding, onWake, scratch, scratchFloats } = require('../native/attach.js')
const { attempt } = require('../native/attempt.js')
const layout = require('../native/layout.js')
const { now, soon } = require('../native/timer.js')
const { MAPS_OWN } = require('../native/ttl.js')
const { readTtl } = require('../options/ttl.js')
const { refused } = require('../session/refusals.js')
const { writeNative } = require('../session/room-maker.js')
const { readError, writeError } = require('../session/thrown.js')
const { warn } = require('../session/unheard.js')
const { Abortion, Job, NoCall, runLoader } = require('./load-call.js')
const { watchLoads } = require('./running-loads.js')

const {
  beginLoad: beginBinding,
  beginRefresh: refreshBinding,
  completeLoad: completeBinding,
  failLoad: failBinding,
  listenLoads: listenBinding,
  size: sizeBinding,
  staleValue: staleBinding,
  takeLoad: takeBinding,
  wantLoad: wantBinding
} = binding

/** @typedef {import('../session/open-map.js').OpenMap} OpenMap */
/** @typedef {import('../session/room-maker.js').RoomMaker} RoomMaker */
/** @typedef {import('./load-call.js').Call} Call */
/** @typedef {InstanceType<typeof OpenLoads>} Loads */
/** @typedef {InstanceType<typeof Loading>} Load */

const { BEGUN, ENDED, FRESHNESS, KIND, LOAD_FAILURE, LOAD_TICKET, LOAD_TOKEN, NEED, NOTICES, SCRATCH, WAKE } = layout
const FIRST_BYTES = KIND.Uint8Array

/** What `beginLoad` says of a load that this thread has part in. */
const LOADS = new Set(/** @type {number[]} */ ([BEGUN.OWNED, BEGUN.JOINED, BEGUN.STALE_OWNED]))

/** What notices may take of one turn of the event loop. The step under way is finished, so it is a little more. */
const TURN_MS = 2

/** A load of an open map, for the calls that wait for it. */
class Loading {
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
    this.#run(call, token, call.loader, undefined)
  }

  /**
   * Runs a loader in the background.
   *
   * @param {number} token
   * @param {(key: any, given: any) => any} loader
   * @param {import('../options/load.js').LoadOptions} options
   * @param {any} stale
   */
  refresh(token, loader, options, stale) {
    this.need = NEED.NOTHING
    this.#run(new NoCall(options), token, loader, stale)
  }

  /**
   * @param {Call | NoCall} call
   * @param {number} token
   * @param {(key: any, given: any) => any} loader
   * @param {any} stale
   */
  #run(call, token, loader, stale) {
    const { key } = this
    const abortion = new Abortion(1)
    const job = new Job(key, token, call, abortion)
    const run = (/** @type {any} */ given) => Reflect.apply(loader, undefined, [key, given])
    this.follow(job, runLoader(this.loads.open, [job], abortion, stale, run))
  }

  /**
   * Goes on with what a loader brings that runs for this load.
   *
   * @param {Job} job
   * @param {Promise<any>} value
   */
  follow(job, value) {
    this.job = job
    value.then(
      value => this.#complete(job, value),
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
   * Hands a value out.
   *
   * @param {number} kind
   * @param {any} value
   * @param {() => any} decodeAgain bytes, and what a codec makes, belong to the caller: each call gets its own
   */
  resolve(kind, value, decodeAgain) {
    this.#end()
    let isTaken = false
    for (const call of this.calls) {
      try {
        call.resolve(isTaken && kind >= FIRST_BYTES ? decodeAgain() : value)
      } catch (error) {
        call.reject(error)
      }
      isTaken = true
    }
  }

  /**
   * Hands out what another thread has loaded.
   *
   * @param {number} kind
   * @param {any} raw
   */
  receive(kind, raw) {
    const { shapes } = this.loads.open
    try {
      this.resolve(kind, decode(shapes, kind, ownBytes(raw)), () => decode(shapes, kind, ownBytes(raw)))
    } catch (error) {
      this.reject(error)
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
   * @param {any} value
   */
  #complete(job, value) {
    if (this.isOver && this.job === job) return
    const { call } = job
    const { open, room } = this.loads
    try {
      const { ttl, negativeTtl, refreshAfter, staleFor } = call.options
      let [asked, isStored] = [MAPS_OWN, 1]
      if (value === undefined) [asked, isStored] = negativeTtl === undefined ? [MAPS_OWN, 0] : [negativeTtl, 1]
      else asked = typeof ttl === 'function' ? readTtl(Reflect.apply(ttl, undefined, [value])) : ttl
      const { kind, wire, known } = written(open, value)
      const { key } = this
      /** @type {[any, any, any, any, any, any, any, any]} */
      const parameters = [open.id, key, wire, kind, job.token, isStored, refreshAfter, staleFor]
      const ended = writeNative(room, asked, 'getOrLoad', completeBinding, 2, ...parameters)
      if (ended === ENDED.STORED) open.near.keep(key, kind, known, scratch, 0)
      if (ended === ENDED.FENCED) this.#finish(call, known)
      else this.resolve(kind, known, () => decodeWritten(open.shapes, kind, wire))
    } catch (error) {
      this.#fail(job, refused(open, error))
    }
  }

  /**
   * Answers the call of a loader whose load is another's by now.
   *
   * @param {Call | NoCall} call
   * @param {any} value
   */
  #finish(call, value) {
    call.resolve(value)
    if (this.calls.size === 0 && call.job === this.job && !this.isOver) this.#end()
  }

  /**
   * @param {Job} job
   * @param {unknown} error
   */
  #fail(job, error) {
    if (this.isOver && this.job === job) return
    const { open } = this.loads
    /** @type {number} */
    let failure = LOAD_FAILURE.NOT_OWNED
    try {
      failure = failBinding(open.id, this.key, job.token, writeError(error, job.call instanceof NoCall))
    } catch {
      // The map has ended, and so does all that waits for it.
    }
    if (failure === LOAD_FAILURE.UNHEARD && this.calls.size === 0) warn(refreshFailed(error), open.name)
    if (failure === LOAD_FAILURE.NOT_OWNED) job.call.reject(error)
    else this.reject(error)
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
    const prepared = prepare(shapes, value)
    const known = decodePrepared(shapes, prepared)
    if (known !== GONE) return { ...prepared, known }
    shapes.renew()
  }
}

/** The loads of an open map. */
class OpenLoads {
  isClosed = false
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
   * entry. Where the value of an expired one is kept, the call gets that, and the load is one in the background.
   *
   * @param {any} key
   * @param {Call} call
   * @param {(load: Load, token: number) => void} start called if the load is its own
   */
  begin(key, call, start) {
    const ticket = ++lastTicket
    if (this.#loads.size === 0) listenBinding(this.open.id, true)
    /** @type {number} */
    let begun = BEGUN.PRESENT
    try {
      begun = beginBinding(this.open.id, key, ticket)
    } finally {
      if (this.#loads.size === 0 && !LOADS.has(begun)) listenBinding(this.open.id, false)
    }
    if (begun === BEGUN.PRESENT) return false
    const token = scratchFloats[LOAD_TOKEN]
    if (begun === BEGUN.STALE || begun === BEGUN.STALE_OWNED) {
      const { id, shapes } = this.open
      const raw = staleBinding(id)
      const kind = scratch[SCRATCH.STATE]
      const stale = decode(shapes, kind, ownBytes(raw))
      if (begun === BEGUN.STALE_OWNED) this.#add(key, ticket).refresh(token, call.loader, call.options, stale)
      call.resolve(stale)
      return true
    }
    const isOwner = begun === BEGUN.OWNED
    const load = this.#add(key, isOwner ? ticket : scratchFloats[LOAD_TICKET])
    load.add(call)
    load.need = isOwner ? NEED.OUTCOME : NEED.TURN
    if (isOwner) start(load, token)
    return true
  }

  /**
   * The load of a ticket.
   *
   * @param {any} key
   * @param {number} ticket
   */
  #add(key, ticket) {
    const load = this.#loads.get(ticket) ?? new Loading(this, key, ticket)
    this.#loads.set(ticket, load)
    all.set(this.open.id, this)
    watchLoads(all)
    return load
  }

  /**
   * Loads an entry again in the background, if it is time for that. Returns how it stands, one of FRESHNESS.
   *
   * @param {any} key
   * @param {(key: any, given: any) => any} loader
   * @param {import('../options/load.js').LoadOptions} options
   * @param {any} stale its value
   * @returns {number}
   */
  refresh(key, loader, options, stale) {
    const { id } = this.open
    const ticket = ++lastTicket
    const freshness = refreshBinding(id, key, ticket, options.refreshAfter)
    if (freshness !== FRESHNESS.OWNED) return freshness
    const token = scratchFloats[LOAD_TOKEN]
    if (this.#loads.size === 0) listenBinding(id, true)
    this.#add(key, ticket).refresh(token, loader, options, stale)
    return freshness
  }

  /** @param {Load} load */
  remove({ ticket }) {
    if (!this.#loads.delete(ticket) || this.#loads.size > 0 || this.isClosed) return
    all.delete(this.open.id)
    attempt(() => listenBinding(this.open.id, false))
  }

  /** What runs loaders here. */
  *jobs() {
    for (const { job } of this.#loads.values()) if (job !== undefined && !job.isOver) yield job
  }

  /** @param {unknown} reason */
  rejectAll(reason) {
    for (const load of this.#loads.values()) load.reject(reason)
  }

  /** Takes out one notice; whether there was one. */
  step() {
    const { id } = this.open
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
      case NOTICES.LOADED:
        load?.receive(scratch[SCRATCH.STATE], raw)
        break
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

  /** The map has ended for all threads, or was broken and is recovered by now: that has ended its loads as well. */
  #over() {
    const { id } = this.open
    try {
      sizeBinding(id)
    } catch (error) {
      this.rejectAll(error)
      return
    }
    for (const load of this.#loads.values()) {
      load.reject(createError(ERROR_NUMBERS.ERR_BROKEN, {}))
      // One that began since the recovery is rejected, too, and no other thread waits for it.
      attempt(() => wantBinding(id, load.key, load.ticket, NEED.NOTHING, load.job?.token ?? 0))
    }
  }
}

/** Tickets are not used again. */
let lastTicket = 0

/** Those with loads under way, by the id of the open map. @type {Map<number, OpenLoads>} */
const all = new Map()

/** All of them. @type {WeakMap<OpenMap, OpenLoads>} */
const loadsOfOpen = new WeakMap()

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
  const known = loadsOfOpen.get(open)
  if (known !== undefined) return known
  open.check()
  open.atEnd(forget)
  const loads = new OpenLoads(open, room, map)
  loadsOfOpen.set(open, loads)
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
