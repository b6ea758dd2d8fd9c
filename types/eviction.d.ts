// biome-ignore-all lint/suspicious/noExplicitAny: a map without type arguments is a map of any, as Map is

// What a full map does: by name, or by a function of its user.

import type { Handle } from './handles.js'
import type { DeepReadonly, MapKey, Storable } from './keys-and-values.js'
import type { TypedMap } from './map.js'

/**
 * Which entry a full map evicts; upper case and underscores (`'LRU'`, `'S3_FIFO'`) are accepted too.
 *
 * - `'w-tinylfu'`: the default, with the best hit ratio over mixed loads.
 * - `'lru'`: the least recently used. Exact for one thread with `shards: 1`.
 * - `'lfu'`: the least frequently used.
 * - `'fifo'`: the oldest. Adds no cost to reads.
 * - `'sieve'`, `'s3-fifo'`: first in, first out, but spares entries that were used.
 * - `'ttl'`: the entry that expires soonest.
 */
export type EvictionStrategy =
  | 'lru'
  | 'lfu'
  | 'ttl'
  | 'fifo'
  | 'sieve'
  | 's3-fifo'
  | 'w-tinylfu'
  | 'LRU'
  | 'LFU'
  | 'TTL'
  | 'FIFO'
  | 'SIEVE'
  | 'S3_FIFO'
  | 'S3-FIFO'
  | 'W_TINYLFU'
  | 'W-TINYLFU'

/** What a full map does. */
export type OomStrategy =
  | 'evict'
  | 'reject'
  | 'evict-expired'
  | 'EVICT'
  | 'REJECT'
  | 'EVICT_EXPIRED'
  | {
      /** Evicts entries unused for so many milliseconds; if that does not make enough room, refuses the write. */
      evictIdle: number
    }

/** A candidate for eviction, given to an `evictionStrategy` function. Each getter costs a native call. */
export interface EvictionCandidate<K extends MapKey | Handle = any, V = any> {
  /** Its key; its handle if it has none, declare `K | Handle` if the map has such entries. */
  readonly key: K
  /** Its handle. */
  readonly handle: Handle<V>
  /** Its value, read as {@link TypedMap.peek} does. */
  readonly value: DeepReadonly<V> | undefined
  /** Bytes that it costs. */
  readonly bytes: number | undefined
  /** Milliseconds until it expires, `Infinity` if it never does. */
  readonly ttl: number | undefined
}

/**
 * A policy of your own: returns which entries to evict, as candidates, handles or keys; one or an array.
 *
 * It is called when a write finds no room, again and again until there is room. If it throws, returns nothing, or
 * returns only entries that are gone, the write fails with `ERR_EVICTION_FAILED`. It runs inside the write, so it has
 * to be quick, and it is not called for writes of its own.
 *
 * @param candidates up to 32 entries that the default policy would evict next, roughly in order
 * @param neededBytes the bytes that the write lacks, 0 if the map has `maxEntries` entries
 */
export type EvictionFunction<K extends MapKey | Handle = any, V = any> = (
  candidates: EvictionCandidate<K, V>[],
  neededBytes: number
) => EvictionCandidate<K, V> | Handle<V> | K | readonly (EvictionCandidate<K, V> | Handle<V> | K)[] | null | undefined

/**
 * A function that makes room itself, for example by archiving the oldest entries and deleting them.
 *
 * It is called at most once for each write that finds no room. Memory is freed in pages, so where values differ in
 * size it should free a few times `neededBytes`. If it throws or frees too little, the write fails with
 * `ERR_EVICTION_FAILED`, and what the function did stays.
 *
 * @param neededBytes the bytes that the write lacks, 0 if the map has `maxEntries` entries
 */
export type OomFunction<K extends MapKey | Handle = any, V extends Storable<V> = any> = (
  map: TypedMap<K, V>,
  neededBytes: number
) => unknown
