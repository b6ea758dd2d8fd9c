// biome-ignore-all lint/suspicious/noExplicitAny: a map without type arguments is a map of any, as Map is

// Errors and their codes.

/** Every error code with its number. */
export declare const ERROR_NUMBERS: {
  /** The handle's entry is gone, and the call needs one. */
  readonly ERR_HANDLE_NOT_FOUND: 1001
  /**
   * `details`: `expected` and `found`, which is `null` for an entry without a type; with `at`, the pointer of a field
   * that is not what the call is about; with `of: 'value'`, words for the value that is not.
   */
  readonly ERR_WRONG_TYPE: 1002
  /** The handle belongs to another map, or its map was cleared or destroyed. */
  readonly ERR_HANDLE_INVALIDATED: 1003
  /** The handle's entry is gone, and its slot holds a newer entry. `details`: `given` and `found`. */
  readonly ERR_GENERATION_MISMATCH: 1004
  /** A forged or corrupted handle. `details`: `shard` and `shards`. */
  readonly ERR_INVALID_SHARD_INDEX: 1005
  /**
   * `details`: `requestedBytes`, `usedBytes`, `limitBytes`, and as `scope` whose limit it is: `'map'`, or `'process'`
   * for that of `TypedMap.setProcessLimit`; or `limitEntries`; and `written` for a batch.
   */
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
  /**
   * Others changed the entry during each attempt, or what a transaction had read. `details`: `retries`, and of a
   * transaction `keys`: those that were changed, bigints as text, and handles of entries without a key as `HandleData`.
   */
  readonly ERR_TRANSACTION_CONFLICT: 1014
  /**
   * The transaction is over, or its callback is running. `details`: `state`, which is `committed`, `rolledBack`,
   * `conflict`, `ended`, `running` or `nested`.
   */
  readonly ERR_TRANSACTION_CLOSED: 1015
  /** An internal failure left the map in doubt; it refuses further use until `recover()`, and the process lives. */
  readonly ERR_BROKEN: 1020
  /**
   * The addon cannot be loaded here; `require` of the package throws this. `details`: `reason`, a `NativeReason`;
   * `platform`, `arch`, `libc` (`null` if unknown), `node`; `package`, the one that should have the addon; `tried`,
   * what was said of each place. `cause` is the error of the loader.
   */
  readonly ERR_NATIVE_UNAVAILABLE: 1024
  /** A result that is not allowed; the entry is unchanged. `details`: `reached` and `allowed`, in words. */
  readonly ERR_OUT_OF_RANGE: 1025
  /**
   * A value does not fit the schema of a view; nothing was written. `details`: `type`, the name, and `issues`, an array
   * of `{ message, path }` as the schema reported them, `path` an array of keys.
   */
  readonly ERR_VALIDATION: 1026
  /**
   * A call of `getOrLoad` or `getManyOrLoad` waited longer than it should, or a recovery that the map began by itself
   * took longer (`details.operation` is `'recover'`). `details`: `timeout`, in milliseconds.
   */
  readonly ERR_TIMEOUT: 1027
  /**
   * A `TypeError`: a query that is none. `details`: `at`, a JSON pointer to where in the query, and `allowed`, what may
   * be there, in words.
   */
  readonly ERR_INVALID_QUERY: 1028
  /** The transaction is about too much. `details`: `keys`, `limitKeys`, `bytes`, `limitBytes`. */
  readonly ERR_TRANSACTION_TOO_LARGE: 1030
  /** The clock of a test was restored, or another one was set in its place. */
  readonly ERR_CLOCK_ENDED: 1031
  /**
   * As many jobs (`find`, `count`, `deleteWhere`, `deletePrefix`) of this process wait or are under way as may be.
   * `details`: `limit`; nothing, if the system starts no thread for the job.
   */
  readonly ERR_TOO_MANY_JOBS: 1032
  /** A load in the background failed: the entry keeps its value. No call throws it; `cause` is what the loader threw */
  readonly ERR_REFRESH_FAILED: 1033
  /** No thread removes expired entries: each is removed when something meets it. No call throws it. */
  readonly ERR_EXPIRY_UNATTENDED: 1034
}

/** Why the addon cannot be loaded: the README says what to do about each. */
export type NativeReason =
  | 'bundle'
  | 'cpu'
  | 'damaged'
  | 'file-missing'
  | 'glibc-too-old'
  | 'load-failed'
  | 'lock-file'
  | 'no-addons'
  | 'optional-omitted'
  | 'other-platform'
  | 'other-version'
  | 'package-missing'
  | 'permission'
  | 'platform-unsupported'
  | 'wrong-libc'

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
