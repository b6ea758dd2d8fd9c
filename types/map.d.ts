/// <reference lib="esnext.disposable" />
// biome-ignore-all lint/suspicious/noExplicitAny: a map without type arguments is a map of any, as Map is

// The map itself. `index.d.ts` says in which units sizes, times and costs are given.

import type { Advice, DistributionOptions, Explanation, HotKey, MemoryDistribution } from './analysis.js'
import type { TypedMapError } from './errors.js'
import type {
  Change,
  ChangeOptions,
  DroppedRemovals,
  LogLine,
  LogOptions,
  PressureEvent,
  Removal,
  RemovalCause,
  RemovalWithoutValue
} from './events.js'
import type { Handle, HandleData } from './handles.js'
import type { DeepReadonly, MapKey, Storable } from './keys-and-values.js'
import type {
  Compared,
  FieldOptions,
  Incremented,
  IncrementOptions,
  InsertOptions,
  Limits,
  Loader,
  LoaderContext,
  LoadOptions,
  ReadOptions,
  Put,
  PutOptions,
  ShownOptions,
  TypedMapOptions,
  UpdateOptions,
  WriteOptions
} from './options.js'
import type {
  CountOptions,
  DeletePrefixOptions,
  FilterOptions,
  FindOptions,
  Query,
  ScanIterator,
  ScanOptions,
  ScanPage
} from './queries.js'
import type {
  NamedMap,
  ProcessMemory,
  Recovery,
  StatsOptions,
  TypedMapStats,
  Validation,
  WithRates,
  WithShards
} from './stats.js'
import type { TestClock, TestClockOptions } from './test-clock.js'
import type { InferInput, InferOutput, StandardSchemaV1, StorableSchema, TypedView } from './views.js'
import type { Transaction, TransactionOptions } from './transactions.js'

/** True for `any` alone. @internal */
type IsAny<T> = 0 extends 1 & T ? true : false

/** The type of a value inserted into a map of `any`. @internal */
type Stored<T> = [T] extends [Storable<T>] ? T : any

/** The map that {@link TypedMap.groupBy} makes: of any values, where JSON would change the items. @internal */
// @ts-ignore: the compiler does not see that the condition is the constraint; one that does shall not complain
type Grouped<K extends MapKey, T> = T[] extends Storable<T[]> ? TypedMap<K, T[]> : TypedMap<K, any>

/**
 * A map that all threads of the process share. It lives outside the JavaScript heap and reads like a `Map`.
 *
 * Values are copies: a write copies the value at the time of the call, and a read returns it frozen. Objects are
 * stored as `JSON.stringify` writes them, except that what it would empty (a promise, a `Map`, an `Error`) is refused.
 * Scalars are stored as they are, with `undefined`, `NaN`, `-0`, infinities and bigints; typed arrays and `Buffer` are
 * stored as bytes and come back as the same kind. With the option `codec`, a map stores other values too.
 *
 * An entry has a key, or only a handle ({@link TypedMap.insert}). Every method that takes a key takes a handle too.
 * Where keys are returned, an entry without a key has its handle in the key's place: a map with such entries has the
 * type `TypedMap<K | Handle, V>`. A map is a `ReadonlyMap` of its keys and of its values as they are read,
 * `DeepReadonly<V>`.
 *
 * Every method throws `ERR_CLOSED` after {@link TypedMap.close}, and a `TypeError` with `ERR_KEY_TYPE` for a value that
 * cannot be a key.
 *
 * @typeParam K the type of keys
 * @typeParam V the type of values
 * @example
 * const users = new TypedMap<string, { name: string }>()
 * users.set('ada', { name: 'Ada' })
 * users.get('ada')?.name //=> 'Ada'
 */
export declare class TypedMap<K extends MapKey | Handle = MapKey, V extends Storable<V> = any> {
  /**
   * Makes a map of this thread alone. It is freed when it is closed or no longer reachable. It cannot be cloned: from
   * Node.js 22.10 on, `structuredClone` and `postMessage` throw a `DataCloneError`, before that they return `{}`.
   *
   * @throws TypeError or RangeError with `ERR_INVALID_OPTION`
   * @example
   * const map = new TypedMap({ memoryLimit: '64mb' })
   */
  constructor(options?: TypedMapOptions)
  /**
   * Makes a map of entries, by calling `set` for each.
   *
   * @example
   * const map = new TypedMap([['a', 1], ['b', 2]])
   */
  constructor(iterable: Iterable<readonly [K, V]> | null | undefined, options?: TypedMapOptions)

  /**
   * Opens the map of this name, in any thread of the process, or makes it. Each call returns a reference of its own. A
   * thread holds the map from its first call until it has closed all references or ends. If the thread's last
   * reference is garbage-collected without being closed, the thread still holds the map, and its next call takes the
   * hold over. The map is freed when no thread holds it.
   *
   * On a derived class, `open(name, options)` runs its constructor with `options`, and the new object is this map.
   *
   * @param options those given must equal what the map was made with; limits may also equal the present ones.
   * `nearCache`, `logLevel`, `logTargets` and functions belong to this thread
   * @throws TypeError with `ERR_INVALID_OPTION`, also for options that differ; `details` name the option
   * @example
   * const sessions = TypedMap.open<string, Session>('sessions', { memoryLimit: '256mb' })
   */
  static open<K extends MapKey | Handle = MapKey, V extends Storable<V> = any>(
    name: string,
    options?: TypedMapOptions
  ): TypedMap<K, V>

  /**
   * Names of all maps that are open in any thread, in alphabetical order; with `details`, a few figures of each. That
   * costs some microseconds for each map, and a tenth of a millisecond for one with thousands of shards.
   *
   * @throws TypeError with `ERR_INVALID_OPTION` for bad options
   * @example
   * console.table(TypedMap.names({ details: true }))
   */
  static names(options?: { details?: false | undefined }): string[]
  static names(options: { details: true }): NamedMap[]

  /**
   * What all named maps of the process report, as OpenMetrics text for Prometheus; the label `map` is the name. Send it
   * with the content type `application/openmetrics-text; version=1.0.0; charset=utf-8`. A native call of some tens of
   * microseconds for each map, more where it measures latency, and two milliseconds with 4,096 shards. A map without a
   * name belongs to one thread, and only its own {@link TypedMap.metrics} knows it.
   *
   * @example
   * response.setHeader('Content-Type', 'application/openmetrics-text; version=1.0.0; charset=utf-8')
   * response.end(TypedMap.metrics())
   */
  static metrics(): string

  /**
   * Limits the bytes of all maps of the process together: in all threads, with names and without, with limits of their
   * own and without. It counts what {@link TypedMap.memoryUsage} of each map says, and is never exceeded: bytes are
   * reserved before they are allocated.
   *
   * When the limit is reached, maps with an eviction strategy make room: those with a `memoryLimit`, `maxEntries` or
   * `evictionStrategy`, whose `oomStrategy` is `'evict'`. The map that is written evicts its own entries first. If it
   * has none, may not, or uses less than half of what such maps use on average, the others evict, in proportion to what
   * they use. A write is refused with `ERR_MEMORY_LIMIT` (`details.scope` is `'process'`) when nothing may be evicted;
   * so is a new map. Maps whose `oomStrategy` or `evictionStrategy` is a function make room with that only.
   *
   * - From 80 % on, maps remove their expired entries, and free memory goes back to the system (log line
   *   `process.low` of every map).
   * - From 95 % on, or above a limit that was set below what is in use, a thread has maps evict, in proportion to what
   *   they use and some at a time, until 7 % are free (`process.pressure`).
   * - Below 78 %, that is over (`process.normal`).
   *
   * While more is in use than a new limit, nothing is added, and what is freed is not used again.
   *
   * Costs a write some instructions of a thousand while there is no limit, and an atomic operation for each page of
   * entries while there is one. Takes a microsecond for each map.
   *
   * @param limit as `memoryLimit`: bytes, text with a unit of 1024 (`'512mb'`), or `'auto'`; `null`, `undefined` and
   * `Infinity` mean none
   * @throws TypeError or RangeError with `ERR_INVALID_OPTION`
   * @example
   * TypedMap.setProcessLimit('512mb')
   */
  static setProcessLimit(limit: number | string | null | undefined): void

  /**
   * The bytes of all maps of the process, and their limit. Takes a microsecond for each map.
   *
   * @example
   * const { usedBytes, limitBytes } = TypedMap.processMemory()
   */
  static processMemory(): ProcessMemory

  /**
   * As {@link TypedMap.onPressure}, of all maps of the process and the limit that {@link TypedMap.setProcessLimit} has
   * set in any thread. If the listener returns `true` at a rise, maps with an eviction strategy evict entries, in
   * proportion to what they use, until the ratio is below that threshold. Keeps neither a map open nor the process
   * alive.
   *
   * @param options ratios above 0 and up to 1, `[0.8, 0.9, 0.95]` by default
   * @returns a function that unsubscribes
   * @throws TypeError or RangeError with `ERR_INVALID_OPTION`
   * @example
   * TypedMap.onProcessPressure((ratio, { state }) => gauge.record(ratio, { state }))
   */
  static onProcessPressure(
    listener: (ratio: number, event: PressureEvent) => unknown,
    options?: { thresholds?: readonly number[] | undefined }
  ): () => void

  /**
   * For tests: takes the time of all maps in hand that this thread has open or opens from now on, until `restore()` of
   * the result. Time stands still, and `advance(ms)` moves it; with `now`, it also follows what that shows. Without
   * this, fake timers of test runners do not reach a `ttl`: maps have a clock of their own.
   *
   * Other threads see the same time in the maps that they share with this one; their own maps run on. If several
   * threads set a clock for one map, each moves it, and it runs again when the last of them restores. A clock that was
   * set before in this thread ends.
   *
   * Not for production: entries do not expire while time stands still. Each map reports `clock.held` to `onLog`.
   *
   * @example
   * const clock = TypedMap.setClock()
   * map.set('token', 1, { ttl: 60_000 })
   * clock.advance(60_000)
   * map.get('token') //=> undefined
   * clock.restore()
   *
   * // In Jest and Vitest, after useFakeTimers()
   * TypedMap.setClock({ now: () => Date.now() })
   *
   * @throws TypeError with `ERR_INVALID_OPTION`
   */
  static setClock(options?: TestClockOptions): TestClock

  /**
   * Groups items by the key that `callback` returns, as `Map.groupBy` does. The groups are stored as JSON.
   *
   * @example
   * TypedMap.groupBy([1, 2, 3], n => (n % 2 === 0 ? 'even' : 'odd')).get('odd') //=> [1, 3]
   */
  static groupBy<K extends MapKey, T>(items: Iterable<T>, callback: (item: T, index: number) => K): Grouped<K, T>

  /** The constructor it is read from. */
  static get [Symbol.species](): typeof TypedMap

  /** `'TypedMap'` */
  readonly [Symbol.toStringTag]: string

  /** Number of entries, over all threads. A native call. */
  get size(): number

  /**
   * The options that the map was made with, and those that belong to this object: plain data, frozen, without functions
   * and secrets. The same object each time, also once the map was closed. Other options of the same name can be
   * compared with it, or opened: `TypedMap.open(name, map.options)` fits, unless there is a function. No native call.
   *
   * @example
   * new TypedMap({ memoryLimitMb: 1, evictionStrategy: 'LRU' }).options.memoryLimit //=> 1048576
   */
  get options(): ShownOptions

  /**
   * The value of a key or handle, `undefined` if there is none. Objects are frozen, and each read returns the same
   * object until a thread writes the entry or the near cache drops the copy; typed arrays are a fresh copy each time.
   *
   * Costs a few nanoseconds when the near cache has the value, and least by handle; otherwise a native call, and
   * `JSON.parse` for objects.
   *
   * @param options the name of the type that the entry must have, or more in an object
   * @throws `ERR_WRONG_TYPE`
   * @example
   * map.get('config')?.port
   * map.get(handle, 'Config')
   * const mine = map.get('config', { copy: true })
   */
  get(key: K | Handle<V>, options: FieldOptions & { as: 'f32' }): Float32Array | undefined
  get(key: K | Handle<V>, options: FieldOptions & { as: 'f64' }): Float64Array | undefined
  /**
   * One field of a value: what `get` without `at` returns, and then the pointer leads to; `undefined` if it leads
   * nowhere. Only own properties count, so `/length` of an array leads nowhere, and strings and typed arrays have none.
   * Objects are frozen, unless `copy` is `true`, and need not be the same at each read.
   *
   * Costs a walk if the near cache has the value. Otherwise a native call that finds the field without decoding the
   * others, and keeps nothing: of a value that is stored without its names, it passes over the fields before; of JSON
   * text, over all of the text, at about a tenth of what parsing it takes.
   *
   * @throws `ERR_WRONG_TYPE`; TypeError or RangeError with `ERR_INVALID_OPTION` for what is no JSON pointer
   * @example
   * map.get('user:1', { at: '/address/city' })
   * map.get('document:1', { at: '/embedding', as: 'f32' }) // a Float32Array
   */
  get(key: K | Handle<V>, options: FieldOptions & { as?: undefined }): any
  get<T extends V>(
    handle: Handle<T>,
    options?: string | (ReadOptions & { copy?: false | undefined })
  ): DeepReadonly<T> | undefined
  get<T extends V>(handle: Handle<T>, options: ReadOptions & { copy: true }): T | undefined
  get(key: K | Handle<V>, options?: string | (ReadOptions & { copy?: false | undefined })): DeepReadonly<V> | undefined
  get(key: K | Handle<V>, options: ReadOptions & { copy: true }): V | undefined

  /**
   * The same as `get` for handles alone.
   *
   * @throws TypeError with `ERR_KEY_TYPE` if the argument is not a handle
   */
  getByHandle(handle: Handle<V>, options: FieldOptions & { as: 'f32' }): Float32Array | undefined
  getByHandle(handle: Handle<V>, options: FieldOptions & { as: 'f64' }): Float64Array | undefined
  getByHandle(handle: Handle<V>, options: FieldOptions & { as?: undefined }): any
  getByHandle<T extends V>(
    handle: Handle<T>,
    options?: string | (ReadOptions & { copy?: false | undefined })
  ): DeepReadonly<T> | undefined
  getByHandle<T extends V>(handle: Handle<T>, options: ReadOptions & { copy: true }): T | undefined

  /** Whether there is an entry. A native call, except for a handle whose value the near cache has. */
  has(key: K | Handle<V>): boolean

  /**
   * Stores a value. A new key comes last in the order of the map; an existing key keeps its place. A handle must
   * have an entry. By key, an entry that had a type loses it; {@link TypedMap.ofType} sets values with a type.
   *
   * Costs a native call, and for objects the encoding as JSON. A full map evicts other entries for it, unless
   * `oomStrategy` says otherwise.
   *
   * @param options how long the entry lives
   * @throws `ERR_MEMORY_LIMIT`, `ERR_VALUE_TOO_LARGE`, `ERR_EVICTION_FAILED`, `ERR_OUT_OF_MEMORY`; TypeError with
   * `ERR_VALUE_NOT_SERIALIZABLE`; for a handle also what {@link TypedMap.replace} throws
   * @example
   * map.set('session', { user: 'ada' }, { ttl: 60_000 })
   */
  set(key: K | Handle<V>, value: V, options?: WriteOptions): this

  /** Deletes an entry and returns whether there was one. A native call. */
  delete(key: K | Handle<V>): boolean

  /** Deletes an entry and returns its value, `undefined` if there was none. A native call. */
  remove<T extends V>(handle: Handle<T>): DeepReadonly<T> | undefined
  remove(key: K | Handle<V>): DeepReadonly<V> | undefined

  /**
   * Makes room in the index for this many entries at once, so that it does not grow until there are more. Memory for
   * the entries themselves is allocated as they come.
   *
   * @throws {TypedMapError} `ERR_INVALID_OPTION` if `entries` is no integer from 0 to 2^32, `ERR_MEMORY_LIMIT` if so
   * much room does not fit under the limit.
   */
  reserve(entries: number): void

  /**
   * Frees room in the index that the entries do not need, whether it was reserved or remains from more entries. The
   * index shrinks step by step with the writes that follow.
   */
  shrinkToFit(): void

  /**
   * Whether tables of the index are resized by themselves; `true` by default. While it is `false`, a table grows only
   * when it would be more than 95 % full, whatever `maxLoadFactor` says, and does not shrink: for a bulk load, or for
   * a time in which entries come and go. What `reserve` and `shrinkToFit` ask for is done, and a growth under way goes
   * on. Where it is `true` again, a table that is too full grows with the next entry that it gets.
   *
   * It belongs to the map: any thread may set it, and it holds for all. `clear()` leaves it as it is. Setting it looks
   * at each shard once.
   *
   * @throws `ERR_INVALID_OPTION`, a `TypeError`, for what is no boolean
   */
  autoResize: boolean

  /**
   * Whether the index is growing or shrinking: entries of some shard are being moved to a table of another size. Each
   * write to that shard moves some, and {@link TypedMap.rehash} moves many.
   */
  readonly isMigrating: boolean

  /**
   * Brings the growing and shrinking of the index forward: moves entries to the new tables for about so many
   * milliseconds. Returns whether there is more to do. Nobody has to call it: it takes work from the writes that
   * follow, and a shard that no thread writes to keeps two tables until then. Reads and writes of other threads go on
   * meanwhile; a shard is locked for some microseconds at a time.
   *
   * @param ms above 0, up to 1,000
   * @throws `ERR_INVALID_OPTION` for any other
   * @example
   * while (map.rehash(2)) await new Promise(resolve => setImmediate(resolve))
   */
  rehash(ms: number): boolean

  /**
   * Deletes all entries, for all threads. Returns at once; memory is freed in the background. Handles made before are
   * invalid for good.
   */
  clear(): void

  /**
   * Adds to a number or a bigint and returns the result: one step for all threads, so no step is lost. A missing key
   * begins at `initial`, and gets the `ttl`; an entry that is there keeps its deadline, whatever `ttlOnUpdate` says and
   * with `sliding`, too. `by`, `initial`, `min` and `max` are all numbers or all bigints, as the value has to be.
   *
   * With `withTtl`, returns `{ value, ttl, changed }`. A result outside of `min` and `max` is `changed: false` then,
   * and no exception: `value` is the value that is there, or `initial` if there is none.
   *
   * With `at`, counts a number inside of an object. The next value is made natively of the one that is stored, without
   * decoding it; only a name that the object does not have yet is added here, by decoding and encoding it.
   *
   * Costs a native call: about as much as `set` of a number. With `at`, a time that grows with the length of the value,
   * in which no lock is held.
   *
   * @throws `ERR_WRONG_TYPE` if the value is no number (or no bigint), or if `at` leads to something else, or nowhere;
   * `ERR_OUT_OF_RANGE` if the result is outside of `min` and `max`, is no number up to 2^53 − 1 away from 0, or a
   * bigint of more than 4,096 bits; TypeError or RangeError with `ERR_INVALID_OPTION`; otherwise as `set`. The entry is
   * as it was.
   * @example
   * map.increment('visits') //=> 1
   * // At most 100 in each minute.
   * const { changed } = map.increment(ip, 1, { max: 100, ttl: 60_000, withTtl: true })
   * users.increment('ada', 1, { at: '/visits' })
   */
  increment(key: K | Handle<V>, by: bigint, options: IncrementOptions<bigint> & { withTtl: true }): Incremented<bigint>
  increment(key: K | Handle<V>, by: bigint, options?: IncrementOptions<bigint> & { withTtl?: false }): bigint
  increment(
    key: K | Handle<V>,
    by: number | undefined,
    options: IncrementOptions<number> & { withTtl: true }
  ): Incremented<number>
  increment(key: K | Handle<V>, by?: number, options?: IncrementOptions<number> & { withTtl?: false }): number

  /**
   * The value of a key; if there is none, the given value is stored first. This is atomic: no other thread's write
   * comes in between.
   *
   * Costs a native call unless the near cache has the value.
   *
   * @param options how long an entry made here lives
   * @throws as `set`
   */
  getOrInsert(key: K | Handle<V>, value: V, options: PutOptions & { withState: true }): Put<DeepReadonly<V>>
  getOrInsert(key: K | Handle<V>, value: V, options?: PutOptions & { withState?: false }): DeepReadonly<V>

  /**
   * The value of a key; if there is none, the result of `callback` is stored first. The result overwrites a value that
   * another thread stores while the callback runs; with `withState`, it does not, and that value is returned.
   *
   * @param options how long an entry made here lives
   * @throws as `set`, and what the callback throws
   * @example
   * const page = pages.getOrInsertComputed(path, render)
   */
  getOrInsertComputed(
    key: K | Handle<V>,
    callback: (key: K) => V,
    options: PutOptions & { withState: true }
  ): Put<DeepReadonly<V>>
  getOrInsertComputed(
    key: K | Handle<V>,
    callback: (key: K) => V,
    options?: PutOptions & { withState?: false }
  ): DeepReadonly<V>

  /**
   * The value of a key; if there is none, what `loader` brings, which is stored. Among all threads of the process one
   * loader runs for each key at a time; the other calls wait for it, and block no event loop.
   *
   * - `undefined` is returned and not stored, unless `negativeTtl` says for how long. If the loader throws, all calls
   *   that wait are rejected, in other threads with an error of the same name, message, `code` and `details`, and
   *   nothing is stored.
   * - A loader has a minute before the first call that waits runs its own. So it does when the thread of the loader
   *   ends or closes the map. What the first loader brings after that is its own call's, and is not stored.
   * - A `set`, a `delete` (also of the missing key), a `clear` or any other change of that key that a program asks for
   *   makes a load void: calls that wait get the value, and nothing is stored. Calls that come after that load anew.
   *   Eviction, expiry, `touch` and a write that was refused do not.
   * - With `refreshAfter`, an entry that is older is loaded again in the background by the first call that reads it;
   *   its loader gets the value that is there as `stale`.
   * - With `staleFor`, the value of an entry that has expired is handed out for so long while one loader refreshes it.
   * - A loader that waits for its own key, in one async context, is rejected with `ERR_INVALID_OPTION`.
   * - A key that is there costs what `get` does and a promise; `options` are not looked at if the near cache has it. A
   *   call with a handle is a read, and rejects if the handle is dead.
   *
   * A call that waits keeps the event loop alive.
   *
   * @returns rejects with what the loader threw; `ERR_TIMEOUT`; the reason of `signal`; `ERR_CLOSED`; otherwise with
   * what `set` throws
   * @example
   * const user = await users.getOrLoad(id, async (id, { signal }) => {
   *   const response = await fetch(`https://users.example/${id}`, { signal })
   *   return response.ok ? response.json() : undefined
   * }, { ttl: 60_000, negativeTtl: 5_000 })
   */
  getOrLoad<T extends V>(handle: Handle<T>, loader: Loader<K, T>, options?: LoadOptions<T>): Promise<DeepReadonly<T>>
  getOrLoad(
    key: K,
    loader: (key: K, given: LoaderContext<V>) => V | PromiseLike<V>,
    options?: LoadOptions<V>
  ): Promise<DeepReadonly<V>>
  getOrLoad(key: K | Handle<V>, loader: Loader<K, V>, options?: LoadOptions<V>): Promise<DeepReadonly<V> | undefined>

  /**
   * The values of many keys, in their order; `loadMany` brings those that are missing, except for keys that another
   * call or thread is loading, which are waited for. It gets an array of keys and returns an array of as many values,
   * or a promise for one. What is said of {@link TypedMap.getOrLoad} holds for each key.
   *
   * Costs a native call for all keys, and one or two for each that is missing.
   *
   * @returns rejects as `getOrLoad` does, with the first key that cannot be had; TypeError with `ERR_INVALID_OPTION` if
   * `loadMany` returns anything else than an array with a value for each key
   * @example
   * const users = await map.getManyOrLoad(ids, ids => database.users(ids), { ttl: 60_000 })
   */
  getManyOrLoad(
    keys: Iterable<K | Handle<V>>,
    loadMany: (keys: K[], given: LoaderContext<V>) => readonly V[] | PromiseLike<readonly V[]>,
    options?: LoadOptions<V>
  ): Promise<DeepReadonly<V>[]>
  getManyOrLoad(
    keys: Iterable<K | Handle<V>>,
    loadMany: (
      keys: K[],
      given: LoaderContext<V>
    ) => readonly (V | undefined)[] | PromiseLike<readonly (V | undefined)[]>,
    options?: LoadOptions<V>
  ): Promise<(DeepReadonly<V> | undefined)[]>

  /**
   * Writes what `callback` makes of a value, and returns what a read of it would. The callback gets a copy of its own,
   * `undefined` for a missing key. It is called again, with what is there by then, if the entry has changed meanwhile,
   * so it should do nothing else than to compute. `undefined` removes the entry. A handle must have an entry.
   *
   * No lock is held while the callback runs. Costs two native calls for each attempt, and what decoding and encoding
   * the value takes.
   *
   * @throws `ERR_TRANSACTION_CONFLICT` if the entry changed during each attempt; what the callback throws; TypeError
   * with `ERR_VALUE_NOT_SERIALIZABLE`, also for a promise; otherwise as `set`
   * @example
   * carts.update('ada', (cart = { items: [] }) => ({ items: [...cart.items, 'tea'] }))
   */
  update<T extends V>(
    handle: Handle<T>,
    callback: (value: T) => NoInfer<T> | undefined,
    options?: UpdateOptions
  ): DeepReadonly<T> | undefined
  update(
    key: K | Handle<V>,
    callback: (value: V | undefined) => V | undefined,
    options?: UpdateOptions
  ): DeepReadonly<V> | undefined

  /**
   * Sets the value of an entry if it equals the expected one. `value` is what is there afterwards, as a read returns
   * it. One step for all threads: no write of another thread comes between the comparison and the write.
   *
   * Values are equal as those of JSON are, in whichever way they are stored: objects with equal members in any order,
   * arrays with equal elements in the same one. A value counts as what it is read as, so a date equals its text. Of
   * scalars, `NaN` equals itself, `-0` is 0, and `1n` is not 1. Bytes are equal with the same content and the same
   * class. `undefined` equals a stored `undefined` alone: a missing key equals nothing, {@link TypedMap.getOrInsert} is
   * for that. A handle must have an entry.
   *
   * Costs a native call, which copies and compares the value: a time that grows with the length of both, in which no
   * lock is held.
   *
   * @param options how long the entry lives if its value is set
   * @throws as `set`, for `expected`, too
   * @example
   * jobs.compareAndSet('42', { state: 'new' }, { state: 'taken', by: threadId }).swapped
   */
  compareAndSet<T extends V>(
    handle: Handle<T>,
    expected: NoInfer<T> | DeepReadonly<NoInfer<T>> | undefined,
    next: NoInfer<T>,
    options?: WriteOptions
  ): Compared<DeepReadonly<T>>
  compareAndSet(
    key: K | Handle<V>,
    expected: V | DeepReadonly<V> | undefined,
    next: V,
    options?: WriteOptions
  ): Compared<DeepReadonly<V> | undefined>

  /**
   * Runs `callback` with a {@link Transaction}, commits what it has written, and returns what it returns. The callback
   * is called again, whatever it threw, if others changed what it had read, so it should do nothing else than to read
   * and write. What it throws otherwise undoes its writes and is thrown on. A plain `map.set` inside is outside of the
   * transaction.
   *
   * No lock is held while the callback runs. A commit waits for no reader; it holds the locks of all the shards that it
   * is about for some microseconds.
   *
   * @throws `ERR_TRANSACTION_CONFLICT` if others changed what it had read during each attempt; TypeError with
   * `ERR_INVALID_OPTION` if the callback returns a promise; `ERR_TRANSACTION_CLOSED` inside of another callback of this
   * map; what the callback throws; otherwise as `set`
   * @example
   * accounts.transaction(tx => {
   *   tx.set('ada', tx.get('ada') - 10)
   *   tx.set('bob', tx.get('bob') + 10)
   * })
   */
  transaction<T>(callback: (transaction: Transaction<K, V>) => T, options?: TransactionOptions): T

  /**
   * Begins a transaction that ends with its `commit` or `rollback`. One that nothing reaches any more is rolled back.
   *
   * @example
   * const tx = accounts.begin()
   * tx.increment('visits')
   * tx.commit()
   */
  begin(): Transaction<K, V>

  /**
   * Keys in the order in which they were first set; a handle for each entry without a key. Iterators are live: they
   * visit entries that are added and skip entries that are deleted before they reach them. The order is exact for
   * entries of one thread; entries that several threads add at the same moment may be in any order.
   *
   * Costs a native call for each batch of up to 256 entries.
   */
  keys(): ReturnType<ReadonlyMap<K, unknown>['keys']>
  /** Values in the order of `keys`. */
  values(): ReturnType<ReadonlyMap<K, DeepReadonly<V>>['values']>
  /** Keys and values in the order of `keys`. */
  entries(): ReturnType<ReadonlyMap<K, DeepReadonly<V>>['entries']>
  /** The same as `entries`. */
  [Symbol.iterator](): ReturnType<ReadonlyMap<K, DeepReadonly<V>>['entries']>
  /** Calls `callback` for each entry, in the order of `keys`. */
  forEach(callback: (value: DeepReadonly<V>, key: K, map: this) => void, thisArg?: any): void

  /**
   * A page of entries, in no particular order, and the cursor of the next page. A scan begins with the cursor `'0'` and
   * is over when a page has the cursor `'0'`. An entry that is in the map from the first page to the last is given
   * exactly once, whatever is added, deleted or replaced meanwhile, and however often the map grows, shrinks or is
   * cleared. One that comes or goes meanwhile is given once or not at all; a key that is deleted and set again is two
   * entries.
   *
   * Nothing is kept between two pages: a cursor is a text, which any thread that has the map open can go on with, at
   * any time, or never. A scan counts as no read and keeps no copies.
   *
   * A page costs a native call. It ends after `count` entries, but no page has more than 4,096, or goes on once it has
   * come to 256 KB or taken a millisecond. So it may have fewer entries, or none, and the scan still goes on.
   *
   * @throws TypeError or RangeError with `ERR_INVALID_OPTION` for a cursor that is not of this map, and for options
   * that do not exist
   * @example
   * let cursor = '0'
   * do {
   *   const page = map.scan(cursor, { count: 1_000, match: 'user:*' })
   *   for (const [key, value] of page.entries) console.log(key, value)
   *   cursor = page.cursor
   * } while (cursor !== '0')
   */
  scan(cursor: string, options?: ScanOptions): ScanPage<K, V>
  /**
   * The entries that {@link TypedMap.scan} gives, page by page, with the same guarantee.
   *
   * `for await` lets the event loop have a turn before each page but the first. `for` does not: with a `match` or a
   * `type` that few entries have, one step may go through many pages.
   *
   * @throws as `scan`
   * @example
   * for await (const [key, value] of map.scanIterator({ match: 'user:*' })) console.log(key, value)
   */
  scanIterator(options?: ScanOptions): ScanIterator<K, V>

  /**
   * The key of an entry drawn at random, each as likely as any other; a handle if it has none; `undefined` in an empty
   * map, and in one that for a moment holds next to nothing but entries that have just expired. A native call. Counts
   * as no read. The randomness is that of `Math.random`.
   */
  randomKey(): K | undefined
  /** The same with the value. */
  randomEntry(): [K, DeepReadonly<V>] | undefined

  /**
   * Handles of the entries for which `predicate` returns a true value, in no particular order. An entry that is in the
   * map all the while is looked at exactly once, as by {@link TypedMap.scan}, and each at a moment of its own.
   *
   * `predicate` runs on this thread, which has a turn of its event loop after two milliseconds each. What it throws
   * rejects the promise.
   *
   * @throws TypeError with `ERR_INVALID_OPTION` for a predicate that is no function or returns a promise; the reason of
   * `signal` once that is aborted; `ERR_CLOSED`. All of them reject the promise.
   * @example
   * const large = await files.filter(file => file.size > 1e6, { limit: 10 })
   */
  filter(predicate: (value: DeepReadonly<V>, key: K) => unknown, options?: FilterOptions): Promise<Handle<V>[]>

  /**
   * Handles of the entries that a query asks for, in no particular order. An entry that is in the map all the while is
   * looked at exactly once, and each at a moment of its own; a handle may have lost its entry before it is given.
   *
   * The query is asked natively, by threads that all maps of the process share: one less than there are processors, and
   * at least one, below normal priority. Jobs take turns; at most 64 wait or are under way at a time. This thread only
   * makes the handles, some in each turn of its event loop. The process stays alive until the promise is settled.
   *
   * @throws TypeError with `ERR_INVALID_QUERY` for what is no query, where `details.at` says where in it; with
   * `ERR_INVALID_OPTION` for another option; `ERR_WRONG_TYPE` for `where` in a map with a codec that is not JSON;
   * `ERR_TOO_MANY_JOBS`; the reason of `signal`, also if that was aborted before; `ERR_CLOSED`, also if the map is
   * closed or destroyed meanwhile. All of them reject the promise.
   * @example
   * const where = { '/status': 'open', '/total': { gte: 10 } }
   * const open = await orders.find({ key: 'order:*', where }, { limit: 100 })
   */
  find(query: Query, options?: FindOptions): Promise<Handle<V>[]>

  /**
   * How many entries a query asks for. As {@link TypedMap.find}, without the handles.
   *
   * @throws as `find`
   * @example
   * const open = await orders.count({ where: { '/status': 'open' } })
   */
  count(query: Query, options?: CountOptions): Promise<number>

  /**
   * Deletes the entries that a query asks for, and says how many. An entry is deleted only as it was when it matched:
   * one that another thread has written since is looked at again, and stays if it does not match any more. After a
   * rejection, those that were deleted by then are. A `getOrLoad` that began before stores nothing if the query's `key`
   * asks for its key, whatever `where` says.
   *
   * @throws as `find`
   * @example
   * const where = { '/status': 'closed', '/at': { lt: Date.now() - 86_400_000 } }
   * const deleted = await orders.deleteWhere({ where })
   */
  deleteWhere(query: Query, options?: CountOptions): Promise<number>

  /**
   * Deletes the entries whose keys are strings that begin with `prefix`, of which nothing is special as in a glob, and
   * says how many. An empty prefix is that of each string. As {@link TypedMap.deleteWhere} in everything else.
   *
   * @throws TypeError with `ERR_INVALID_OPTION` for a prefix that is no string; as `find`
   * @example
   * await cache.deletePrefix('user:17:')
   */
  deletePrefix(prefix: string, options?: DeletePrefixOptions): Promise<number>

  /**
   * A view of the entries of one type: those that were inserted with it or through a view of it. Making one is cheap; a
   * map has views of up to 256 types in each thread that opens it.
   *
   * @param name of the type, at most 4,096 bytes
   * @param schema checks each value that is written through this view, before it is written: what it makes of the value
   * is stored. Its types are those of the view. Any validator with the interface of Standard Schema
   * @throws TypeError or RangeError with `ERR_INVALID_OPTION`; a write does, too, if the schema is asynchronous
   * @example
   * const users = map.ofType('User', z.object({ name: z.string(), age: z.coerce.number() }))
   * users.set('ada', { name: 'Ada', age: '36' })
   * users.get('ada')?.age //=> 36
   * users.set('bob', { name: 1 }) // throws ERR_VALIDATION
   */
  ofType<T extends V = V>(name: string): TypedView<K, T>
  ofType<S extends StandardSchemaV1<any, V>>(
    name: string,
    schema: S & StorableSchema<S>
  ): TypedView<K, InferOutput<S>, InferInput<S>>

  /**
   * Stores a value without a key and returns its handle. Costs a native call, and for objects the encoding as JSON.
   *
   * @throws as `set`
   * @example
   * const handle = map.insert({ host: 'localhost', port: 8080 }, { type: 'Config' })
   * map.get(handle)?.port //=> 8080
   */
  insert<T extends V = V>(
    value: IsAny<V> extends true ? T : NoInfer<T>,
    options?: InsertOptions
  ): Handle<IsAny<V> extends true ? Stored<T> : T>

  /** The same as `set`, but returns the handle of the entry. */
  insertWithHandle(key: K | Handle<V>, value: V, options?: WriteOptions): Handle<V>

  /** The handle of a key's entry, `undefined` if there is none. A native call. */
  getHandle(key: K | Handle<V>): Handle<V> | undefined

  /**
   * Replaces the value of a handle's entry; the handle stays valid. A native call.
   *
   * @throws `ERR_HANDLE_NOT_FOUND`, `ERR_HANDLE_INVALIDATED`, `ERR_GENERATION_MISMATCH` or `ERR_INVALID_SHARD_INDEX`
   * if there is no entry; otherwise as `set`
   */
  replace<T extends V>(handle: Handle<T>, value: NoInfer<T>, options?: WriteOptions): this

  /**
   * Makes a handle from the plain data that `postMessage`, `structuredClone` or JSON delivered, in any thread that has
   * the map open. Does not check whether its entry is there. A handle that this map object made is returned as it is,
   * one that another made is made anew.
   *
   * @throws `ERR_HANDLE_INVALIDATED` if it belongs to another map; `ERR_INVALID_SHARD_INDEX` or `ERR_HANDLE_NOT_FOUND`
   * if no entry can be there; TypeError with `ERR_INVALID_OPTION` for other data
   * @example
   * const config = map.get(map.handle(workerData.config))
   */
  handle<T extends V = V>(data: HandleData): Handle<T>

  /**
   * The values of keys and handles in their order, `undefined` for each that is missing. Of a commit, it sees all
   * writes or none; other writes may come in between. One native call, two if a commit came in between.
   */
  getMany(items: Iterable<K | Handle<V>>): (DeepReadonly<V> | undefined)[]

  /**
   * Stores many values. One native call; all keys and values are checked before the first is written. Takes no handles.
   *
   * @param entries keys and values; a third element says how long that entry lives
   * @param options how long the other entries live
   * @throws as `set`; if a limit stops it, `details.written` says how many were stored
   */
  setMany(entries: Iterable<readonly [K, V, WriteOptions?]>, options?: WriteOptions): this

  /** The same as `insert` for many values. One native call. Errors as with `setMany`. */
  insertMany<T extends V = V>(
    values: Iterable<IsAny<V> extends true ? T : NoInfer<T>>,
    options?: InsertOptions
  ): Handle<IsAny<V> extends true ? Stored<T> : T>[]

  /**
   * Replaces the values of existing entries, skips missing ones, and returns how many it replaced. One native call.
   * Errors as with `setMany`.
   */
  updateMany(entries: Iterable<readonly [K | Handle<V>, V, WriteOptions?]>, options?: WriteOptions): number

  /** Whether each key or handle has an entry. One native call. */
  hasMany(items: Iterable<K | Handle<V>>): boolean[]

  /**
   * Deletes many entries and returns how many there were; with `each`, of each item whether it was there. One native
   * call.
   */
  deleteMany(items: Iterable<K | Handle<V>>, options: { each: true }): boolean[]
  deleteMany(items: Iterable<K | Handle<V>>, options?: { each?: false | undefined }): number

  /**
   * The value of a key or handle, without counting as a read: it neither protects the entry from eviction nor renews
   * its ttl.
   *
   * Costs nothing when the near cache has the value; otherwise a native call, and `JSON.parse` for objects. The near
   * cache does not keep the result.
   */
  peek<T extends V>(handle: Handle<T>): DeepReadonly<T> | undefined
  peek(key: K | Handle<V>): DeepReadonly<V> | undefined

  /**
   * Milliseconds until an entry expires, `Infinity` if it never does, `undefined` if there is none. A native call.
   *
   * @example
   * map.set('session', 1, { ttl: 60_000 })
   * map.ttlOf('session') //=> 60000
   */
  ttlOf(key: K | Handle<V>): number | undefined

  /**
   * Renews an entry's ttl, or sets another, and returns whether there is an entry. A native call.
   *
   * @param options the new ttl; by default the one that the entry was written with
   */
  touch(key: K | Handle<V>, options?: WriteOptions): boolean

  /**
   * Bytes that the map holds, everything counted, as its limit does. A native call.
   */
  memoryUsage(): number
  /**
   * Bytes that an entry costs, `undefined` if there is none: key, value and what the map needs for it. A native call.
   */
  memoryUsage(key: K | Handle<V>): number | undefined

  /**
   * All that is known of one entry: where it lies, what it costs, when it expires, how often it was used, and whether
   * it would be the next to be evicted. `undefined` if there is none. Counts as no read. A native call, which takes the
   * lock of the entry's shard for some microseconds, and up to half a millisecond where thousands of entries have to be
   * looked at to foresee an eviction.
   *
   * @example
   * map.set('session', 1, { ttl: 60_000 })
   * map.explain('session')?.ttlMs //=> 60000
   */
  explain(key: K | Handle<V>): Explanation | undefined

  /**
   * What the memory of the map is made of: sizes of entries, the share of keys, values and overhead, by kind, by type
   * and by what keys begin with, and the largest entries. A job beside the threads of the program looks at all entries,
   * some 20 million in a second, in slices of a millisecond; this thread is free meanwhile. An entry that is there all
   * the while is counted once.
   *
   * @throws the promise is rejected with TypeError or RangeError with `ERR_INVALID_OPTION`, `ERR_CLOSED`, or the reason
   * of the signal
   * @example
   * map.setMany([['user:1', 'Ada'], ['user:2', 'Bob'], ['page:1', 'x'.repeat(1_000)]])
   * const { prefixes, largest } = await map.getMemoryDistribution()
   * prefixes[0].prefix //=> 'page:'
   * largest[0].key //=> 'page:1'
   */
  getMemoryDistribution(options?: DistributionOptions): Promise<MemoryDistribution<K, V>>

  /**
   * The keys that are read most, most of all first, of a map that was opened with `hotKeys: true`: reads that found an
   * entry, by all threads, also those that have ended. Keys whose entry is gone are left out.
   *
   * Each thread samples one in 64 of its native reads and one in 8,192 of its near-cache hits, at random, and counts
   * the samples of at most 1,024 keys. So `hits` is an estimate, and `errorHits` says how far it may be off. Costs less
   * than a millisecond for some ten threads.
   *
   * @param count how many, 1 to 1,000; 10 by default
   * @param options with `reset: true`, counting begins anew afterwards, for all threads
   * @throws TypeError or RangeError with `ERR_INVALID_OPTION`, also if the map was opened without `hotKeys: true`
   * @example
   * const [hottest] = map.getHotKeys(1)
   * console.log(`${hottest.key}: ${hottest.hits} reads, give or take ${hottest.errorHits}`)
   */
  getHotKeys(count?: number, options?: { reset?: boolean | undefined }): HotKey<K, V>[]

  /**
   * How many shards would serve the load that the map has seen: the least power of two with which at most one write in
   * a hundred would have waited for another. Two writers wait for each other if they are in one shard, so the share of
   * those that wait is inverse to the number of shards. Waits for one busy key are left out, because no number of
   * shards changes them, and a limit wants shards of 1,024 entries and 256 KB at least. Before 10,000 writes it is the
   * present number, or what the limit allows if that is less. A native call.
   */
  predictOptimalShardCount(): number

  /**
   * What could be better about the map, in sentences; an empty array if nothing was found. It looks at the statistics
   * and at 512 entries that it draws, and takes some milliseconds at most. Counts as no read. With `ghostCache: true`
   * it says how often reads would hit with half and with twice the memory.
   *
   * @example
   * const map = new TypedMap({ maxEntries: 100, shards: 64 })
   * map.advise()[0].code //=> 'LIMIT_TOO_SMALL_FOR_SHARDS'
   */
  advise(): Advice[]

  /**
   * The internals of a shard as text, for a bug report: counts, then a line for each of some slots, with the key
   * (shortened) and never the value. A native call that holds the shard's lock; nothing is printed. The text is for
   * people, and changes with the version.
   *
   * @param shard its number, below `getStats().shards`
   * @param options `slots`: how many to show, 0 to 1,000, 32 by default; `from`: the first of them, 0 by default
   * @throws TypeError or RangeError with `ERR_INVALID_OPTION`
   */
  dump(shard: number, options?: { slots?: number | undefined; from?: number | undefined }): string

  /**
   * Removes entries that have expired and returns how many: as many as two milliseconds allow, at most about 4,096.
   * Call it until it returns 0 to remove them all now. No native read returns an expired entry in any case, and the
   * background thread removes the rest.
   */
  purgeExpired(): number

  /**
   * Evicts entries as `evictionStrategy` chooses and returns how many. Expired entries come first, and count.
   *
   * @param count how many at most, 1 by default
   */
  evict(count?: number): number

  /**
   * Changes limits for all threads; limits not given stay. `null` or `Infinity` removes one. Returns at once: a map
   * above a lowered limit shrinks with the writes that follow, each of which evicts at least twice what it adds.
   *
   * @throws TypeError or RangeError with `ERR_INVALID_OPTION`, also for a map that was made without limits and without
   * `evictionStrategy`: it does not track which entry to evict
   * @example
   * map.setLimits({ memoryLimit: '32mb', maxEntries: null })
   */
  setLimits(limits: Limits): void

  /**
   * Statistics over all threads, as plain JSON. Costs microseconds for each hundred shards: it adds up all shards and
   * threads, takes the lock of each shard once, and looks at 16,384 words of the index at most.
   *
   * @throws TypeError or RangeError with `ERR_WRONG_TYPE`, `ERR_INVALID_OPTION` or `ERR_OUT_OF_RANGE` for bad options
   * @example
   * console.log(`Cache hit rate: ${map.getStats().cacheHitRate}%`)
   * const before = map.getStats()
   * // a while later
   * const { perSecond, cacheHitRate } = map.getStats({ since: before }).rates
   */
  getStats(): TypedMapStats
  getStats<O extends StatsOptions>(
    options: O
  ): TypedMapStats &
    (O['shards'] extends true ? WithShards : unknown) &
    (O['since'] extends TypedMapStats ? WithRates : unknown)

  /**
   * The statistics of this map as OpenMetrics text for Prometheus, in base units (seconds, bytes, ratios), with the
   * labels `map` (of a map with a name), `result`, `cause` and `operation`. Counts are those of {@link getStats}, with
   * the near-cache hits of this thread; the README lists the names. With the option `latency` there are histograms of
   * durations. A native call that costs what {@link getStats} does.
   *
   * @example
   * map.metrics().split('\n').filter(line => line.startsWith('typed_superdashmap_cache_size'))
   * //=> ['typed_superdashmap_cache_size{map="sessions"} 3']
   */
  metrics(): string

  /**
   * Begins to count anew, for all threads: reads, writes, removals, loads, transactions, latency, waits for locks,
   * blocks, growths, errors and what took too long are 0 after that, and `memory.peak` is what is in use. What is there
   * stays what it is, and so do `nearCache`, `shapes.texts` and `recovery`. Rates go on from here: `opsPerSecond`, and
   * those since statistics from before. Near-cache hits of other threads that were not reported yet count as later.
   *
   * @example
   * map.resetStats()
   * map.getStats().hits //=> 0
   */
  resetStats(): void

  /**
   * Checks the whole map for contradictions: each entry against index, order, eviction, deadlines and version words,
   * and each count, bytes by use included, against what is there. It is meant for tests and for finding bugs of this
   * package: no use of the map makes `ok` false.
   *
   * Works in slices of up to a millisecond in each turn of the event loop, and locks a shard for a fraction of that, so
   * it takes about a microsecond per entry in all and other threads go on. Counts are compared where no thread writes
   * meanwhile; where one does, it tries again a few times and then skips them.
   *
   * @throws nothing; the promise is rejected with `ERR_CLOSED` or `ERR_BROKEN`
   * @example
   * await map.validate() //=> { ok: true, problems: [] }
   */
  validate(): Promise<Validation>

  /**
   * Makes a broken map usable again, for all threads that have it open. A map breaks if native code fails in the
   * middle of a write, which is a bug; from then on every call throws `ERR_BROKEN`. A thread of the package copies the
   * entries that are whole to new places, some millions in a second, and each call is refused until it is done. Calls
   * of several threads share one recovery.
   *
   * Keys, values, types, deadlines, the order of insertion, limits and listeners stay. Handles of before are dead, so
   * an entry without a key has another one, which a walk gives. Loads, transactions and jobs that were under way have
   * failed, and what failed in the middle of a write or of a commit may be there in part. Memory of the shards that are
   * in doubt is not freed, nor counted any more.
   *
   * @returns what became of the entries; zeros if the map is not broken
   * @throws nothing; the promise is rejected with `ERR_CLOSED`, `ERR_OUT_OF_MEMORY`, `ERR_TOO_MANY_JOBS`, with
   * `ERR_MEMORY_LIMIT` where the limit of the process ({@link TypedMap.setProcessLimit}) has no room for the copy of a
   * shard, or with `ERR_BROKEN` if native code fails again. The map is broken as before then, and may be tried again
   * @example
   * try {
   *   map.set('key', value)
   * } catch (error) {
   *   if (error.code !== 'ERR_BROKEN') throw error
   *   await map.recover() //=> { recovered: 10_000, dropped: 0, expired: 0, leakedBytes: 65536, timeMs: 3.2 }
   * }
   */
  recover(): Promise<Recovery>

  /**
   * Calls `listener` with each error that the map throws in any thread, and with those that no call throws;
   * `details.operation` names the operation. Wrong arguments are left out, and so are the calls that a broken map
   * refuses after the one that broke it. The call happens in this thread and in the async context of this
   * subscription, some time later, and does not keep the process alive. If the listener throws, that is an uncaught
   * exception, and the other listeners are still called.
   *
   * No call throws `ERR_REFRESH_FAILED`, of a load in the background, whose `cause` is what the loader threw;
   * `ERR_EXPIRY_UNATTENDED`; `ERR_BROKEN` of the thread that removes expired entries (`expire`); and what keeps a map
   * with `autoRecovery` from recovering (`recover`). Where no thread listens, the process is warned of these, in the
   * thread of the loader, or else in the one that has the map open longest: a `TypedMapWarning` with the code, of each
   * code one a minute at most, and one at the end of it that says how many more there were.
   *
   * Errors that cannot be delivered because this thread is busy for too long are dropped, and `onLog` listeners
   * receive `events.dropped`.
   *
   * Listeners of all maps of a thread share 2 ms of each turn of its event loop.
   *
   * @returns a function that unsubscribes
   */
  onError(listener: (error: TypedMapError) => void): () => void

  /**
   * Calls `listener` with each event of the map in any thread that has at least this `level` and is about one of
   * `targets`. Otherwise as `onError`. Lines wait in a queue of 256 KB; `events.dropped`, which every listener gets,
   * says how many found no room there.
   *
   * - `typedmap.lifecycle`: what becomes of the map.
   * - `typedmap.memory`: limits and refused writes.
   * - `typedmap.performance`: what took longer than it should (`get.slow`, `set.slow`, `insert.slow`, `delete.slow`,
   *   `load.slow`, and `load.running` of a loader that has not ended; `shard.contended`, `index.long-probe`), and, at
   *   level `info`, a shard with several times its share of the writes (`shard.skewed`). While something listens to it,
   *   every native call of any thread is timed, which takes it some 50 ns more. Of each kind ten lines are sent in a
   *   second; `details.leftOut` says how many were left out before a line.
   * - `typedmap.operations`, at level `debug`: each call by this thread of a method of the map, not of a view, that is
   *   about entries, with `operation`, `key` or `handle`, `hit`, `count` and `hits` of a batch (not of
   *   `getManyOrLoad`), `wrote` of what may do without, `durationMs`, and never a value. Of these, 1,024 lines wait at
   *   most. While something listens to them, each call takes 1 to 2 µs more, and a near hit of another map of this
   *   thread a few nanoseconds.
   *
   * The library prints nothing; without an `onError` listener, Node prints warnings of errors that no call throws.
   *
   * @throws TypeError or RangeError with `ERR_INVALID_OPTION`; `ERR_CLOSED`
   * @returns a function that unsubscribes
   * @example
   * map.onLog(({ level, message, ...line }) => logger[level](line, message), { level: 'debug' }) // pino
   */
  onLog(listener: (line: LogLine) => void, options?: LogOptions): () => void

  /**
   * Calls `listener` with each entry that is removed for one of `causes`, in any thread. It is called like the
   * listeners of {@link TypedMap.onError}, in order and never twice. It may use the map. The map stays open in this
   * thread until it is closed or has no listener.
   *
   * Up to 16,384 removals of up to 4 MB wait for a busy thread; beyond that, `{ dropped }` takes their place. A value
   * of more than 1 MB is not carried: its removal has `omittedBytes` instead.
   *
   * @param options causes to report, `['evicted', 'expired']` by default
   * @returns a function that unsubscribes
   * @throws TypeError or RangeError with `ERR_INVALID_OPTION`
   * @example
   * const end = map.onEvict(({ key, value, cause }) => archive(key, value, cause), { causes: ['evicted'] })
   */
  onEvict(
    listener: (removal: Removal<K, V> | RemovalWithoutValue<K, V> | DroppedRemovals) => void,
    options?: { causes?: readonly RemovalCause[] | undefined }
  ): () => void

  /**
   * Calls `listener` with what changes in the map, whichever thread and whichever method does it: entries that are
   * `created`, entries that are `updated`, and entries that are `removed`, with the cause as in
   * {@link TypedMap.onEvict}. It is called like the listeners of {@link TypedMap.onError}, with the changes of one key
   * in the order in which they happened, and with each once. It may use the map. The map stays open in this thread
   * until it is closed or has no listener.
   *
   * Up to 16,384 changes of up to 4 MB wait for each listener; beyond that, `{ change: 'dropped', count }` takes their
   * place, and `getStats().changes` counts them. So a `clear` of many entries is reported by the first of them and a
   * count, and after {@link TypedMap.recover} a count says how many entries were lost. A value of more than 1 MB is not
   * carried: its change has `omittedBytes` instead. Another deadline alone is no change.
   *
   * While something listens, a write takes some 0.3 µs more for each listener, and copies the value once. With `match`,
   * keys are compared on this thread, under no lock; changes of keys that begin otherwise than the plain text at the
   * start of the glob take no room in the queue.
   *
   * @param options by default all keys, and everything but `replaced`
   * @returns a function that unsubscribes
   * @throws TypeError or RangeError with `ERR_INVALID_OPTION`; `ERR_CLOSED`
   * @example
   * const end = map.onChange(
   *   ({ change, key, value }) => {
   *     if (change === 'removed') config.delete(key)
   *     else if (change === 'dropped') readAgain()
   *     else config.set(key, value)
   *   },
   *   { match: 'config:*' }
   * )
   */
  onChange(listener: (change: Change<K, V>) => void, options?: ChangeOptions): () => void

  /**
   * Calls `listener` with the ratio of memory to limit each time it rises past one of `thresholds`, in any thread, and
   * each time it has fallen below one again. Called like those of `onEvict`.
   *
   * - A rise: `event.rising` is true and `event.state` is `'high'`. If the listener returns `true`, the map evicts
   *   entries until the ratio is below that threshold.
   * - A fall: the ratio is 0.02 below the threshold (a quarter of thresholds below 0.08), so a map that always is about
   *   as full is silent. `event.state` is `'normal'` once it is below all of `thresholds`. What the listener returns
   *   does not matter.
   *
   * Of several rises and falls that a busy thread has missed, it is told of the last of each, in order. Costs a write
   * a comparison of its bytes with a threshold.
   *
   * @param options ratios above 0 and up to 1, `[0.8, 0.9, 0.95]` by default
   * @returns a function that unsubscribes
   * @throws TypeError or RangeError with `ERR_INVALID_OPTION`; `ERR_CLOSED`
   * @example
   * map.onPressure(ratio => ratio > 0.9)
   * map.onPressure((_, { state }) => accept(state === 'normal'), { thresholds: [0.9] })
   */
  onPressure(
    listener: (ratio: number, event: PressureEvent) => unknown,
    options?: { thresholds?: readonly number[] | undefined }
  ): () => void

  /**
   * Closes this reference to the map. A thread holds the map until it has closed all its references or ends; the map
   * is freed when no thread holds it. May be called again.
   */
  close(): void

  /** Destroys the map for all threads: every later call throws `ERR_CLOSED`. Closes this reference. */
  destroy(): void

  /** The same as `close`, for `using`. */
  [Symbol.dispose](): void
}
