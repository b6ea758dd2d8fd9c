/// <reference lib="esnext.disposable" />
// biome-ignore-all lint/suspicious/noExplicitAny: a map without type arguments is a map of any, as Map is

/*
 * One map for all threads of a Node.js process.
 *
 * Costs are given in calls: a near-cache hit is a few nanoseconds and leaves JavaScript nowhere; a native call is about a
 * hundred. Sizes are bytes and times are milliseconds, unless a name says otherwise.
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

/** Has every property that an `Error` has, so it is one: JSON loses what it says. Data with the same names lacks `cause`. */
type IsError<T> = T extends Error ? (keyof Error extends keyof T ? true : false) : false

/**
 * `T` as JSON gives it back, with `never` wherever JSON does not hold what `T` has there.
 *
 * Objects and arrays stand here as types whose members are looked at when they are needed: types that contain themselves end.
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

/** No function: only those have this property. */
interface NotCallable {
  readonly [Symbol.hasInstance]?: never
}

/**
 * What `V` has to extend so that a map can hold it and give it back as the same type: `V extends Storable<V>`.
 *
 * Not storable as such are functions, symbols, bigints inside objects, and everything that JSON changes or would empty: a
 * `Date` comes back as a string, a `Map`, a promise and an `Error` are refused. Use `any` for a map that should take values of
 * any type; what they hold is checked when it is written.
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

/** An array as a map gives it. */
export interface DeepReadonlyArray<Element> extends ReadonlyArray<DeepReadonly<Element>> {}

/**
 * `V` as a map gives it: frozen, with everything in it. Typed arrays are the exception: each read gives a copy of its own.
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
  /** Which tenant of the slot. */
  readonly generation: number
}

/**
 * A reference to one entry of one map, whatever thread made it. Maps make handles: {@link TypedMap.insert},
 * {@link TypedMap.insertWithHandle}, {@link TypedMap.getHandle}, {@link TypedMap.handle}.
 *
 * A handle is frozen. It stays valid as long as its entry is there, and never reads or changes any other entry after.
 * It takes about 100 bytes, plus a decoded value while the near cache keeps one for it.
 *
 * @typeParam V the type of the entry's value
 */
export declare class Handle<out V = any> implements HandleData {
  private constructor()
  /** Only for the compiler: what tells handles of different types of values apart. */
  private readonly value: V
  readonly map: number
  readonly shard: number
  readonly slot: number
  readonly generation: number
  /** The same text for each handle of the same entry, and for no other entry of this process. */
  get id(): string
}

/** From the most to the least talkative; `off` is silent. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'off'

/**
 * Who leaves a full map; upper case and underscores (`'LRU'`, `'S3_FIFO'`) are taken too.
 *
 * - `'w-tinylfu'`: the default, with the best hit ratio over mixed loads.
 * - `'lru'`: what was not used for longest. Exact for one thread with `shards: 1`.
 * - `'lfu'`: what was used least often.
 * - `'fifo'`: what came first. Costs reads nothing.
 * - `'sieve'`, `'s3-fifo'`: first in, first out, sparing what was used.
 * - `'ttl'`: what expires soonest.
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
      /** Entries may leave that nobody used for so many milliseconds; if that is not enough, the write is refused. */
      evictIdle: number
    }

/** An entry that may leave, for an `evictionStrategy` function. Its getters cost a native call each. */
export interface EvictionCandidate<K extends MapKey | Handle = any, V = any> {
  /** Its key; its handle if it has none. */
  readonly key: K | Handle<V>
  readonly handle: Handle<V>
  /** Its value, read as {@link TypedMap.peek} does. */
  readonly value: DeepReadonly<V> | undefined
  /** Bytes that it costs. */
  readonly bytes: number | undefined
  /** Milliseconds that are left to it, `Infinity` if it never expires. */
  readonly ttl: number | undefined
}

/**
 * A strategy of your own: chooses who leaves, by candidate, handle or key; one or an array.
 *
 * It is called whenever a write finds no room, until there is some. If it throws, chooses nobody, or nobody whom it
 * chooses is there, the write fails with `ERR_EVICTION_FAILED`. It runs inside the write, so it has to be quick, and it is not
 * asked for writes of its own.
 *
 * @param candidates up to 32 of those who would leave next by the default policy, roughly in order
 * @param neededBytes what the write lacked, 0 if the map is full of entries
 */
export type EvictionFunction<K extends MapKey | Handle = any, V = any> = (
  candidates: EvictionCandidate<K, V>[],
  neededBytes: number
) => EvictionCandidate<K, V> | Handle<V> | K | readonly (EvictionCandidate<K, V> | Handle<V> | K)[] | null | undefined

/**
 * Makes room by itself, for example by archiving the oldest entries and deleting them.
 *
 * It is called at most once for each write that finds no room. Memory is given back in pages, so a few times `neededBytes` should
 * be freed where values differ in size. If it throws or frees too little, the write fails with
 * `ERR_EVICTION_FAILED`, and what the function did stays.
 *
 * @param neededBytes what the write lacked, 0 if the map is full of entries
 */
export type OomFunction<K extends MapKey | Handle = any, V extends Storable<V> = any> = (
  map: TypedMap<K, V>,
  neededBytes: number
) => unknown

/** Limits of a map. */
export interface Limits {
  /**
   * The most bytes that the map may hold, everything counted: entries, index, bookkeeping. A number, text with a unit of
   * 1024 (`'64mb'`, `'1.5 gb'`), or `'auto'` for a quarter of the memory of the container, or else of the machine. Less
   * than what one small entry in each shard needs is an `ERR_INVALID_OPTION` that names the least: about 60 KB in a map of
   * one shard, which is what small limits make.
   */
  memoryLimit?: number | string | null | undefined
  /** The same in units of 1024² bytes. Give only one of the three. */
  memoryLimitMb?: number | null | undefined
  /** The same in units of 1024³ bytes. Give only one of the three. */
  memoryLimitGb?: number | null | undefined
  /** The most entries that the map may hold. */
  maxEntries?: number | null | undefined
  /** The most bytes that one value may have, as it is stored. A write beyond it is refused with `ERR_VALUE_TOO_LARGE`. */
  maxValueBytes?: number | null | undefined
}

/** How a map is made. */
export interface TypedMapOptions {
  /**
   * The most bytes that the map may hold, everything counted: entries, index, bookkeeping. A number, text with a unit
   * of 1024 (`'64mb'`, `'1.5 gb'`), or `'auto'` for a quarter of the memory of the container, or else of the machine.
   * `oomStrategy` says what happens to a write beyond it. No limit unless given; `Infinity` is none, for each limit here.
   * A value that is large beside the entries of a full map has all entries of as many shards evicted as it takes: to evict
   * thousands one by one would keep the thread for long. The entries of its own shard stay.
   */
  memoryLimit?: number | string | undefined
  /** The same in units of 1024² bytes. Give only one of the three. */
  memoryLimitMb?: number | undefined
  /** The same in units of 1024³ bytes. Give only one of the three. */
  memoryLimitGb?: number | undefined
  /** The most entries that the map may hold. `oomStrategy` says what happens to a write beyond it. No limit unless given. */
  maxEntries?: number | undefined
  /**
   * The most bytes that one value may have, as it is stored. A write beyond it is refused with `ERR_VALUE_TOO_LARGE`, and
   * nothing is evicted for it. No limit unless given.
   */
  maxValueBytes?: number | undefined
  /**
   * Who leaves when there is no room: `'w-tinylfu'` unless given. What has expired leaves first in any case.
   *
   * A function belongs to the thread: the map remembers only that it needs one, and a thread that opened it without gets
   * `ERR_EVICTION_FAILED` when room is needed.
   */
  evictionStrategy?: EvictionStrategy | EvictionFunction | undefined
  /**
   * What happens to a write that finds no room. `'evict'` unless given: others leave. `'reject'`: it is refused with
   * `ERR_MEMORY_LIMIT`. `'evict-expired'`: only what has expired leaves. `{ evictIdle: ms }`: only what has expired or was not
   * used for so long. A function makes room itself, and belongs to the thread as that of `evictionStrategy` does.
   */
  oomStrategy?: OomStrategy | OomFunction | undefined
  /**
   * Milliseconds that entries live, fractions rounded up, at most 2^47 (4,459 years). They stay until they are deleted unless
   * given; `Infinity` says the same.
   */
  ttl?: number | undefined
  /** The same in seconds. Give only one of the two. */
  ttlSeconds?: number | undefined
  /**
   * What writing to an entry that is there does to its deadline. `'renew'` unless given: what making it would. `'keep'`: nothing,
   * unless the write says `ttl` itself.
   */
  ttlOnUpdate?: 'renew' | 'keep' | undefined
  /** Whether each read gives an entry its ttl anew. Entries with a deadline are then read natively, each time. */
  sliding?: boolean | undefined
  /**
   * Whether no read in any thread may be late: entries with a deadline are then read natively, each time. Otherwise a
   * repeated read may give an entry up to a millisecond (and what the system delays a thread) after its deadline.
   */
  strictTtl?: boolean | undefined
  /** Entries to make room for at once. The map grows without pauses, so this only saves work. */
  initialCapacity?: number | undefined
  /** Fill at which an index table grows, 0.25 to 0.95. Lower is faster and larger. */
  maxLoadFactor?: number | undefined
  /**
   * Independent parts of the map, a power of two up to 4,096; two threads that write to one part wait for each other.
   * Follows the number of cores unless given, or is 1 for a map with an `oomStrategy` function.
   */
  shards?: number | undefined
  /** Seed of the hash function, 64 bits. Random unless given. */
  seed?: number | bigint | undefined
  /** Whether SIMD instructions are used where the processor has them; they are unless this is `false`. */
  enableSIMD?: boolean | undefined
  /** The same as `enableSIMD`. */
  simdEnabled?: boolean | undefined
  /**
   * Decoded values that this thread keeps, so that reading them again costs no call: at most `maxEntries` (10,000 unless given, up to
   * 16,000,000), which take at most `maxBytes` of the heap, a number or text such as `'16mb'`: 16 MB unless given, in a map with
   * a `memoryLimit` a sixteenth of that limit if that is less, and at least 256 KB. Keys and handles are counted too. `false`
   * keeps none.
   *
   * Bytes are estimated from the kind of a value and what it takes in the store, between half and twice of what the heap takes for
   * usual values: 100 to 150 bytes for key and place, and 1.75 times its JSON for an object. A value that would take more than a
   * sixteenth of `maxBytes` is not kept, and neither is a text in ASCII above 1 KB, because it is as good as read at once. Copies of
   * entries that are gone are let go of within seconds. {@link TypedMapStats.nearCache} says what is kept.
   *
   * Belongs to the thread: other threads that open the map may choose otherwise.
   */
  nearCache?: false | { maxEntries?: number | undefined; maxBytes?: number | string | undefined } | undefined
  /**
   * The least important lines that {@link TypedMap.onLog} listeners get: `'info'` unless given. Nothing is ever printed.
   *
   * Belongs to the thread, like `nearCache`.
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

/** How an entry is written. */
export interface WriteOptions {
  /**
   * Milliseconds that the entry lives, fractions rounded up, at most 2^47 (4,459 years); `Infinity` for ever. The map's own ttl
   * unless given.
   */
  ttl?: number | undefined
}

/** How an entry is inserted. */
export interface InsertOptions extends WriteOptions {
  /**
   * Name of the entry's type, for reads that ask for it: at most 4,096 bytes, and 65,536 different ones at a time. A name
   * counts as memory of the map as long as an entry has it.
   */
  type?: string | undefined
}

/**
 * Why an entry left: `evicted` for lack of room, `expired`, `explicit` by `delete` and the like, `cleared` with all others. Or
 * why only its value did: `replaced` by another.
 */
export type RemovalCause = 'explicit' | 'replaced' | 'evicted' | 'expired' | 'cleared'

/** An entry that left, or a value of it. */
export interface Removal<K extends MapKey | Handle = MapKey, V = any> {
  /** The key; the handle if there was none. */
  key: K | Handle<V>
  /** The handle, which is dead unless the cause is `replaced`. */
  handle: Handle<V>
  /** The value that it had. Documents of more than 1,024 characters are decoded when this is first read. */
  value: DeepReadonly<V>
  cause: RemovalCause
  /** The type that it was inserted with, if there was one. */
  type?: string
  dropped?: never
}

/** Removals that were not kept, because this thread took too long: so many, after those that it was told of before. */
export interface DroppedRemovals {
  dropped: number
  key?: never
  handle?: never
  value?: never
  cause?: never
  type?: never
}

/** What a map takes, in bytes. The parts from `entries` to `fixed` add up to `total`. */
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
  /** What the eviction strategy keeps. */
  policy: number
  /** Deadlines. */
  expiry: number
  /** Names of types. */
  types: number
  /** The map itself. */
  fixed: number
  /** Everything. Never above `limit`. */
  total: number
  /** The limit, `null` for none. */
  limit: number | null
}

/** The decoded values that this thread keeps of a map, for one `TypedMap` object. */
export interface NearCacheStats {
  /** Values that are kept. */
  entries: number
  /** Bytes of the heap that they take with their keys and handles, estimated. */
  bytes: number
  /** The most that are kept, 0 if none are. */
  maxEntries: number
  /** The most bytes that they take. */
  maxBytes: number
  /** Reads that were answered from them. */
  hits: number
  /** Those that made room for others. */
  evictions: number
  /** Those that were let go of because their entries had changed, or were gone. */
  outdated: number
}

/** What {@link TypedMap.validate} found. */
export interface Validation {
  /** Whether nothing was found. */
  ok: boolean
  /** What does not fit, at most 100 of them. */
  problems: {
    /** The shard; `null` where it is about the map as a whole. */
    shard: number | null
    /** The slot of the entry; `null` where it is about more than one. */
    slot: number | null
    /** What does not fit, for a bug report. */
    what: string
  }[]
}

/**
 * What a map tells about itself, over all threads but for `nearCache`. Near-cache hits of another thread are counted some time later, when it
 * has to call native code anyway.
 */
export interface TypedMapStats {
  /** Entries in the map. */
  entries: number
  /** Reads that found an entry, near-cache hits included. */
  hits: number
  /** Reads that were answered without a native call. */
  nearHits: number
  /** Reads that found none. */
  misses: number
  /** `hits` in per cent of all reads, to two digits; 0 before the first. */
  cacheHitRate: number
  /** Entries that were made. */
  inserts: number
  /** Values that were replaced. */
  updates: number
  /** Entries that were deleted, one by one. */
  deletes: number
  /** Calls of `clear`. */
  clears: number
  /** Entries that left for lack of room. */
  evictions: number
  /** Entries that left because their time was over. */
  expirations: number
  /** Batches of entries that were handed to iterators. */
  iterations: number
  /** Writes that a limit refused. */
  refusals: number
  /** All operations together: reads, writes, deletions, calls of `clear`, batches of iterators and refusals. */
  operations: number
  /** Entries that have a deadline. */
  deadlines: number
  /** `operations` per second since the last call of `getStats` on this object; the first time, since the map was made. */
  opsPerSecond: number
  /** `memory.total` in units of 1024² bytes, to two digits. */
  memoryMb: number
  /** `memory.total`. */
  memoryBytes: number
  /** Bytes by what they are used for. */
  memory: MemoryStats
  /** The limits that hold now, `null` for none: bytes, entries, and bytes of one value. */
  limits: { memoryLimit: number | null; maxEntries: number | null; maxValueBytes: number | null }
  /** What this thread keeps of the map, this object of it. */
  nearCache: NearCacheStats
  /** Places in all index tables. */
  capacity: number
  /** Entries by key over `capacity`, 0 to 1. */
  loadFactor: number
  /** Number of shards. */
  shards: number
  /** Vector instructions: whether they may be used, and which are: `none` where they are off or of no use. */
  simd: { enabled: boolean; level: 'sse2' | 'none' }
  /** How often the map is open, over all threads. */
  threads: number
  /** Milliseconds since the map was made. */
  uptimeMs: number
}

/** Something that happened to a map. */
export interface LogLine {
  level: Exclude<LogLevel, 'off'>
  /** What happened, a stable word such as `map.cleared`. */
  code: string
  /** Numbers that belong to it; units are in the names. */
  details: Record<string, any>
}

/** Every error code with its number. */
export declare const ERROR_NUMBERS: {
  /** The entry of this handle is gone, where the call needs one. */
  readonly ERR_HANDLE_NOT_FOUND: 1001
  /** `details`: `expected` and `found`, which is `null` for an entry without a type. */
  readonly ERR_WRONG_TYPE: 1002
  /** The handle is of another map, or its map was cleared or destroyed. */
  readonly ERR_HANDLE_INVALIDATED: 1003
  /** The entry of this handle is gone, and its slot has a new tenant. `details`: `given` and `found`. */
  readonly ERR_GENERATION_MISMATCH: 1004
  /** A forged or corrupted handle. `details`: `shard` and `shards`. */
  readonly ERR_INVALID_SHARD_INDEX: 1005
  /** `details`: `requestedBytes`, `usedBytes` and `limitBytes`, or `limitEntries`; and `written` for a batch. */
  readonly ERR_MEMORY_LIMIT: 1006
  /** One value is above `maxValueBytes`, or larger than any entry could be. `details`: `bytes` and `limitBytes`. */
  readonly ERR_VALUE_TOO_LARGE: 1007
  /**
   * A function of the user was to make room, and freed too little or threw, which is `cause` then. `details`: `reason`, and
   * those of `ERR_MEMORY_LIMIT`.
   */
  readonly ERR_EVICTION_FAILED: 1008
  /** The system has no memory left; the map is unchanged. `details`: `bytes`. */
  readonly ERR_OUT_OF_MEMORY: 1009
  /** The map was closed, or destroyed by some thread. */
  readonly ERR_CLOSED: 1010
  /** A `TypeError`. `details`: `argument` and `given`. */
  readonly ERR_KEY_TYPE: 1011
  /**
   * A `TypeError`. `details`: `path`, where the place is known (`a.b[1]`, empty for the value itself). `cause` is what a `toJSON` or
   * a getter of the value threw; an error of this package is thrown as it is.
   */
  readonly ERR_VALUE_NOT_SERIALIZABLE: 1012
  /** A `TypeError` or `RangeError`, about an option or another argument. */
  readonly ERR_INVALID_OPTION: 1013
  /** An internal failure left the map in doubt; it refuses further use, and the process lives. */
  readonly ERR_BROKEN: 1020
  /**
   * The addon cannot be loaded here: what requiring the package throws. `details`: `platform`, `arch`, `libc` (`null` where it
   * is not known), `node`, and `tried`, the reasons; `cause` is what loading threw.
   */
  readonly ERR_NATIVE_UNAVAILABLE: 1024
}

/** Stable names of errors. */
export type ErrorCode = keyof typeof ERROR_NUMBERS

/**
 * The errors of this package. The map is unchanged after each of them, batches excepted.
 *
 * A wrong argument gives a `TypeError` or `RangeError` with these properties, which is `instanceof TypedMapError` too.
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
  /** Number of the same. */
  number: number
  /** What belongs to the error, as plain JSON. */
  details: Record<string, any>
}

/**
 * A map that all threads of the process share. It lives outside the JavaScript heap and reads like a `Map`.
 *
 * Values are copies: what is written is taken at the time of the call, and what is read is frozen. Objects are stored as
 * `JSON.stringify` writes them, except that what it would empty (a promise, a `Map`, an `Error`) is an error. Scalars are stored as they are, with `undefined`, `NaN`, `-0`, infinities and bigints;
 * typed arrays and `Buffer` are stored as bytes and come back as the same kind.
 *
 * An entry has a key, or only a handle ({@link TypedMap.insert}). Wherever a key is taken, a handle is taken too; where
 * keys are given, an entry without one gives its handle: whoever walks over a map with such entries writes
 * `TypedMap<K | Handle, V>`. A map is a `ReadonlyMap` of its keys and of its values as they are read, `DeepReadonly<V>`.
 *
 * Every method throws `ERR_CLOSED` after {@link TypedMap.close}, and a `TypeError` with `ERR_KEY_TYPE` for what cannot be
 * a key.
 *
 * @typeParam K what keys are
 * @typeParam V what values are
 * @example
 * const users = new TypedMap<string, { name: string }>()
 * users.set('ada', { name: 'Ada' })
 * users.get('ada')?.name //=> 'Ada'
 */
export declare class TypedMap<K extends MapKey | Handle = MapKey, V extends Storable<V> = any> {
  /**
   * Makes a map that only this thread has. It is freed when it is closed or no longer reachable. It cannot be cloned: from
   * Node.js 22.10 on, `structuredClone` and `postMessage` throw a `DataCloneError`, before that they give `{}`.
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
   * Opens the map of this name, in any thread of the process, or makes it. Each call gives a reference of its own. A thread has
   * the map from its first call until it has closed all references or ends: one that is collected without having been
   * closed leaves the map to the next call. The map is freed once no thread has it.
   *
   * Of a derived class, `open(name, options)` runs the constructor with `options`, and the map that it makes is this one.
   *
   * @param options compared with what the map was made with, as far as given; of limits, with those that hold now, too.
   * `nearCache` and `logLevel` are this thread's
   * @throws TypeError with `ERR_INVALID_OPTION`, for options that differ too; `details` name the option
   * @example
   * const sessions = TypedMap.open<string, Session>('sessions', { memoryLimit: '256mb' })
   */
  static open<K extends MapKey | Handle = MapKey, V extends Storable<V> = any>(
    name: string,
    options?: TypedMapOptions
  ): TypedMap<K, V>

  /** Names of the maps that some thread has open, in alphabetical order. */
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
   * The value of a key or handle, `undefined` if there is none. Objects are frozen, and the same object is given until
   * somebody writes or the near cache lets go of it; typed arrays are a new copy each time.
   *
   * Costs a few nanoseconds when the near cache has the value, least of all by handle; otherwise a native call, and
   * `JSON.parse` for objects.
   *
   * @param options the name of the type that the entry must have, or more in an object
   * @throws `ERR_WRONG_TYPE`
   * @example
   * map.get('config')?.port
   * map.get(handle, 'Config')
   * const mine = map.get('config', { copy: true })
   */
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
   * @throws TypeError with `ERR_KEY_TYPE` if it is no handle
   */
  getByHandle<T extends V>(
    handle: Handle<T>,
    options?: string | (ReadOptions & { copy?: false | undefined })
  ): DeepReadonly<T> | undefined
  getByHandle<T extends V>(handle: Handle<T>, options: ReadOptions & { copy: true }): T | undefined

  /** Whether there is an entry. A native call, except for a handle that the near cache has the value of. */
  has(key: K | Handle<V>): boolean

  /**
   * Stores a value. A new key comes last in the order of the map; a present one keeps its place. A handle must have an
   * entry.
   *
   * Costs a native call, and for objects the writing of JSON. In a full map others leave for it, unless `oomStrategy` says
   * something else.
   *
   * @param options how long the entry lives
   * @throws `ERR_MEMORY_LIMIT`, `ERR_VALUE_TOO_LARGE`, `ERR_EVICTION_FAILED`, `ERR_OUT_OF_MEMORY`; TypeError with
   * `ERR_VALUE_NOT_SERIALIZABLE`; for a handle what {@link TypedMap.replace} throws
   * @example
   * map.set('session', { user: 'ada' }, { ttl: 60_000 })
   */
  set(key: K | Handle<V>, value: V, options?: WriteOptions): this

  /** Deletes an entry; whether there was one. A native call. */
  delete(key: K | Handle<V>): boolean

  /** Deletes an entry and gives its value, `undefined` if there was none. A native call. */
  remove<T extends V>(handle: Handle<T>): DeepReadonly<T> | undefined
  remove(key: K | Handle<V>): DeepReadonly<V> | undefined

  /**
   * Makes room for this many entries at once, so that the index does not grow until there are more. Room for entries
   * themselves is made as they come.
   *
   * @throws {TypedMapError} `ERR_INVALID_OPTION` if `entries` is no integer from 0 to 2^32, `ERR_MEMORY_LIMIT` if so much
   * room does not fit under the limit.
   */
  reserve(entries: number): void

  /**
   * Gives back room in the index that the entries do not need, whether it was reserved or is left from more entries. The
   * index shrinks step by step with the writes that follow.
   */
  shrinkToFit(): void

  /**
   * Deletes all entries, for all threads. Returns at once; memory is given back little by little. Handles of before are
   * invalid for good.
   */
  clear(): void

  /**
   * The value of a key; the given one is stored first if there is none. No other thread can come in between.
   *
   * Costs a native call unless the near cache has the value.
   *
   * @param options how long an entry lives that is made here
   * @throws as `set`
   */
  getOrInsert(key: K | Handle<V>, value: V, options?: WriteOptions): DeepReadonly<V>

  /**
   * The value of a key; if there is none, what `callback` returns is stored first. Other threads may store a value while
   * the callback runs, and it is replaced then.
   *
   * @param options how long an entry lives that is made here
   * @throws as `set`, and what the callback throws
   * @example
   * const page = pages.getOrInsertComputed(path, render)
   */
  getOrInsertComputed(key: K | Handle<V>, callback: (key: K) => V, options?: WriteOptions): DeepReadonly<V>

  /**
   * Keys in the order in which they were first set; a handle for each entry without a key. Iterators are live: they visit
   * what is added and skip what is deleted before they come to it. The order is exact for entries of one thread; entries
   * that several threads add at the same moment may be in any order.
   *
   * Costs a native call for up to 256 entries.
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
   * Stores a value without a key, and gives its handle. Costs a native call, and for objects the writing of JSON.
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

  /** `set`, and the handle of the entry. */
  insertWithHandle(key: K | Handle<V>, value: V, options?: WriteOptions): Handle<V>

  /** The handle of a key's entry, `undefined` if there is none. A native call. */
  getHandle(key: K | Handle<V>): Handle<V> | undefined

  /**
   * Stores another value under a handle, which stays valid. A native call.
   *
   * @throws `ERR_HANDLE_NOT_FOUND`, `ERR_HANDLE_INVALIDATED`, `ERR_GENERATION_MISMATCH` or `ERR_INVALID_SHARD_INDEX` if there
   * is no entry; otherwise as `set`
   */
  replace<T extends V>(handle: Handle<T>, value: NoInfer<T>, options?: WriteOptions): this

  /**
   * The handle that `postMessage`, `structuredClone` or JSON made plain data of, in any thread that has the map open.
   * Whether its entry is there is not checked.
   *
   * @throws `ERR_HANDLE_INVALIDATED` if it is of another map; `ERR_INVALID_SHARD_INDEX` or `ERR_HANDLE_NOT_FOUND` if no entry
   * can be there; TypeError with `ERR_INVALID_OPTION` if it is no such data
   * @example
   * const config = map.get(map.handle(workerData.config))
   */
  handle<T extends V = V>(data: HandleData): Handle<T>

  /** The values of keys and handles in their order, `undefined` for what is not there. At most one native call. */
  getMany(items: Iterable<K | Handle<V>>): (DeepReadonly<V> | undefined)[]

  /**
   * Stores many values. One native call; all keys and values are checked before the first is written. Takes no handles.
   *
   * @param options how long the entries live
   * @throws as `set`; if a limit stops it, `details.written` says how many were stored
   */
  setMany(entries: Iterable<readonly [K, V]>, options?: WriteOptions): this

  /** `insert` for many values. One native call. Errors as with `setMany`. */
  insertMany<T extends V = V>(
    values: Iterable<IsAny<V> extends true ? T : NoInfer<T>>,
    options?: InsertOptions
  ): Handle<IsAny<V> extends true ? Stored<T> : T>[]

  /**
   * Replaces values of entries that are there, and passes over those that are not; how many were replaced. One native
   * call. Errors as with `setMany`.
   */
  updateMany(entries: Iterable<readonly [K | Handle<V>, V]>, options?: WriteOptions): number

  /** Deletes many entries; how many there were. One native call. */
  deleteMany(items: Iterable<K | Handle<V>>): number

  /**
   * The value of a key or handle, without counting as a read: it keeps nothing from being evicted and prolongs no life.
   *
   * Costs nothing when the near cache has the value, and is not kept there; otherwise a native call, and `JSON.parse` for objects.
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
   * Gives an entry its ttl anew, or another; whether there is one. A native call.
   *
   * @param options the new ttl; what the entry was written with unless given
   */
  touch(key: K | Handle<V>, options?: WriteOptions): boolean

  /**
   * Bytes that the map holds, everything counted, as its limit does. A native call.
   */
  memoryUsage(): number
  /** Bytes that an entry costs, `undefined` if there is none: key, value and what the map needs for it. A native call. */
  memoryUsage(key: K | Handle<V>): number | undefined

  /**
   * Removes entries that have expired and returns how many, at most about 4,096: two milliseconds of the caller's time. Call
   * it until it returns 0 to have them all gone this very moment. Nothing returns an expired entry in any case, and the
   * background thread removes what is left.
   */
  purgeExpired(): number

  /**
   * Lets entries go, as `evictionStrategy` chooses; how many. Those that have expired come first, and count.
   *
   * @param count how many at most, 1 unless given
   */
  evict(count?: number): number

  /**
   * Changes limits for all threads; those that are not given stay. `null` or `Infinity` is no limit. Returns at once: a map
   * that is above a lowered limit shrinks with the writes that follow, each of which evicts at least twice what it adds.
   *
   * @throws TypeError or RangeError with `ERR_INVALID_OPTION`, also for a map that was made without limits and without
   * `evictionStrategy`, which keeps no account of who could leave
   * @example
   * map.setLimits({ memoryLimit: '32mb', maxEntries: null })
   */
  setLimits(limits: Limits): void

  /**
   * What the map counts and measures, over all threads. Costs microseconds: it adds up all shards and threads.
   *
   * @example
   * console.log(`Cache hit rate: ${map.getStats().cacheHitRate}%`)
   */
  getStats(): TypedMapStats

  /**
   * Looks at everything that the map keeps, and says what does not fit: each entry against index, order, eviction, deadlines and
   * version words, and every count, that of bytes by use included, against what is there. For tests and for finding bugs
   * of this package: no use of the map, in whatever order, makes `ok` false.
   *
   * Works in slices of up to a millisecond in each turn of the event loop, and locks a shard for a fraction of that, so
   * it takes about a microsecond an entry in all and other threads go on. Counts are compared where no thread writes meanwhile;
   * where one does, it tries again a few times and then leaves them out.
   *
   * @throws nothing; the promise is rejected with `ERR_CLOSED` or `ERR_BROKEN`
   * @example
   * await map.validate() //=> { ok: true, problems: [] }
   */
  validate(): Promise<Validation>

  /**
   * Calls `listener` with each error that any thread gets from the map, `details.operation` saying from what. It is called
   * in this thread and in the async context of this call, some time later, and does not keep the process alive. If it throws,
   * that is an uncaught exception, and other listeners are called all the same. What cannot be delivered because this thread is
   * busy for too long is dropped, and told to `onLog` listeners as `events.dropped`.
   *
   * Listeners of all maps of a thread share 2 ms of each turn of its event loop.
   *
   * @returns a function that ends it
   */
  onError(listener: (error: TypedMapError) => void): () => void

  /**
   * Calls `listener` with what happens to the map, in any thread, from the option `logLevel` on. Otherwise as `onError`.
   *
   * @returns a function that ends it
   */
  onLog(listener: (line: LogLine) => void): () => void

  /**
   * Calls `listener` with each entry that leaves the map for one of `causes`, wherever it does. It is called as those of
   * {@link TypedMap.onError} are, in order and never twice. It may call the map. The map stays open in this thread until it is
   * closed or nothing listens.
   *
   * What a thread has not taken in yet is kept up to 4 MB; beyond that, `{ dropped }` takes the place of removals.
   *
   * @param options causes to be told of, `['evicted', 'expired']` unless given
   * @returns a function that ends it
   * @throws TypeError or RangeError with `ERR_INVALID_OPTION`
   * @example
   * const end = map.onEvict(({ key, value, cause }) => archive(key, value, cause), { causes: ['evicted'] })
   */
  onEvict(
    listener: (removal: Removal<K, V> | DroppedRemovals) => void,
    options?: { causes?: readonly RemovalCause[] | undefined }
  ): () => void

  /**
   * Calls `listener` with the ratio of memory to limit each time it passes one of `thresholds` upwards, in whatever thread. If
   * it returns `true`, entries are evicted until the ratio is below the threshold. Called like those of `onEvict`.
   *
   * @param options ratios above 0 and up to 1, `[0.8, 0.9, 0.95]` unless given
   * @returns a function that ends it
   * @throws TypeError or RangeError with `ERR_INVALID_OPTION`
   * @example
   * map.onPressure(ratio => ratio > 0.9)
   */
  onPressure(listener: (ratio: number) => unknown, options?: { thresholds?: readonly number[] | undefined }): () => void

  /**
   * Gives up this reference to the map. A thread that has given up all of them has left the map, and the last thread to leave
   * frees it; a thread that ends leaves all its maps. May be called again.
   */
  close(): void

  /** Ends the map for all threads: whatever they call from now on throws `ERR_CLOSED`. Closes it in this one. */
  destroy(): void

  /** The same as `close`, for `using`. */
  [Symbol.dispose](): void
}

/** The type of a value that was inserted into a map of `any`. */
type Stored<T> = [T] extends [Storable<T>] ? T : any
