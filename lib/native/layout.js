'use strict'

// Made of `src/binding/layout.rs` by `npm run build`: numbers that JavaScript and Rust agree on.

/** Length of the scratch array in 32-bit words, both areas for records included. */
const SCRATCH_LENGTH = 81984

/** Where JavaScript writes records, in bytes from the start of the scratch array. */
const RECORDS_IN = 256

/** Bytes of that area. Those of a batch lie there together. */
const RECORD_AREA_BYTES = 262144

/** Where JavaScript reads a record, in bytes from the start of the scratch array. */
const RECORDS_OUT = 262400

/** Bytes of the longest record. A longer value is stored as text. */
const MAX_RECORD_BYTES = 65536

/** Where a record lies is its start in the area, shifted by so many bits, and its length. */
const RECORD_LEN_BITS = 17

/** Texts of a record up to so many bytes cross as one string. A field that is cut out of it keeps all of it alive. */
const JOINED_TEXT_BYTES = 1024

/** Steps of the longest pointer that is followed natively. */
const MAX_POINTER_STEPS = 64

/** Hits of a near cache for each that is timed, on average, in a map that times operations. */
const NEAR_SAMPLING = 4096

/** Numbers that remember what a map has measured, for `latencySince`. */
const LATENCY_MARK = 5760

/** Characters of the longest glob. */
const MAX_GLOB = 1024

/**
 * Index of the ttl of the next write, as a float64: 0 for the map's own, below that for the one that the entry has,
 * else milliseconds.
 */
const SCRATCH_TTL = 31

/** Index of what a counter is incremented by, as a float64, like the five that follow. */
const STEP_BY = 24

/** Index of the number that a counter begins with. */
const STEP_INITIAL = 25

/** Index of the least number that a counter may become. */
const STEP_MIN = 26

/** Index of the greatest number that a counter may become. */
const STEP_MAX = 27

/** Index of what is not 0 if the ttl is asked for, and of the ttl afterwards. */
const STEP_TTL = 28

/** Index of the number that a counter is afterwards; of a bigint, 1 if it has changed, else 0. */
const STEP_VALUE = 29

/** Index of the ticket of a load, as a float64. */
const LOAD_TICKET = 20

/** Index of the token of a load that is owned, as a float64. */
const LOAD_TOKEN = 21

/** Numbers in a row that says all about an entry: STATE to SIZE, at the indexes of SCRATCH. */
const ROW = 9

/**
 * Index of a value that is a number in a row of a batch: an int32, or a float64 in two places. Even, for the float64.
 */
const NUMBER = 10

/** Index in a row of a batch that goes in: 1 for a handle, 0 for a key. */
const IS_HANDLE = 9

/**
 * Index of the ttl of an item in a row of a batch that goes in: a float64 like that of a write, 0 for that of the
 * batch.
 */
const ITEM_TTL = 6

/** Numbers per item in the table of a batch: a row, whether it is a handle, then the number. */
const BATCH_ROW = 12

/** Numbers per entry in the `states` of candidates: a row, then the kind of the key. */
const WALK_ROW = 10

/** Index of the key's kind in a row of a walk; 0 there says that the entry has no key. */
const KEY_KIND = 9

/**
 * Index in a row of a walk of a key that is a number, as NUMBER has a value. For other keys, and for a value that is a
 * string, the first number of the two is where it ends in its text, the second one of `IN_TEXT`.
 */
const KEY_NUMBER = 12

/** Index in a row of a walk of the entry's sequence number, a float64. */
const SEQUENCE = 14

/** Index in a row of a walk of what the word of the entry's shard said (`changes`) before the entry was read. */
const SEEN = 16

/** Numbers per entry in the table of a walk: a row, the kind of the key, value, key, sequence and SEEN. */
const STEP_ROW = 18

/**
 * Numbers per entry in the `states` of removals: as of candidates, then the cause and the bytes of an omitted value.
 */
const REMOVAL_ROW = 12

/** Index of the cause in a row of a removal: a number of CAUSE, or of `WRITTEN_BY` in a row of a change. */
const REMOVED_BY = 10

/** Index in a row of a removal of the bytes of a value that was too large to carry; 0 if the value is there. */
const OMITTED_BYTES = 11

/** Hits of a near cache of which one is sampled, on average, in a map that samples them. */
const NEAR_INTERVAL = 8192

/** In place of a chunk: no copy of this value is to be kept. Its version is 0 then, which no kept copy has. */
const UNKEPT = 4294967295

/**  */
const BEGUN = Object.freeze({
  /** The key has an entry. */
  PRESENT: 0,
  /** The caller owns the load, under the token at `LOAD_TOKEN`. */
  OWNED: 1,
  /** There is a load already, which this map knows by the ticket at `LOAD_TICKET`. */
  JOINED: 2,
  /** The value of an expired entry is there, and is being loaded. `staleValue` returns it. */
  STALE: 3,
  /** The same, where the caller owns the load. */
  STALE_OWNED: 4
})

/** Why an entry, or a value of it, is gone. */
const CAUSE = Object.freeze({
  explicit: 1,
  replaced: 2,
  evicted: 3,
  expired: 4,
  cleared: 5
})

/**  */
const ENDED = Object.freeze({
  /** The load was not the caller's any more: the waiters get nothing, and nothing was stored. */
  FENCED: 0,
  /** The waiters get the value, and nothing was stored. */
  UNSTORED: 1,
  /** The value was stored. */
  STORED: 2
})

/**  */
const FRESHNESS = Object.freeze({
  /** The key has no entry. */
  ABSENT: 0,
  /** It is not to be loaded yet, and copies that were made before end when it is. */
  WATCHED: 1,
  /** It is not to be loaded yet. */
  UNWATCHED: 2,
  /** It is being loaded. */
  LOADING: 3,
  /** The caller loads it, and owns the load under the token at `LOAD_TOKEN`. */
  OWNED: 4
})

/** Where a string of a walk is. */
const IN_TEXT = Object.freeze({
  /** A string goes on in the text of the one before. */
  GOES_ON: 0,
  /** It is the first of a text, which is the next cell. */
  BEGINS: 1,
  /** It is the next cell itself. */
  ALONE: 2
})

/** What a key is. An entry without one is `Keyless`. */
const KEY = Object.freeze({
  Keyless: 0,
  String: 1,
  Utf16: 2,
  Int: 3,
  Float: 4,
  BigInt: 5,
  True: 6,
  False: 7,
  Null: 8,
  Undefined: 9,
  Bytes: 10
})

/** How a value is stored. Kinds of bytes start at `Uint8Array`. */
const KIND = Object.freeze({
  Undefined: 1,
  Null: 2,
  False: 3,
  True: 4,
  Int: 5,
  Float: 6,
  String: 7,
  Utf16: 8,
  BigInt: 9,
  Json: 10,
  Shaped: 11,
  Uint8Array: 16,
  Buffer: 17,
  Int8Array: 18,
  Uint8ClampedArray: 19,
  Int16Array: 20,
  Uint16Array: 21,
  Int32Array: 22,
  Uint32Array: 23,
  Float32Array: 24,
  Float64Array: 25,
  BigInt64Array: 26,
  BigUint64Array: 27,
  Float16Array: 28,
  Encoded: 29,
  EncodedText: 30,
  EncodedUtf16: 31
})

/** Numbers of log levels, in rising order; a listener gets its own level and everything above. */
const LEVEL = Object.freeze({
  trace: 0,
  debug: 1,
  info: 2,
  warn: 3,
  error: 4,
  off: 5
})

/**  */
const LOAD_FAILURE = Object.freeze({
  /** The load was another's by then. */
  NOT_OWNED: 0,
  /** It has ended. */
  OWNED: 1,
  /** So has one in the background, and nothing listens to errors. */
  UNHEARD: 2
})

/**
 * What a near-cache hit has to record, as `open` says it: nothing, or the hit in order; any other number is the limit
 * of the access word.
 */
const MARKING = Object.freeze({
  None: 0,
  Order: -1
})

/**  */
const NEED = Object.freeze({
  /** Nothing waits for a load any more. */
  NOTHING: 0,
  /** Only what runs its loader waits for it. */
  OUTCOME: 1,
  /** Something waits that would run its own loader. */
  TURN: 2
})

/**  */
const NOTICES = Object.freeze({
  /** There is no notice. */
  NONE: 0,
  /** The load brought a value. */
  LOADED: 1,
  /** The load failed. */
  FAILED: 2,
  /** The load is the receiver's, under the token at `LOAD_TOKEN`. */
  GRANTED: 3,
  /** The receiver's load has ended, because nothing waits for it. */
  UNWANTED: 4,
  /** The map has ended, with all loads. */
  OVER: 5
})

/** Index in the scratch array, in which a native call leaves what it has to say besides its result. */
const SCRATCH = Object.freeze({
  /** 0 = absent, else the number of the value's kind. */
  STATE: 0,
  /** Value of the entry's version word. */
  VERSION: 1,
  /** Shard of the entry's handle. */
  SHARD: 2,
  /** Slot of the entry's handle. */
  SLOT: 3,
  /** Generation of the entry's handle. */
  GENERATION: 4,
  /** Chunk that holds the entry's version word. */
  CHUNK: 5,
  /** Index of the version word in its chunk. */
  WORD: 6,
  /** Number of the entry's type, 0 for none. */
  TYPE: 7,
  /** Bytes that the value takes in the store. */
  SIZE: 8,
  /** 1 if a write replaced a value, 0 if it made an entry. */
  REPLACED: 9,
  /** How many items of a batch were written. */
  WRITTEN: 10,
  /** How many items of a batch were dealt with, skipped ones included. */
  PASSED: 11,
  /** How many removals were dropped for lack of room, after those that `takeRemovals` or `takeChanges` returned. */
  DROPPED: 12,
  /** How many rows `walk`, `scan`, `candidates`, `takeRemovals` or `takeChanges` wrote. */
  COUNT: 13,
  /** Shard in which a scan goes on; the number of shards at its end. */
  NEXT_SHARD: 14,
  /** Slot at which a scan goes on. */
  NEXT_SLOT: 15,
  /** What tells the value that `getVersion` returned from those before and after it. */
  SEEN_VERSION: 16,
  /** What `takeLoad` took out, one of NOTICE. */
  NOTICE: 17,
  /** 1 if more changes may wait behind those that `takeChanges` returned, else 0. */
  HAS_MORE: 18
})

/** Index of a figure of a shard, among those of the shard. */
const SHARD_FIGURES = Object.freeze({
  entries: 0,
  handles: 1,
  deadlines: 2,
  stale: 3,
  live: 4,
  keys: 5,
  values: 6,
  retired: 7,
  explicit: 8,
  replaced: 9,
  evicted: 10,
  expired: 11,
  cleared: 12,
  loaded: 13,
  failures: 14,
  shared: 15,
  underWay: 16,
  acquisitions: 17,
  waits: 18,
  waitNs: 19,
  capacity: 20,
  loadFactor: 21,
  meanProbe: 22,
  longestProbe: 23,
  collisions: 24,
  growths: 25,
  shrinks: 26,
  migrationProgress: 27
})

/** What became of a step of a counter inside of an object. */
const STEPPED = Object.freeze({
  /** Nothing was written. */
  NOT: 0,
  /** The number was. */
  WRITTEN: 1,
  /** The value has to be made anew with the number in it, if it is still the one that was seen. */
  TO_BE_MADE: 2,
  /** There is no such entry. */
  ABSENT: 3
})

/** What log lines are about: the names follow `typedmap.`. */
const TARGET = Object.freeze({
  operations: 0,
  performance: 1,
  memory: 2,
  lifecycle: 3
})

/**  */
const TIMED = Object.freeze({
  get: 0,
  set: 1,
  insert: 2,
  delete: 3,
  load: 4
})

/** What waits for a subscription that rang. */
const WAKE = Object.freeze({
  /** Events, for `drain`. */
  EVENTS: 0,
  /** Removals, for `takeRemovals`. */
  REMOVALS: 1,
  /** Pressure, for `takePressure`; the subscription's number comes with it. */
  PRESSURE: 2,
  /** `takeLoad` has something. */
  LOADS: 3,
  /** Promises, for `takeNotices`. */
  PENDING: 4,
  /** Errors that nothing else hears, for `takeUnheard`; the number of the evaluation comes in place of a map's. */
  UNHEARD: 5,
  /** Changes, for `takeChanges`; the listener's number comes with it. */
  CHANGES: 6
})

/** What `walk` is asked for. */
const WANT = Object.freeze({
  /** `walk` returns the keys. */
  KEYS: 1,
  /** `walk` returns the values. */
  VALUES: 2,
  /** `walk` returns both. */
  ENTRIES: 3
})

/** What became of an entry that is there: numbers that no cause has. */
const WRITTEN_BY = Object.freeze({
  created: 6,
  updated: 7
})

module.exports = {
  SCRATCH_LENGTH,
  RECORDS_IN,
  RECORD_AREA_BYTES,
  RECORDS_OUT,
  MAX_RECORD_BYTES,
  RECORD_LEN_BITS,
  JOINED_TEXT_BYTES,
  MAX_POINTER_STEPS,
  NEAR_SAMPLING,
  LATENCY_MARK,
  MAX_GLOB,
  SCRATCH_TTL,
  STEP_BY,
  STEP_INITIAL,
  STEP_MIN,
  STEP_MAX,
  STEP_TTL,
  STEP_VALUE,
  LOAD_TICKET,
  LOAD_TOKEN,
  ROW,
  NUMBER,
  IS_HANDLE,
  ITEM_TTL,
  BATCH_ROW,
  WALK_ROW,
  KEY_KIND,
  KEY_NUMBER,
  SEQUENCE,
  SEEN,
  STEP_ROW,
  REMOVAL_ROW,
  REMOVED_BY,
  OMITTED_BYTES,
  NEAR_INTERVAL,
  UNKEPT,
  BEGUN,
  CAUSE,
  ENDED,
  FRESHNESS,
  IN_TEXT,
  KEY,
  KIND,
  LEVEL,
  LOAD_FAILURE,
  MARKING,
  NEED,
  NOTICES,
  SCRATCH,
  SHARD_FIGURES,
  STEPPED,
  TARGET,
  TIMED,
  WAKE,
  WANT,
  WRITTEN_BY
}
