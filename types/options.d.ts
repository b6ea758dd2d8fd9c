// Options of a map, limits among them, and of its calls.
// biome-ignore-all lint/suspicious/noExplicitAny: a function of keys takes those of its own map

// biome-ignore-all lint/suspicious/noExplicitAny: a codec takes any value

import type { EvictionFunction, EvictionStrategy, OomFunction, OomStrategy } from './eviction.js'
import type { LogLevel, LogTarget } from './events.js'
import type { DeepReadonly, MapKey } from './keys-and-values.js'
import type { TypedMap } from './map.js'
import type { TypedMapStats } from './stats.js'

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

/**
 * Functions that store the values of a map in a form of their own. They are called as methods of this object, never
 * under a lock, and may use maps themselves. An error that they throw passes unchanged through the call that needed
 * them, and nothing is written by it.
 */
export interface Codec {
  /**
   * Makes of a value what is stored: bytes, or text. Called for each value that is written, also for numbers, texts
   * and `undefined`. It is synchronous; it may return memory that it uses again at its next call.
   */
  encode(value: any): Uint8Array | string
  /**
   * Makes the value again: of bytes, which are its own in memory of their own, if `encode` returned bytes, of text if
   * it returned text. Called at each read of a value. What it returns is the value, a promise too.
   */
  decode(encoded: any): any
  /**
   * What its values are stored as: a media type of at most 255 characters, such as `'application/msgpack'`. It tells
   * codecs apart: a thread that opens the map has to pass functions with the same one.
   */
  contentType: string
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
  /**
   * Whether the map recovers by itself after a failure of native code broke it: at most `attempts` times in its life (3
   * by default), each given up after `timeout` milliseconds (30,000 by default). An attempt begins with the call that
   * broke the map, or the next one that it refuses. `false`, the default: only {@link TypedMap.recover} does it.
   */
  autoRecovery?:
    | false
    | {
        /** Recoveries in the life of the map, 3 by default. */
        attempts?: number | undefined
        /** Milliseconds after which one is given up, 30,000 by default. */
        timeout?: number | undefined
      }
    | undefined
  /**
   * How values are stored. `'json'`, the default: as JSON, whose fields can be read alone. `'v8'`: as `serialize` of
   * `node:v8` writes them, so that `Date`, `Map`, `Set`, `RegExp`, `Error`, bigints, `undefined`, typed arrays and
   * cycles come back as such, and functions are refused. An object is a codec of yours.
   *
   * With another codec than `'json'` each read decodes the value anew, so it belongs to the reader, is not frozen, and
   * is never in the near cache. Limits in bytes count what the codec makes. What looks into values throws
   * `ERR_WRONG_TYPE`: option `at` of reads, `increment`, `compareAndSet`, and `where` of queries. The type of such a
   * map is `TypedMap<K, Encoded<V>>`, see {@link Encoded}.
   *
   * A thread that opens the map without this option reads and writes as the map does; functions belong to the thread,
   * so it has to pass them, or gets `ERR_INVALID_OPTION`. `'v8'` data of unknown origin is not safe to load: the
   * format is not made for bytes of unknown origin.
   */
  codec?: 'json' | 'v8' | Codec | undefined
  /** Entries to make room for at once. The map grows without pauses, so this saves work only. */
  initialCapacity?: number | undefined
  /** Fill at which an index table grows, 0.25 to 0.95. Lower is faster and larger. */
  maxLoadFactor?: number | undefined
  /**
   * Independent parts of the map, a power of two up to 4,096; two threads that write to one part wait for each other.
   * The default follows the number of cores; it is 1 for a map with an `oomStrategy` function.
   */
  shards?: number | undefined
  /**
   * The hash function of keys. `'ahash'`, the default, and `'siphash'` (SipHash-2-4) keep who chooses keys from making
   * many that collide, as long as the seed is unknown. `'xxh3'` and `'fnv1a'` do not: they are for keys that you trust.
   * Up to some hundred bytes none is faster than `'ahash'`; from a thousand bytes on `'xxh3'` is.
   */
  hash?: 'ahash' | 'siphash' | 'xxh3' | 'fnv1a' | undefined
  /**
   * Seed of the hash function, an integer or bigint of 64 bits. Random for each map by default. With one seed, the same
   * keys come to the same shards and the same order of a scan in each map of one version on one kind of processor. It
   * is a secret: no error and no inspection shows it.
   */
  seed?: number | bigint | undefined
  /**
   * Whether strings that differ in case only are one key: `'Content-Type'` and `'content-type'`. By Unicode's simple
   * case folding (version 16), one character for one, whatever the language: `'ς'` is `'σ'`, the sign of Kelvin is
   * `'k'` and `'ẞ'` is `'ß'`, but `'ß'` is not `'ss'`, and `'İ'` is not `'i'`. `false` by default.
   *
   * An entry keeps its key as it was first spelled; that is what `keys()`, scans and listeners give. Globs ignore case,
   * too. Each native call folds the key: for a short one about 30 ns, beyond ASCII about 15 ns for each character. A
   * near cache knows a value by each spelling that it was read by.
   */
  caseInsensitiveKeys?: boolean | undefined
  /**
   * A function that makes a key of what is given as one: `key => key.normalize('NFC').trim()`. Every method passes each
   * key through it, once, before it does anything else; handles are not passed. The map has what it returns, calls
   * callbacks with that, and gives that back. A glob goes through it, too, and has to come out as a string.
   *
   * It must return a key, the same for the same key each time. Anything else, a promise or a handle for example, is
   * `ERR_KEY_TYPE`, and so is `undefined` for another key than that. What it throws is handed on, and the map is
   * unchanged. It may use the map.
   *
   * It belongs to the thread, but a map that was made with one has it for good: a thread that opens the map without
   * one is refused with `ERR_INVALID_OPTION`, and so is one that brings one to a map without. That the functions of all
   * threads agree is yours to see to.
   */
  normalizeKey?: ((key: any) => MapKey) | undefined
  /**
   * Whether operations are timed, for {@link TypedMapStats.latency}; `false` by default. One native call in sixteen
   * reads the clock, and one near hit in 4,096. Near hits take up to 15 % longer, native calls up to 5 %. 46 KB for
   * each thread that has the map open.
   */
  latency?: boolean | undefined
  /**
   * Whether reads are sampled, so that `getHotKeys` knows which keys are read most; `false` by default. It belongs to
   * the map: every thread that opens it samples. Costs a native read two to three per cent, a near-cache hit a
   * twentieth at most, and 64 KB a thread beside the limits.
   */
  hotKeys?: boolean | undefined
  /**
   * Whether a sample of the reads is followed in ghost caches, which know keys and no values, so that `advise` says how
   * often reads would hit with half and with twice the memory; `false` by default. It belongs to the map. 0.6 MB at
   * most, which counts as the map's; a native read takes some 20 ns more, and one in four or fewer up to half a
   * microsecond. Near hits cost nothing.
   */
  ghostCache?: boolean | undefined
  /**
   * How long operations may take, in milliseconds, each native call of `get`, `set`, `insert` and `delete`, and each
   * loader (`load`). With targets, every native call is timed, which takes it some 50 ns, and one that takes longer is
   * counted in {@link TypedMapStats.slow} and logged to `typedmap.performance` ({@link TypedMap.onLog}).
   *
   * Without targets, calls are timed only while something listens to `typedmap.performance`; the targets are 0.5 ms for
   * `get`, 2 ms for writes and 1 s for loaders then.
   */
  timeTargets?:
    | {
        /** Reads of a value that are native calls. */
        get?: number | undefined
        /** Writes of a key, or of an entry that is there. */
        set?: number | undefined
        /** Insertions without a key. */
        insert?: number | undefined
        /** Deletions. */
        delete?: number | undefined
        /** Loaders of `getOrLoad` and `getManyOrLoad`. */
        load?: number | undefined
      }
    | undefined
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
  nearCache?:
    | false
    | {
        /** Values, from 1. */
        maxEntries?: number | undefined
        /** Bytes, or text such as `'8mb'`. */
        maxBytes?: number | string | undefined
      }
    | undefined
  /**
   * The least level that {@link TypedMap.onLog} listeners receive unless they name another: `'info'` by default.
   * Nothing is ever printed.
   *
   * It belongs to the thread, like `nearCache`.
   */
  logLevel?: LogLevel | undefined
  /**
   * What log lines are about that {@link TypedMap.onLog} listeners receive unless they name others: all by default.
   *
   * It belongs to the thread, like `nearCache`.
   */
  logTargets?: readonly LogTarget[] | undefined
}

/**
 * The options of a map as {@link TypedMap.options} shows them: under one name each (`memoryLimit`, `ttl`,
 * `enableSIMD`), in bytes and milliseconds, with the defaults of what was not given. An option that is missing is not
 * set: there is no such limit, no such function. A function is shown as `'function'`, a codec by its content type. A
 * seed is never shown.
 */
export interface ShownOptions {
  /** Bytes. As the other limits, the one that the map was made with; `getStats().limits` has the present ones. */
  readonly memoryLimit?: number
  /** Entries. */
  readonly maxEntries?: number
  /** Bytes of one value. */
  readonly maxValueBytes?: number
  /** The policy of a map that evicts. */
  readonly evictionStrategy?: EvictionStrategy | 'function'
  /** What becomes of a write that has no room. */
  readonly oomStrategy:
    | 'evict'
    | 'reject'
    | 'evict-expired'
    | 'function'
    | {
        /** Milliseconds. */
        readonly evictIdle: number
      }
  /** Milliseconds. */
  readonly ttl?: number
  /** What a write does to a deadline. */
  readonly ttlOnUpdate: 'renew' | 'keep'
  /** Whether reads renew the ttl. */
  readonly sliding: boolean
  /** Whether near caches keep nothing that has a deadline. */
  readonly strictTtl: boolean
  /** Recoveries, and the milliseconds that one may take. */
  readonly autoRecovery:
    | false
    | {
        /** Recoveries. */
        readonly attempts: number
        /** Milliseconds. */
        readonly timeout: number
      }
  /** `'json'`, `'v8'`, or a content type. */
  readonly codec: string
  /** Entries that there was room for from the beginning. */
  readonly initialCapacity?: number
  /** Fill at which an index table grows. */
  readonly maxLoadFactor: number
  /** Number of shards. */
  readonly shards: number
  /** Hash of keys. */
  readonly hash: 'ahash' | 'siphash' | 'xxh3' | 'fnv1a'
  /** Whether upper and lower case are one. */
  readonly caseInsensitiveKeys: boolean
  /** Whether a function makes keys. */
  readonly normalizeKey?: 'function'
  /** Whether operations are timed. */
  readonly latency: boolean
  /** Whether reads are sampled. */
  readonly hotKeys: boolean
  /** Whether a sample of the reads is followed in ghost caches. */
  readonly ghostCache: boolean
  /** Milliseconds by operation. */
  readonly timeTargets?: Readonly<Partial<Record<'get' | 'set' | 'insert' | 'delete' | 'load', number>>>
  /** Whether SIMD instructions may be used. */
  readonly enableSIMD: boolean
  /** The near cache of this object. Without `maxBytes`, that follows from the limit of the map. */
  readonly nearCache:
    | false
    | {
        /** Values. */
        readonly maxEntries: number
        /** Bytes. */
        readonly maxBytes?: number
      }
  /** The default of this object's listeners. */
  readonly logLevel: LogLevel
  /** Likewise. */
  readonly logTargets: readonly LogTarget[]
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

/** Options of `getOrInsert` and `getOrInsertComputed`. */
export interface PutOptions {
  /** How long an entry lives that is made here, in milliseconds. `Infinity` for ever, the map's own by default. */
  ttl?: number | undefined
  /** Returns `{ value, inserted }`. Of all threads that ask for a missing key at once, one inserts. */
  withState?: boolean | undefined
}

/** What `getOrInsert` and `getOrInsertComputed` return with `withState`. */
export interface Put<V> {
  /** The value that is there now. */
  value: V
  /** Whether this call inserted it. */
  inserted: boolean
}

/** What a loader is given besides the key. */
export interface LoaderContext<V> {
  /** Aborts when nothing waits any more for what the loader brings: calls ended early, or the map has ended. */
  readonly signal: AbortSignal
  /** The value that is being refreshed; `undefined` if there is none. */
  readonly stale: DeepReadonly<V> | undefined
}

/** Brings the value of a key. `undefined` says that there is none. */
export type Loader<K, V> = (
  key: K,
  given: LoaderContext<V>
) => V | undefined | void | PromiseLike<V | undefined> | PromiseLike<void>

/** Options of `getOrLoad` and `getManyOrLoad`. */
export interface LoadOptions<V> {
  /**
   * How long the entry lives, in milliseconds, or a function that says so of the value that was loaded. `Infinity` for
   * ever, the map's own by default.
   */
  ttl?: number | ((value: V) => number | undefined) | undefined
  /** How long `undefined` is stored, in milliseconds. By default it is not. */
  negativeTtl?: number | undefined
  /**
   * After so many milliseconds, the next such call loads the entry again in the background, and is answered with the
   * value that is there. Counted from when it was loaded; where it was written otherwise, from the first such read. If
   * the refresh fails, the value stays, `onError` hears of it, and the next call tries again. By default
   * nothing is refreshed. Calls with a key of more than 256 characters, or of bytes, are always native ones.
   */
  refreshAfter?: number | undefined
  /**
   * For how many milliseconds after its deadline the value is kept for `getOrLoad` and `getManyOrLoad` alone. To
   * everything else the entry has expired. A call for it is answered at once with that value, while one loader runs in
   * the background; it gets the value as `stale`. If it fails, `onError` hears of it, and the next call
   * tries again. A write or a deletion of the key drops the value, and it is the first to go where room is needed.
   * Values of more than 1 MB are not kept. By default none is. `Infinity` for as long as there is room.
   */
  staleFor?: number | undefined
  /**
   * How long this call waits, in milliseconds, before it is rejected with `ERR_TIMEOUT`. The loader goes on if another
   * call waits for it. By default it waits for as long as it takes. From 1 to 2^31 − 1.
   */
  timeout?: number | undefined
  /** Ends this call, which is rejected with its reason. The loader goes on if another call waits for it. */
  signal?: AbortSignal | undefined
}

/** Options of `update`. */
export interface UpdateOptions {
  /** How often it is tried again when the entry has changed meanwhile: 1,000 times by default. */
  retries?: number | undefined
  /** How long the entry lives, in milliseconds. `Infinity` for ever, the map's own by default. */
  ttl?: number | undefined
}

/** What `compareAndSet` returns. */
export interface Compared<V> {
  /** Whether the value was the expected one, and is the next one now. */
  swapped: boolean
  /** The value that is there now; `undefined` for a missing key. */
  value: V
}

/** Options of `increment`. */
export interface IncrementOptions<N extends number | bigint> {
  /** What a missing key begins at: the first result is `initial + by`. 0 by default. */
  initial?: N | undefined
  /** How long an entry lives that is made here, in milliseconds. `Infinity` for ever, the map's own by default. */
  ttl?: number | undefined
  /** The least result. */
  min?: N | undefined
  /** The greatest result. */
  max?: N | undefined
  /** Returns `{ value, ttl, changed }`, also where the result is outside of `min` and `max`. */
  withTtl?: boolean | undefined
  /**
   * Where the number is in an object or array: a JSON pointer, such as `'/visits'` or `'/days/0/count'`; `''`, the
   * default, is the value itself. A name that an object does not have yet begins at `initial`; the object around it has
   * to be there. A missing key gets an object with this one field, so its pointer has one name. JSON has no bigints, so
   * the arguments are numbers.
   */
  at?: string | undefined
}

/** What `increment` returns with `withTtl`. */
export interface Incremented<N extends number | bigint> {
  /** The value afterwards; `initial` if there is no entry. */
  value: N
  /** Milliseconds until the entry expires, `Infinity` if it never does. */
  ttl: number
  /** Whether the value is another one than before: false where the result is outside of `min` and `max`. */
  changed: boolean
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
   * Name of the entry's type, for reads that check it and for {@link TypedMap.ofType}: at most 4,096 bytes, and 65,536
   * different names at a time. A name counts as memory of the map as long as an entry has it, and so do 8 bytes for
   * each entry of a type.
   */
  type?: string | undefined
}
