// biome-ignore-all lint/suspicious/noExplicitAny: a channel has the messages of all maps of its thread

// What the channels of `node:diagnostics_channel` publish. No message holds a value.

import type { TypedMapError } from './errors.js'
import type { TypedMap } from './map.js'

/** `typed-superdashmap:get`: a call of this thread that reads. One that writes what is missing publishes to both. */
export type GetMessage = {
  /** The map, as this thread opened it. */
  map: TypedMap<any, any>
} & (
  | {
      /** The method; `handle.get` for that of a handle. */
      operation: 'get' | 'getByHandle' | 'handle.get' | 'getOrInsert' | 'getOrInsertComputed'
      /** The key as it was given, or the handle. */
      key: any
      /** Whether the entry was there. */
      hit: boolean
    }
  | {
      /** The method. */
      operation: 'getMany'
      /** Keys as they were given, and handles. */
      keys: readonly any[]
      /** How many of the values are not `undefined`. */
      hits: number
    }
)

/** `typed-superdashmap:set`: a call of this thread that has written. */
export type SetMessage = {
  /** The map, as this thread opened it. */
  map: TypedMap<any, any>
} & (
  | {
      /** The method. */
      operation:
        | 'set'
        | 'insert'
        | 'insertWithHandle'
        | 'replace'
        | 'update'
        | 'increment'
        | 'compareAndSet'
        | 'getOrInsert'
        | 'getOrInsertComputed'
      /** The key as it was given, or the handle. */
      key: any
    }
  | {
      /** The method. */
      operation: 'setMany' | 'insertMany' | 'updateMany'
      /** Keys as they were given, and handles. */
      keys: readonly any[]
    }
)

/** `typed-superdashmap:remove`: a call of this thread that has removed entries. */
export type RemoveMessage = {
  /** The map, as this thread opened it. */
  map: TypedMap<any, any>
} & (
  | {
      /** The method; an update whose function returns `undefined`. */
      operation: 'delete' | 'remove' | 'update'
      /** The key as it was given, or the handle. */
      key: any
      /** Why it is gone. */
      cause: 'explicit'
    }
  | {
      /** The method. */
      operation: 'deleteMany'
      /** Keys as they were given, and handles. */
      keys: readonly any[]
      /** How many of their entries were there. */
      hits: number
      /** Why they are gone. */
      cause: 'explicit'
    }
  | {
      /** The method; published once the query is done. */
      operation: 'deleteWhere' | 'deletePrefix'
      /** How many entries it removed. */
      count: number
      /** Why they are gone. */
      cause: 'explicit'
    }
  | {
      /** The method. */
      operation: 'clear'
      /** Why all entries are gone. */
      cause: 'cleared'
    }
)

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
 * The context of the tracing channels `typed-superdashmap:getOrLoad`, `:getManyOrLoad` and `:transaction`. It has
 * `error` once the call has failed, and never the `result`.
 */
export interface TraceContext {
  /** The map, as this thread opened it. */
  map: TypedMap<any, any>
  /** The method. */
  operation: 'getOrLoad' | 'getManyOrLoad' | 'transaction'
  /** The key as it was given, of `getOrLoad`. */
  key?: any
  /** What the call threw, or its promise was rejected with. */
  error?: unknown
}
