// Scans and filters.

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
   * grows with the length of a key and no faster.
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
}
