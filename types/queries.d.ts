// Scans, filters and queries.

import type { Handle } from './handles.js'
import type { DeepReadonly, MapKey, Storable } from './keys-and-values.js'

/** What a scan gives. */
export interface ScanOptions {
  /** Entries of a page, 100 by default. A hint: a page may have fewer, and never has more than 4,096. */
  count?: number | undefined
  /**
   * A glob that keys have to match, with the meaning that it has in Redis, but of characters in place of bytes: `*` is
   * any text, `?` one character, `[a-z]` one of these and `[^a-z]` one of all others, and after `\\` a character is
   * itself. At most 1,024 characters. Keys that are no strings match nothing. It is matched natively, in a time that
   * grows with the length of a key and no faster. It ignores case where the map does (`caseInsensitiveKeys`), and goes
   * through `normalizeKey` as keys do.
   */
  match?: string | undefined
  /** The name of the type that entries have to have been inserted with. */
  type?: string | undefined
}

/** A page of a scan. */
export interface ScanPage<K extends MapKey | Handle, V extends Storable<V>> {
  /** Where the next page begins; `'0'` at the end. */
  cursor: string
  /** Keys and values; a handle for a key where an entry has none. */
  entries: [K, DeepReadonly<V>][]
}

/** What {@link TypedMap.scanIterator} returns: for `for` and for `for await`. */
export interface ScanIterator<K extends MapKey | Handle, V extends Storable<V>>
  extends IterableIterator<[K, DeepReadonly<V>]> {
  /** Ends the scan. */
  return(): IteratorResult<[K, DeepReadonly<V>], undefined>
  /** The same iterator. */
  [Symbol.iterator](): ScanIterator<K, V>
  /** The rest of the entries, with a turn of the event loop before each page but the first. */
  [Symbol.asyncIterator](): AsyncGenerator<[K, DeepReadonly<V>], void, undefined>
}

/** What {@link TypedMap.filter} looks at, and when it ends. */
export interface FilterOptions {
  /** Ends after so many entries were found. Without it, all are looked at. */
  limit?: number | undefined
  /** The name of the type that entries have to have been inserted with; others are not looked at. */
  type?: string | undefined
  /** Ends the search; the promise rejects with its reason. */
  signal?: AbortSignal | undefined
  /**
   * Called between two turns of the event loop, 100 ms or more after the last time. What it throws is an uncaught
   * exception.
   */
  onProgress?: ((progress: JobProgress) => void) | undefined
}

/** What a value, or a part of one, is compared with in a {@link Query}: plain JSON, with finite numbers. */
export type QueryValue =
  | null
  | boolean
  | number
  | string
  | readonly QueryValue[]
  | { readonly [name: string]: QueryValue }

/** Tests of a value, or a part of one, all of which have to hold. */
export interface QueryOperators {
  /** Equal as JSON: numbers as numbers, objects whatever the order of their names. */
  readonly eq?: QueryValue
  /** Not equal. Holds where there is no such part. */
  readonly ne?: QueryValue
  /** Greater. Numbers are ordered among each other, and texts by their code units; nothing else is. */
  readonly gt?: number | string
  /** Greater or equal. */
  readonly gte?: number | string
  /** Less. */
  readonly lt?: number | string
  /** Less or equal. */
  readonly lte?: number | string
  /** Equal to one of these. */
  readonly in?: readonly QueryValue[]
  /** A text that begins so. */
  readonly startsWith?: string
  /** An array with an element that is equal, or a text with this part. */
  readonly contains?: QueryValue
  /** Whether there is such a part. */
  readonly exists?: boolean
}

/** What a part of a value is to be: operators, or a value that it equals. */
export type QueryTest = QueryOperators | null | boolean | number | string | readonly QueryValue[]

/**
 * Conditions on a value, all of which have to hold: tests of its parts by their JSON pointers (`''` is the value
 * itself), and `and`, `or` and `not`. An object under a pointer is always operators; any other value means `eq`.
 */
export interface QueryWhere {
  readonly [pointer: `/${string}`]: QueryTest
  /** The value itself. */
  readonly ''?: QueryTest
  /** All of these hold. */
  readonly and?: readonly QueryWhere[]
  /** One of these holds. */
  readonly or?: readonly QueryWhere[]
  /** This does not hold. */
  readonly not?: QueryWhere
}

/**
 * Which entries are asked for: plain JSON, of at most 64 KB, 16 objects and arrays inside each other and 256
 * conditions. An empty one asks for all.
 *
 * Where a pointer leads nowhere, `ne` and `not` hold and every other test fails. Values of different types are neither
 * equal nor ordered. A bigint, bytes and `undefined` are equal to nothing.
 *
 * @example
 * const query = {
 *   key: 'order:*',
 *   where: { '/status': 'open', '/total': { gte: 10, lt: 100 }, '/tags': { contains: 'x' } }
 * }
 */
export interface Query {
  /** A glob that keys have to match, as `match` of {@link ScanOptions}. */
  readonly key?: string
  /** Conditions on the value. */
  readonly where?: QueryWhere
}

/** How far a search is. */
export interface JobProgress {
  /** Entries that were looked at. */
  seen: number
  /** Entries that were found, or deleted. */
  found: number
  /** Entries that are in the map. */
  total: number
}

/** What ends {@link TypedMap.deletePrefix}. */
export interface DeletePrefixOptions {
  /** Ends the search; the promise rejects with its reason. */
  signal?: AbortSignal | undefined
  /** Called on this thread every 100 ms while the promise waits. What it throws is an uncaught exception. */
  onProgress?: ((progress: JobProgress) => void) | undefined
}

/** What {@link TypedMap.count} and {@link TypedMap.deleteWhere} look at, and when they end. */
export interface CountOptions extends DeletePrefixOptions {
  /** The name of the type that entries have to have been inserted with. */
  type?: string | undefined
}

/** The same for {@link TypedMap.find}. */
export interface FindOptions extends CountOptions {
  /** Ends after so many entries were found. Without it, all are looked at. */
  limit?: number | undefined
}
