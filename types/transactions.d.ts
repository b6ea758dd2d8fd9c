// biome-ignore-all lint/suspicious/noExplicitAny: a map without type arguments is a map of any, as Map is

// Transactions.

import type { Handle } from './handles.js'
import type { DeepReadonly, MapKey, Storable } from './keys-and-values.js'
import type { IncrementOptions, InsertOptions, WriteOptions } from './options.js'

/** Options of {@link TypedMap.transaction}. */
export interface TransactionOptions {
  /** How often the callback is called again when others changed what it had read. Default: 1,000 */
  readonly retries?: number | undefined
}

/** Options of {@link Transaction.increment}. */
export type TransactionIncrementOptions<N extends number | bigint> = Omit<IncrementOptions<N>, 'withTtl' | 'at'>

/**
 * Reads of one moment, and writes that are made all at once or not at all. {@link TypedMap.transaction} hands one to
 * its callback, {@link TypedMap.begin} returns one.
 *
 * Nothing is locked between two calls. What others change meanwhile is noticed by the next read, or by the commit: no
 * read returns a value that was not there at one moment with everything that the transaction has read before. Each
 * call throws `ERR_TRANSACTION_CONFLICT` from then on; `details.keys` has the keys that others have changed.
 *
 * A transaction is about at most 1,024 keys and handles, and 16 MB of keys and of values that it writes
 * (`ERR_TRANSACTION_TOO_LARGE`). Every method throws `ERR_TRANSACTION_CLOSED` once it is over.
 */
export interface Transaction<K extends MapKey | Handle = MapKey, V extends Storable<V> = any> {
  /**
   * The value of a key or handle: what the transaction has written, or what is in the map. Always a native call, whose
   * time grows with the number of keys that were read before.
   */
  get<T extends V>(handle: Handle<T>): DeepReadonly<T> | undefined
  /** The same for a key, or a handle of any type. */
  get(key: K | Handle<V>): DeepReadonly<V> | undefined

  /** The values of keys and handles, in their order; as `get` of each. */
  getMany(items: Iterable<K | Handle<V>>): (DeepReadonly<V> | undefined)[]

  /** Whether there is an entry. A read like `get`. */
  has(key: K | Handle<V>): boolean

  /**
   * Sets a value, which is copied now and seen by others after the commit. The entry of a handle has to be there. A
   * native call.
   *
   * @throws `ERR_HANDLE_NOT_FOUND` and others of a dead handle; otherwise as `set` of the map, but for limits, which
   * refuse the commit
   */
  set<T extends V>(handle: Handle<T>, value: NoInfer<T>, options?: WriteOptions): this
  /** The same for a key, or a handle of any type. */
  set(key: K | Handle<V>, value: V, options?: WriteOptions): this

  /**
   * Writes what `callback` makes of a value, and returns what a read of it would. The callback gets a copy of its own,
   * `undefined` for a missing key, and is called once; `undefined` removes the entry. The entry of a handle has to be
   * there. A read like `get` and a write like `set`.
   *
   * @throws what the callback throws, after which the transaction goes on as if nothing had been asked for; TypeError
   * with `ERR_VALUE_NOT_SERIALIZABLE`, also for a promise; otherwise as `set`
   */
  update<T extends V>(
    handle: Handle<T>,
    callback: (value: T) => NoInfer<T> | undefined,
    options?: WriteOptions
  ): DeepReadonly<T> | undefined
  /** The same for a key, or a handle of any type. */
  update(
    key: K | Handle<V>,
    callback: (value: V | undefined) => V | undefined,
    options?: WriteOptions
  ): DeepReadonly<V> | undefined

  /** Deletes an entry; returns whether there was one. A read like `get`. */
  delete(key: K | Handle<V>): boolean

  /**
   * Adds an entry without a key. The handle can be read and written within this transaction at once. Everywhere else it
   * has no entry until the commit, which makes it the handle of the new entry: `handle.get()` throws
   * `ERR_HANDLE_NOT_FOUND` until then.
   */
  insert<T extends V>(value: T, options?: InsertOptions): Handle<T>

  /**
   * Adds to a number or a bigint, and returns what it is then; as `increment` of the map, of which it takes all options
   * but `withTtl` and `at`.
   */
  increment(key: K | Handle<V>, by?: number, options?: TransactionIncrementOptions<number>): number
  /** The same for a bigint. */
  increment(key: K | Handle<V>, by: bigint, options?: TransactionIncrementOptions<bigint>): bigint

  /**
   * Makes all writes in one moment. Only for a transaction from {@link TypedMap.begin}.
   *
   * Evicts entries as single writes do, but none that the transaction has read or writes.
   *
   * @throws `ERR_TRANSACTION_CONFLICT` if others changed what it has read; it is over then. `ERR_MEMORY_LIMIT` and
   * others of a full map: nothing is written, and it can be committed once there is room.
   */
  commit(): void

  /** Forgets all writes. Only for a transaction from {@link TypedMap.begin}. */
  rollback(): void

  /** Rolls back what is not over, so that `using` can declare it. */
  [Symbol.dispose](): void
}
