/// <reference lib="esnext.disposable" />
// biome-ignore-all lint/suspicious/noExplicitAny: a map without type arguments is a map of any, as Map is

/*
 * One map for all threads of a Node.js process.
 *
 * Costs are given in calls: a near-cache hit takes a few nanoseconds and stays in JavaScript; a native call takes
 * about a hundred. Sizes are bytes and times are milliseconds, unless a name says otherwise.
 */

/**
 * What a key can be. Keys are compared as `Map` compares them (`NaN` equals itself, `-0` is `0`, `1` and `'1'` differ);
 * bytes are compared by content.
 */
export type MapKey = string | number | bigint | boolean | null | undefined | Uint8Array

/** Typed arrays and `Buffer`: stored as bytes, and given back as the same kind. */
export type Bytes = ArrayBufferView & { readonly BYTES_PER_ELEMENT: number }

type JsonScalar = string | number | boolean | null | undefined
type IsAny<T> = 0 extends 1 & T ? true : false

/**
 * True for a type with every property of an `Error`, because JSON loses its content. Data with the same names lacks
 * `cause`.
 */
type IsError<T> = T extends Error ? (keyof Error extends keyof T ? true : false) : false

/**
 * `T` as JSON gives it back, with `never` wherever JSON cannot hold the member.
 *
 * Objects and arrays are mapped types, whose members the compiler evaluates on demand: so recursive types terminate.
 */
type JsonOf<T> = unknown extends T
  ? T
  : T extends JsonScalar
    ? T
    : T extends bigint | symbol | ((...parameters: never) => unknown)
      ? never
      : T extends readonly (infer Element)[]
        ? { readonly length: number; readonly [index: number]: JsonOf<Element> }
        : IsError<T> extends true
          ? never
          : T extends object
            ? { [Name in keyof T]: Name extends symbol ? never : JsonOf<T[Name]> }
            : never

/** Excludes functions: only they have this property. */
interface NotCallable {
  readonly [Symbol.hasInstance]?: never
}

/**
 * The constraint on `V` for a map that returns what it stores as the same type: `V extends Storable<V>`.
 *
 * It excludes functions, symbols, bigints inside objects, and everything that JSON changes or would empty: a `Date`
 * comes back as a string; a `Map`, a promise and an `Error` are refused. Use `any` for a map of values of any type;
 * each write then checks its value.
 */
export type Storable<V> = (string | number | bigint | boolean | null | undefined | (object & NotCallable)) & {
  // The conditions stand inside, because `V extends Storable<V>` would be circular around them.
  [Name in keyof V]: V extends bigint | Bytes
    ? V[Name]
    : V extends readonly unknown[]
      ? Name extends number | `${number}`
        ? JsonOf<V[Name]>
        : V[Name]
      : IsError<V> extends true
        ? never
        : Name extends symbol
          ? never
          : JsonOf<V[Name]>
}

/** An array as a map returns it. */
export interface DeepReadonlyArray<Element> extends ReadonlyArray<DeepReadonly<Element>> {}

/**
 * `V` as a map returns it: deep-frozen. Typed arrays are the exception: each read returns a fresh copy.
 */
export type DeepReadonly<V> = unknown extends V
  ? V
  : V extends string | number | boolean | bigint | null | undefined | Bytes
    ? V
    : V extends readonly (infer Element)[]
      ? number extends V['length']
        ? DeepReadonlyArray<Element>
        : { readonly [Name in keyof V]: DeepReadonly<V[Name]> }
      : { readonly [Name in keyof V]: DeepReadonly<V[Name]> }

/** A handle as `postMessage` delivers it. */
export interface HandleData {
  /** Number of the map in this process. */
  readonly map: number
  /** Number of the shard in the map. */
  readonly shard: number
  /** Number of the slot in the shard. */
  readonly slot: number
  /** How often the slot was reused before: identifies the entry among those that the slot held. */
  readonly generation: number
}

/**
 * A reference to one entry of one map, valid in every thread that has the map open. These methods make handles:
 * {@link TypedMap.insert}, {@link TypedMap.insertWithHandle}, {@link TypedMap.getHandle}, {@link TypedMap.handle}.
 *
 * A handle is frozen. It is valid as long as its entry exists, and never reads or changes another entry afterwards.
 * It takes about 100 bytes, plus a decoded value while the near cache keeps one for it.
 *
 * @typeParam V the type of the entry's value
 */
export declare class Handle<out V = any> implements HandleData {
  private constructor()
  /** For the compiler only: distinguishes handles of different value types. */
  private readonly value: V
  readonly map: number
  readonly shard: number
  readonly slot: number
  readonly generation: number
  /** The same text for each handle of the same entry, and for no other entry of this process. */
  get id(): string

  /**
   * The value of the entry, as `get(handle)` of the map returns it: the same frozen object, `undefined` once the entry
   * is gone, a fresh copy of bytes. Faster than `Map.get` when the near cache has the value; otherwise a native call.
   *
   * A handle is read through the map object that made it (by `insert`, `getHandle`, `handle(data)`, in an iteration,
   * for a listener), and keeps that object from being garbage-collected. To read it through another map object of the
   * same name, pass it to the `handle` method of that.
   *
   * @throws `ERR_CLOSED` once that map object was closed in this thread, or the map was destroyed;
   * `ERR_HANDLE_INVALIDATED` if no map made it
   * @example
   * const config = map.insert({ host: 'localhost', port: 8080 })
   * config.get()?.port //=> 8080
   */
  get<T>(this: Handle<T>): DeepReadonly<T> | undefined
}

/** From most to least detailed; `off` reports nothing. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'off'

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

/** Limits of a map. */
export interface Limits {
  /**
   * The most bytes that the map may hold, everything counted: entries, index, bookkeeping. A number, text with a unit
   * of 1024 (`'64mb'`, `'1.5 gb'`), or `'auto'` for a quarter of the memory of the container, or else of the machine.
   * A limit too small for one small entry in each shard throws `ERR_INVALID_OPTION`, which names the least: about 60
   * KB for one shard, the default of small limits.
   */
  memoryLimit?: number | string | null | undefined
  /** The same in units of 1024² bytes. Give only one of the three. */
  memoryLimitMb?: number | null | undefined
  /** The same in units of 1024³ bytes. Give only one of the three. */
  memoryLimitGb?: number | null | undefined
  /** The most entries that the map may hold. */
  maxEntries?: number | null | undefined
  /**
   * The most bytes that one value may have, as it is stored. A write beyond it is refused with `ERR_VALUE_TOO_LARGE`.
   */
  maxValueBytes?: number | null | undefined
}

/** How a map is made. */
export interface TypedMapOptions {
  /**
   * The most bytes that the map may hold, everything counted: entries, index, bookkeeping. A number, text with a unit
   * of 1024 (`'64mb'`, `'1.5 gb'`), or `'auto'` for a quarter of the memory of the container, or else of the machine.
   * `oomStrategy` decides about a write beyond it. No limit by default; `Infinity` means none, for each limit here. A
   * value much larger than the entries of a full map evicts whole shards, because evicting thousands of entries one by
   * one would occupy the thread for long. The shard of the written key is not emptied, unless it is the only one and
   * the value is that of a new key.
   */
  memoryLimit?: number | string | undefined
  /** The same in units of 1024² bytes. Give only one of the three. */
  memoryLimitMb?: number | undefined
  /** The same in units of 1024³ bytes. Give only one of the three. */
  memoryLimitGb?: number | undefined
  /** The most entries that the map may hold. `oomStrategy` decides about a write beyond it. No limit by default. */
  maxEntries?: number | undefined
  /**
   * The most bytes that one value may have, as it is stored. A write beyond it is refused with `ERR_VALUE_TOO_LARGE`
   * and evicts nothing. No limit by default.
   */
  maxValueBytes?: number | undefined
  /**
   * Which entry is evicted when there is no room: `'w-tinylfu'` by default. Expired entries are removed first in any
   * case.
   *
   * A function belongs to the thread: the map records only that it needs one. In a thread that opened the map without
   * one, a write that needs room throws `ERR_EVICTION_FAILED`.
   */
  evictionStrategy?: EvictionStrategy | EvictionFunction | undefined
  /**
   * What a write does that finds no room. `'evict'`, the default: it evicts other entries. `'reject'`: it throws
   * `ERR_MEMORY_LIMIT`. `'evict-expired'`: it removes expired entries only. `{ evictIdle: ms }`: it removes expired
   * entries and those unused for so long. A function makes room itself; it belongs to the thread, like that of
   * `evictionStrategy`.
   */
  oomStrategy?: OomStrategy | OomFunction | undefined
  /**
   * Milliseconds that entries live, fractions rounded up, at most 2^47 (4,459 years). By default entries live until
   * they are deleted; `Infinity` means the same.
   */
  ttl?: number | undefined
  /** The same in seconds. Give only one of the two. */
  ttlSeconds?: number | undefined
  /**
   * What a write does to the deadline of an existing entry. `'renew'`, the default: it sets a new one, as for a new
   * entry. `'keep'`: nothing, unless the write gives a `ttl`.
   */
  ttlOnUpdate?: 'renew' | 'keep' | undefined
  /** Whether each read renews the entry's ttl. Entries with a deadline are then read natively, each time. */
  sliding?: boolean | undefined
  /**
   * Whether every read must check the clock: entries with a deadline are then read natively, each time. Otherwise a
   * near-cache hit may return an entry up to a millisecond after its deadline, plus what the system delays a thread.
   */
  strictTtl?: boolean | undefined
  /** Entries to make room for at once. The map grows without pauses, so this saves work only. */
  initialCapacity?: number | undefined
  /** Fill at which an index table grows, 0.25 to 0.95. Lower is faster and larger. */
  maxLoadFactor?: number | undefined
  /**
   * Independent parts of the map, a power of two up to 4,096; two threads that write to one part wait for each other.
   * The default follows the number of cores; it is 1 for a map with an `oomStrategy` function.
   */
  shards?: number | undefined
  /** Seed of the hash function, 64 bits. Random by default. */
  seed?: number | bigint | undefined
  /** Whether SIMD instructions are used where the processor has them; `true` by default. */
  enableSIMD?: boolean | undefined
  /** The same as `enableSIMD`. */
  simdEnabled?: boolean | undefined
  /**
   * Limits of the near cache: the decoded values that this thread keeps, so that reading them again needs no native
   * call. At most `maxEntries` (10,000 by default, up to 16,000,000) in at most `maxBytes` of the heap (a number, or
   * text such as `'16mb'`). The default of `maxBytes` is 16 MB; in a map with a `memoryLimit`, a sixteenth of that
   * limit if that is less, and at least 256 KB. Keys and handles count too. `false` turns the near cache off.
   *
   * Bytes are estimated from the kind and the stored size of a value, between half and twice what the heap takes for
   * usual values: 100 to 150 bytes for key and place, and what an object was decoded to. A value that would take more
   * than a sixteenth of `maxBytes` is not kept, and neither is an ASCII text above 1 KB, because a native read of it is
   * about as fast. Copies of entries that are gone are dropped within seconds. They do not count
   * towards `memoryLimit`. {@link TypedMapStats.nearCache} reports what is kept.
   *
   * It belongs to the thread: each thread that opens the map chooses its own.
   */
  nearCache?: false | { maxEntries?: number | undefined; maxBytes?: number | string | undefined } | undefined
  /**
   * The least level that {@link TypedMap.onLog} listeners receive: `'info'` by default. Nothing is ever printed.
   *
   * It belongs to the thread, like `nearCache`.
   */
  logLevel?: LogLevel | undefined
}

/** How a value is read. */
export interface ReadOptions {
  /** `true` for a private copy that may be changed. Costs a native call and `JSON.parse` each time. */
  copy?: boolean | undefined
  /** The type that the entry must have been inserted with, otherwise `ERR_WRONG_TYPE`. */
  type?: string | undefined
}

/** How one field of a value is read. */
export interface FieldOptions extends ReadOptions {
  /**
   * Where the field is: a JSON pointer (RFC 6901), such as `'/address/city'` or `'/tags/0'`. In a name, `~0` stands for
   * `~` and `~1` for `/`; `''` is the whole value.
   */
  at: string
  /**
   * For an array of numbers: a fresh typed array of them. `'f32'` rounds each as `Math.fround` does. Anything else is
   * refused with `ERR_WRONG_TYPE`, whose `details` are `at`, `expected` and `found`.
   */
  as?: 'f32' | 'f64' | undefined
}

/** How an entry is written. */
export interface WriteOptions {
  /**
   * Milliseconds that the entry lives, fractions rounded up, at most 2^47 (4,459 years); `Infinity` for ever. The
   * default is the map's ttl.
   */
  ttl?: number | undefined
}

/** How an entry is inserted. */
export interface InsertOptions extends WriteOptions {
  /**
   * Name of the entry's type, for reads that check it: at most 4,096 bytes, and 65,536 different names at a time. A
   * name counts as memory of the map as long as an entry has it.
   */
  type?: string | undefined
}

/**
 * Why an entry was removed: `evicted` for lack of room, `expired`, `explicit` by `delete` and the like, `cleared` with
 * all others. `replaced` is the removal of a value only, by another one.
 */
export type RemovalCause = 'explicit' | 'replaced' | 'evicted' | 'expired' | 'cleared'

/** A removed entry, or the replaced value of an entry. */
export interface Removal<K extends MapKey | Handle = MapKey, V = any> {
  /** The key; the handle of an entry without a key, declare `K | Handle` if the map has such entries. */
  key: K
  /** The handle, which is dead unless the cause is `replaced`. */
  handle: Handle<V>
  /** The removed value. Documents of more than 1,024 characters are decoded when this is first read. */
  value: DeepReadonly<V>
  cause: RemovalCause
  /** The type that the entry was inserted with, if any. */
  type?: string
  omittedBytes?: never
  dropped?: never
}

/** A removal whose value, of more than 1 MB, is not carried to the listener. */
export interface RemovalWithoutValue<K extends MapKey | Handle = MapKey, V = any>
  extends Omit<Removal<K, V>, 'value' | 'omittedBytes'> {
  value: undefined
  /** The stored size of the value, in bytes. */
  omittedBytes: number
}

/** Stands for removals that were dropped because this thread was too busy to take them: their number. */
export interface DroppedRemovals {
  dropped: number
  key?: never
  handle?: never
  value?: never
  cause?: never
  type?: never
  omittedBytes?: never
}

/** The memory of a map, in bytes. The parts from `entries` to `fixed` add up to `total`. */
export interface MemoryStats {
  /** Blocks for keys and values. */
  entries: number
  /** The part of `entries` that live entries fill. */
  live: number
  /** The part of `entries` that is neither live nor retired, from 0 to 1: room that later entries will fill. */
  fragmentation: number
  /** The part of `entries` that is freed as soon as no reader can see it. */
  retired: number
  /** Index tables. */
  index: number
  /** Slots. */
  slab: number
  /** Version words. */
  words: number
  /** Insertion order. */
  order: number
  /** Bookkeeping of the eviction policy. */
  policy: number
  /** Deadlines. */
  expiry: number
  /** Names of types. */
  types: number
  /** Shapes of values, and what counts their entries. */
  shapes: number
  /** The map itself. */
  fixed: number
  /** Everything. Never above `limit`. */
  total: number
  /** The limit, `null` for none. */
  limit: number | null
}

/**
 * Shapes of a map: the names of the properties of an object, kept once for all values that have them. Values are stored
 * as their shape and their fields; others as JSON text.
 */
export interface ShapeStats {
  /** Known shapes, at most 4,095. Those without entries stay until others need their place. */
  count: number
  /** Bytes that they take, at most about a megabyte, and what counts their entries. Also `memory.shapes`. */
  bytes: number
  /** Values that are stored with a shape. */
  values: number
  /** Objects that this `TypedMap` has written as JSON text instead, by the reason. */
  texts: {
    /** The first of their kind: a shape is made for the second. */
    first: number
    /** Names that hardly ever come back, such as those of a dictionary. */
    names: number
    /** The table of shapes was full. */
    refused: number
    /** More than 64 KB. */
    large: number
    /** Arrays that are not of numbers alone, and values whose `toJSON` returned no object. */
    other: number
  }
}

/** The near cache of one `TypedMap` object in this thread. */
export interface NearCacheStats {
  /** Values in it. */
  entries: number
  /** Bytes of the heap that they take with keys and handles, estimated. */
  bytes: number
  /** The limit of `entries`, 0 if the near cache is off. */
  maxEntries: number
  /** The limit of `bytes`. */
  maxBytes: number
  /** Reads that it answered. */
  hits: number
  /** Copies that were evicted for others. */
  evictions: number
  /** Copies that were dropped because their entries had changed or were gone. */
  outdated: number
}

/** The result of {@link TypedMap.validate}. */
export interface Validation {
  /** True if there are no problems. */
  ok: boolean
  /** Contradictions, at most 100. */
  problems: {
    /** The shard; `null` for the map as a whole. */
    shard: number | null
    /** The slot of the entry; `null` for more than one. */
    slot: number | null
    /** The contradiction, for a bug report. */
    what: string
  }[]
}

/**
 * Statistics of a map, over all threads except for `nearCache`. Near-cache hits of another thread are added later, at
 * that thread's next native call.
 */
export interface TypedMapStats {
  /** Entries in the map. */
  entries: number
  /** Reads that found an entry, near-cache hits included. */
  hits: number
  /** Reads that the near cache answered, without a native call. */
  nearHits: number
  /** Reads that found none. */
  misses: number
  /** `hits` in per cent of all reads, to two digits; 0 before the first. */
  cacheHitRate: number
  /** Entries that were inserted. */
  inserts: number
  /** Values that were replaced. */
  updates: number
  /** Entries that were deleted, one by one. */
  deletes: number
  /** Calls of `clear`. */
  clears: number
  /** Entries that were evicted for lack of room. */
  evictions: number
  /** Entries that were removed because their deadline had passed. */
  expirations: number
  /** Batches of entries that iterators fetched. */
  iterations: number
  /** Writes that a limit refused. */
  refusals: number
  /** All operations together: reads, writes, deletions, calls of `clear`, batches of iterators and refusals. */
  operations: number
  /** Entries that have a deadline. */
  deadlines: number
  /**
   * `operations` per second since the last call of `getStats` on this object; the first time, since the map was made.
   */
  opsPerSecond: number
  /** `memory.total` in units of 1024² bytes, to two digits. */
  memoryMb: number
  /** `memory.total`. */
  memoryBytes: number
  /** Bytes by use. */
  memory: MemoryStats
  /** Shapes of values. */
  shapes: ShapeStats
  /** The limits that hold now, `null` for none: bytes, entries, and bytes of one value. */
  limits: { memoryLimit: number | null; maxEntries: number | null; maxValueBytes: number | null }
  /** The near cache of this object in this thread. */
  nearCache: NearCacheStats
  /** Places in all index tables. */
  capacity: number
  /** Entries by key over `capacity`, 0 to 1. */
  loadFactor: number
  /** Number of shards. */
  shards: number
  /** Vector instructions: whether they may be used, and which are used: `none` where they are off or of no use. */
  simd: { enabled: boolean; level: 'sse2' | 'none' }
  /** Number of open references to the map; one thread may have several. */
  threads: number
  /** Milliseconds since the map was made. */
  uptimeMs: number
}

/** An event of a map. */
export interface LogLine {
  level: Exclude<LogLevel, 'off'>
  /** The event, a stable name such as `map.cleared`. */
  code: string
  /** Its figures; units are in the names. */
  details: Record<string, any>
}

/** Every error code with its number. */
export declare const ERROR_NUMBERS: {
  /** The handle's entry is gone, and the call needs one. */
  readonly ERR_HANDLE_NOT_FOUND: 1001
  /**
   * `details`: `expected` and `found`, which is `null` for an entry without a type; with `at`, the pointer of a field
   * that is no array of numbers.
   */
  readonly ERR_WRONG_TYPE: 1002
  /** The handle belongs to another map, or its map was cleared or destroyed. */
  readonly ERR_HANDLE_INVALIDATED: 1003
  /** The handle's entry is gone, and its slot holds a newer entry. `details`: `given` and `found`. */
  readonly ERR_GENERATION_MISMATCH: 1004
  /** A forged or corrupted handle. `details`: `shard` and `shards`. */
  readonly ERR_INVALID_SHARD_INDEX: 1005
  /** `details`: `requestedBytes`, `usedBytes` and `limitBytes`, or `limitEntries`; and `written` for a batch. */
  readonly ERR_MEMORY_LIMIT: 1006
  /** One value is above `maxValueBytes`, or larger than any entry could be. `details`: `bytes` and `limitBytes`. */
  readonly ERR_VALUE_TOO_LARGE: 1007
  /**
   * A function that should make room freed too little or threw; its error is `cause`. `details`: `reason`, and those of
   * `ERR_MEMORY_LIMIT`.
   */
  readonly ERR_EVICTION_FAILED: 1008
  /** The system has no memory left; the map is unchanged. `details`: `bytes`. */
  readonly ERR_OUT_OF_MEMORY: 1009
  /** The map was closed, or destroyed by some thread. */
  readonly ERR_CLOSED: 1010
  /** A `TypeError`. `details`: `argument` and `given`. */
  readonly ERR_KEY_TYPE: 1011
  /**
   * A `TypeError`. `details`: `path`, where the place is known (`a.b[1]`, empty for the value itself). `cause` is what
   * a `toJSON` or a getter of the value threw; an error of this package is thrown as it is.
   */
  readonly ERR_VALUE_NOT_SERIALIZABLE: 1012
  /** A `TypeError` or `RangeError`, about an option or another argument. */
  readonly ERR_INVALID_OPTION: 1013
  /** An internal failure left the map in doubt; it refuses further use, and the process lives. */
  readonly ERR_BROKEN: 1020
  /**
   * The addon cannot be loaded here; `require` of the package throws this. `details`: `platform`, `arch`, `libc`
   * (`null` if unknown), `node`, and `tried`, the reasons; `cause` is the error of the loader.
   */
  readonly ERR_NATIVE_UNAVAILABLE: 1024
}

/** Stable names of errors. */
export type ErrorCode = keyof typeof ERROR_NUMBERS

/**
 * The errors of this package. After each of them the map is unchanged, apart from entries that were removed to make
 * room and from the items of a batch before the one that failed.
 *
 * For a wrong argument it is a `TypeError` or `RangeError` with these properties, and also `instanceof TypedMapError`.
 *
 * @example
 * try {
 *   map.set('key', value)
 * } catch (error) {
 *   if (error instanceof TypedMapError && error.code === 'ERR_MEMORY_LIMIT') makeRoom(error.details.requestedBytes)
 *   else throw error
 * }
 */
export declare class TypedMapError extends Error {
  constructor(code: ErrorCode, message: string, details?: Record<string, any>, options?: ErrorOptions)
  /** Stable name, for programs. */
  code: ErrorCode
  /** Its number. */
  number: number
  /** Figures and names that belong to the error, as plain JSON. */
  details: Record<string, any>
}

/**
 * A map that all threads of the process share. It lives outside the JavaScript heap and reads like a `Map`.
 *
 * Values are copies: a write copies the value at the time of the call, and a read returns it frozen. Objects are
 * stored as `JSON.stringify` writes them, except that what it would empty (a promise, a `Map`, an `Error`) is refused.
 * Scalars are stored as they are, with `undefined`, `NaN`, `-0`, infinities and bigints; typed arrays and `Buffer` are
 * stored as bytes and come back as the same kind.
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
   * `nearCache`, `logLevel` and functions belong to this thread
   * @throws TypeError with `ERR_INVALID_OPTION`, also for options that differ; `details` name the option
   * @example
   * const sessions = TypedMap.open<string, Session>('sessions', { memoryLimit: '256mb' })
   */
  static open<K extends MapKey | Handle = MapKey, V extends Storable<V> = any>(
    name: string,
    options?: TypedMapOptions
  ): TypedMap<K, V>

  /** Names of all maps that are open in any thread, in alphabetical order. */
  static names(): string[]

  /**
   * Groups items by the key that `callback` returns, as `Map.groupBy` does. The groups are stored as JSON.
   *
   * @example
   * TypedMap.groupBy([1, 2, 3], n => (n % 2 === 0 ? 'even' : 'odd')).get('odd') //=> [1, 3]
   */
  static groupBy<K extends MapKey, T>(
    items: Iterable<T>,
    callback: (item: T, index: number) => K
    // @ts-ignore: the compiler does not see that the condition is the constraint; one that does shall not complain
  ): T[] extends Storable<T[]> ? TypedMap<K, T[]> : TypedMap<K, any>

  /** The constructor it is read from. */
  static get [Symbol.species](): typeof TypedMap

  /** `'TypedMap'` */
  readonly [Symbol.toStringTag]: string

  /** Number of entries, over all threads. A native call. */
  get size(): number

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
   * have an entry.
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
   * Deletes all entries, for all threads. Returns at once; memory is freed in the background. Handles made before are
   * invalid for good.
   */
  clear(): void

  /**
   * The value of a key; if there is none, the given value is stored first. This is atomic: no other thread's write
   * comes in between.
   *
   * Costs a native call unless the near cache has the value.
   *
   * @param options how long an entry made here lives
   * @throws as `set`
   */
  getOrInsert(key: K | Handle<V>, value: V, options?: WriteOptions): DeepReadonly<V>

  /**
   * The value of a key; if there is none, the result of `callback` is stored first. The result overwrites a value that
   * another thread stores while the callback runs.
   *
   * @param options how long an entry made here lives
   * @throws as `set`, and what the callback throws
   * @example
   * const page = pages.getOrInsertComputed(path, render)
   */
  getOrInsertComputed(key: K | Handle<V>, callback: (key: K) => V, options?: WriteOptions): DeepReadonly<V>

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

  /** The values of keys and handles in their order, `undefined` for each that is missing. At most one native call. */
  getMany(items: Iterable<K | Handle<V>>): (DeepReadonly<V> | undefined)[]

  /**
   * Stores many values. One native call; all keys and values are checked before the first is written. Takes no handles.
   *
   * @param options how long the entries live
   * @throws as `set`; if a limit stops it, `details.written` says how many were stored
   */
  setMany(entries: Iterable<readonly [K, V]>, options?: WriteOptions): this

  /** The same as `insert` for many values. One native call. Errors as with `setMany`. */
  insertMany<T extends V = V>(
    values: Iterable<IsAny<V> extends true ? T : NoInfer<T>>,
    options?: InsertOptions
  ): Handle<IsAny<V> extends true ? Stored<T> : T>[]

  /**
   * Replaces the values of existing entries, skips missing ones, and returns how many it replaced. One native call.
   * Errors as with `setMany`.
   */
  updateMany(entries: Iterable<readonly [K | Handle<V>, V]>, options?: WriteOptions): number

  /** Deletes many entries and returns how many there were. One native call. */
  deleteMany(items: Iterable<K | Handle<V>>): number

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
   * Statistics over all threads. Costs microseconds: it adds up all shards and threads.
   *
   * @example
   * console.log(`Cache hit rate: ${map.getStats().cacheHitRate}%`)
   */
  getStats(): TypedMapStats

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
   * Calls `listener` with each error that the map throws in any thread; `details.operation` names the operation. The
   * call happens in this thread and in the async context of this subscription, some time later, and does not keep the
   * process alive. If the listener throws, that is an uncaught exception, and the other listeners are still called.
   * Errors that cannot be delivered because this thread is busy for too long are dropped, and `onLog` listeners
   * receive `events.dropped`.
   *
   * Listeners of all maps of a thread share 2 ms of each turn of its event loop.
   *
   * @returns a function that unsubscribes
   */
  onError(listener: (error: TypedMapError) => void): () => void

  /**
   * Calls `listener` with each event of the map in any thread whose level is at least `logLevel`. Otherwise as
   * `onError`.
   *
   * @returns a function that unsubscribes
   */
  onLog(listener: (line: LogLine) => void): () => void

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
   * Calls `listener` with the ratio of memory to limit each time it rises past one of `thresholds`, in any thread. If
   * the listener returns `true`, the map evicts entries until the ratio is below that threshold. Called like those of
   * `onEvict`.
   *
   * @param options ratios above 0 and up to 1, `[0.8, 0.9, 0.95]` by default
   * @returns a function that unsubscribes
   * @throws TypeError or RangeError with `ERR_INVALID_OPTION`
   * @example
   * map.onPressure(ratio => ratio > 0.9)
   */
  onPressure(listener: (ratio: number) => unknown, options?: { thresholds?: readonly number[] | undefined }): () => void

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

/** The type of a value inserted into a map of `any`. */
type Stored<T> = [T] extends [Storable<T>] ? T : any
