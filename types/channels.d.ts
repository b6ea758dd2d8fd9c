// biome-ignore-all lint/suspicious/noExplicitAny: a channel has the messages of all maps of its thread

// What the channels of `node:diagnostics_channel` publish. No message holds a value.

import type { TypedMapError } from './errors.js'
import type { TypedMap } from './map.js'

/** `typed-superdashmap:get`: a read of one entry by this thread. */
export interface GetMessage {
  /** The map, as this thread opened it. */
  map: TypedMap<any, any>
  /** The method; `handle.get` for that of a handle. */
  operation: 'get' | 'getByHandle' | 'handle.get'
  /** The key as it was given, or the handle. */
  key: any
  /** Whether the entry was there. */
  hit: boolean
}

/** `typed-superdashmap:set`: a write of one entry by this thread. */
export interface SetMessage {
  /** The map, as this thread opened it. */
  map: TypedMap<any, any>
  /** The method. */
  operation: 'set' | 'insert' | 'insertWithHandle' | 'replace' | 'update' | 'increment'
  /** The key as it was given, or the handle. */
  key: any
}

/** `typed-superdashmap:remove`: an entry that this thread removed by a call. */
export interface RemoveMessage {
  /** The map, as this thread opened it. */
  map: TypedMap<any, any>
  /** The method. */
  operation: 'delete' | 'remove'
  /** The key as it was given, or the handle. */
  key: any
  /** Why it is gone. */
  cause: 'explicit'
}

/**
 * `typed-superdashmap:evict` and `typed-superdashmap:expire`: an entry that is gone, whichever thread caused it. If
 * this thread was busy for too long, `dropped` says how many messages there would have been in place of this one.
 */
export type LossMessage = {
  /** The map, as this thread opened it. */
  map: TypedMap<any, any>
  /** Why it is gone. */
  cause: 'evicted' | 'expired'
} & (
  | {
      /** The key; the handle of an entry without one. */
      key: any
      /** Not in a message of one entry. */
      dropped?: never
    }
  | {
      /** Messages that there would have been. */
      dropped: number
      /** Not in a message of many. */
      key?: never
    }
)

/** `typed-superdashmap:error`: what a map threw, in any thread. */
export interface ErrorMessage {
  /** The map, as this thread opened it. */
  map: TypedMap<any, any>
  /** The operation that failed. */
  operation: string
  /** The error. */
  error: TypedMapError
}

/**
 * The context of the tracing channels `typed-superdashmap:getOrLoad` and `typed-superdashmap:transaction`. It has
 * `error` once the call has failed, and never the `result`.
 */
export interface TraceContext {
  /** The map, as this thread opened it. */
  map: TypedMap<any, any>
  /** The method. */
  operation: 'getOrLoad' | 'transaction'
  /** The key as it was given, of `getOrLoad`. */
  key?: any
  /** What the call threw, or its promise was rejected with. */
  error?: unknown
}
