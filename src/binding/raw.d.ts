/* The operations that are called often: Node-API callbacks without generated glue, see src/binding/exports.rs.
 *
 * `id` is the number of an open map of this evaluation. What an operation says besides its result stands in the
 * scratch array that `attach` gives (src/binding/layout.rs, lib/native/layout.js). `kind` is the number of a value
 * kind, and a value has the form that belongs to its kind: JSON text, a number, a string, a bigint, or a `Uint8Array`
 * over the bytes. Writes, and `touch`, take the ttl that the scratch array asks for at SCRATCH_TTL, and put 0 in its
 * place. Every operation throws what `makeError` makes, with 1010 for an id that is not open.
 *
 * The functions below these are generated from Rust. */

/**
 * A row of BATCH_ROW numbers for each item of a batch. Going in: for a handle, its numbers and 1 as IS_HANDLE, else 0;
 * for a value, its kind as STATE and, as NUMBER, a number, or where its record begins and how long it is. Coming out:
 * STATE to SIZE, and NUMBER.
 */
type Table = Uint32Array

/** What an operation is about: a key, or the numbers of a handle. */
type Target = readonly [key: unknown] | readonly [shard: number, slot: number, generation: number]

/**
 * Once per evaluation of the package, before anything else: the result has the operations below this one as its
 * properties, and `evaluation`, a number that stands for the evaluation where no map does, and `scratch`, which has 64
 * places and an `ArrayBuffer` of its own. They belong to the evaluation: what they say goes to its `scratch`, what
 * they throw is made by its `makeError`. `details` is JSON text. `onWake` is called some time after something began to
 * wait for a subscription to the map of this `id`: `what` is a number of WAKE, `number` that of the subscription to
 * pressure, else 0. `spread` calls `receive(...array.slice(from, to))`, `append` adds its values to the array: the
 * engine passes many arguments faster than many elements (src/binding/engine/many.rs). All of it, and `shared`, is
 * kept as long as one of the operations is.
 */
export declare function attach(
  makeError: (number: number, details: string) => Error,
  onWake: (id: number, what: number, number: number) => void,
  spread: (receive: (...values: unknown[]) => void, array: readonly unknown[], from: number, to: number) => void,
  append: (array: unknown[], ...values: unknown[]) => void,
  shared: object
): { evaluation: number; scratch: Uint32Array<ArrayBuffer> }
/** Calls a function outside of every async context: what it starts keeps none of those that the caller runs in. */
export declare function atRoot(job: () => void): void
/** What the first evaluation of this thread gave that can still be reached, or else `value`. */
export declare function share<T extends object>(value: T): T
/**
 * The words of a chunk, version and, where hits are marked, access word of each slot; or null if it is gone or the
 * engine refuses memory that is not its own.
 */
export declare function words(id: number, chunk: number): Uint32Array<ArrayBuffer> | null
/**
 * Where this thread notes hits that never leave JavaScript, if the policy goes by their order and the engine allows
 * it: how many there are, then `slot * shards + shard` of each.
 */
export declare function hitLog(id: number): Uint32Array<ArrayBuffer> | null
/** Tells the policy of the hits in the log, and empties it. */
export declare function replayHits(id: number): void
/** The value, or undefined with STATE 0. */
export declare function get(id: number, key: unknown): unknown
/** As `get`, by handle. */
export declare function getByHandle(id: number, shard: number, slot: number, generation: number): unknown
export declare function has(id: number, key: unknown): boolean
export declare function hasHandle(id: number, shard: number, slot: number, generation: number): boolean
/** Whether two keys are one to the map. */
export declare function isOneKey(id: number, one: unknown, other: unknown): boolean
/** Whether the key has an entry; its place stands in the scratch array. */
export declare function getHandle(id: number, key: unknown): boolean
export declare function size(id: number): number
export declare function set(id: number, key: unknown, value: unknown, kind: number): void
/** The value that was there, or undefined with STATE 0 after inserting the one given. */
export declare function getOrInsert(id: number, key: unknown, value: unknown, kind: number): unknown
/** Adds an entry without a key, of the named type if there is one. */
export declare function insert(id: number, value: unknown, kind: number, typeName: string | undefined): void
/** Throws 1001, 1003, 1004 or 1005 if the handle is dead. */
export declare function replace(
  id: number,
  shard: number,
  slot: number,
  generation: number,
  value: unknown,
  kind: number
): void
/**
 * Adds to a number by what the scratch array says at STEP_BY to STEP_TTL; STEP_VALUE is the number afterwards. Whether
 * it has changed; throws 1025 where it may not, unless STEP_TTL asked for the ttl, which is there then. STATE is the
 * kind of what was written.
 */
export declare function increment(id: number, key: unknown): boolean
/** As `increment`, by handle. */
export declare function incrementByHandle(id: number, shard: number, slot: number, generation: number): boolean
/** The same for a bigint, which is the result. STEP_VALUE says whether it has changed. */
export declare function incrementBigInt(
  id: number,
  by: bigint,
  initial: bigint,
  min: bigint | undefined,
  max: bigint | undefined,
  ...target: Target
): bigint
/**
 * As `increment`, of the number that a pointer leads to in an object. One of STEPPED; throws 1002 where no number is
 * nor can be.
 */
export declare function incrementAt(id: number, at: string, ...target: Target): number
/** As `peek`, with SEEN_VERSION. */
export declare function peekVersion(id: number, ...target: Target): unknown
/** As `get`. SEEN_VERSION tells the value from those that the entry has before and after it. */
export declare function getVersion(id: number, ...target: Target): unknown
/** As `replace`, if the version is what it was; whether it is. */
export declare function replaceIf(
  id: number,
  shard: number,
  slot: number,
  generation: number,
  value: unknown,
  kind: number,
  version: number
): boolean
/** Removes an entry, if the version is what it was; whether it is. */
export declare function removeIf(id: number, shard: number, slot: number, generation: number, version: number): boolean
/**
 * Begins a load of a key under a ticket that this map has not used, or joins one, unless the key has an entry: one of
 * BEGUN. LOAD_TOKEN is the token of a load that was begun, LOAD_TICKET the ticket of one that was joined. Needs
 * `listenLoads`, like the five that follow.
 */
export declare function beginLoad(id: number, key: unknown, ticket: number): number
/**
 * Begins a load of an entry that is to be loaded again: one of FRESHNESS. LOAD_TOKEN is the token of a load that was
 * begun. An entry without a time for that gets one, in `afterMs` milliseconds.
 */
export declare function beginRefresh(id: number, key: unknown, ticket: number, afterMs: number): number
/**
 * Ends a load: one of ENDED. A value that is not `isStored` is for those that wait alone. After `refreshMs` it is to be
 * loaded again, 0 for never; for `staleMs` after its deadline its value is kept for loads.
 */
export declare function completeLoad(
  id: number,
  key: unknown,
  value: unknown,
  kind: number,
  token: number,
  isStored: number,
  refreshMs: number,
  staleMs: number
): number
/** The value of the expired entry that `beginLoad` has just found; its kind is STATE. */
export declare function staleValue(id: number): unknown
/** Ends a load that failed; what became of it, one of LOAD_FAILURE. */
export declare function failLoad(id: number, key: unknown, token: number, reason: string): number
/**
 * Says what is wanted of a load, one of NEED. `token` is that of the loader that runs here, 0 for none; whether it is
 * the one that counts.
 */
export declare function wantLoad(id: number, key: unknown, ticket: number, need: number, token: number): boolean
/**
 * Takes out the oldest notice: NOTICE says what it is, LOAD_TICKET of which load. The result is the value of one that
 * was loaded, with its kind as STATE, or the reason of one that failed.
 */
export declare function takeLoad(id: number): unknown
/**
 * Sets the value of an entry if it is the expected one, no record. REPLACED is 1 then, else 0, and the value that is
 * there is the result; STATE is 0 if there is none.
 */
export declare function compareAndSet(
  id: number,
  expected: unknown,
  expectedKind: number,
  next: unknown,
  kind: number,
  ...target: Target
): unknown
/**
 * What follows is about the transaction of this number, which begins with the first call. Each throws 1014 once others
 * have changed what it has read. As `get`, of one moment with everything that it has read before.
 */
export declare function transactionGet(id: number, number: number, ...target: Target): unknown
export declare function transactionHas(id: number, number: number, ...target: Target): boolean
export declare function transactionSet(
  id: number,
  number: number,
  value: unknown,
  kind: number,
  ...target: Target
): void
/** Whether there was an entry. */
export declare function transactionDelete(id: number, number: number, ...target: Target): boolean
/** SHARD, SLOT and GENERATION say which handle the entry has in this transaction. */
export declare function transactionInsert(
  id: number,
  number: number,
  value: unknown,
  kind: number,
  typeName: string | undefined
): void
/** Adds to a number by what the scratch array says at STEP_BY to STEP_MAX; STEP_VALUE is the number afterwards. */
export declare function transactionIncrement(id: number, number: number, ...target: Target): void
/** The same for a bigint, which is the result. */
export declare function transactionIncrementBigInt(
  id: number,
  number: number,
  by: bigint,
  initial: bigint,
  min: bigint | undefined,
  max: bigint | undefined,
  ...target: Target
): bigint
/** Whether everything that was read is still as it was. */
export declare function transactionIsValid(id: number, number: number): boolean
/** The keys that others have changed; of an entry without one, the three numbers of its handle. */
export declare function transactionConflicts(id: number, number: number): unknown[]
/** Forgets the transaction. */
export declare function transactionEnd(id: number, number: number): void
/**
 * Makes all writes, or throws. `table` gets a row of ROW numbers for each entry that was inserted. The transaction is
 * forgotten then, and stays as it is if a limit has refused it.
 */
export declare function commit(id: number, number: number, table: Table): void
/**
 * One word, which is odd while a commit changes entries, and another even number after each; null if the engine refuses
 * memory that is not its own.
 */
export declare function commitWord(id: number): Uint32Array<ArrayBuffer> | null
/** Counts reads that the near cache answered. */
export declare function addNearHits(id: number, count: number): void
declare function delete_(id: number, ...target: Target): boolean
export { delete_ as delete }
/** The value that was removed, or undefined with STATE 0. */
export declare function remove(id: number, ...target: Target): unknown
/**
 * STATE says for each item what was found, and NUMBER its value if that is a number. The result holds the other values:
 * those that are JSON as a text with an array of them, which goes on until it is used up, the others as they are, each
 * where
 * the first item stands that needs it; undefined if there are none.
 */
export declare function getMany(id: number, items: readonly unknown[], table: Table): unknown[] | undefined
/**
 * `others` are the values that are no numbers, booleans, null or undefined. If a limit stops a batch, WRITTEN says how
 * many items were written, and PASSED how many were dealt with.
 */
export declare function setMany(id: number, keys: readonly unknown[], others: readonly unknown[], table: Table): void
/** How many items had an entry. */
export declare function updateMany(
  id: number,
  items: readonly unknown[],
  others: readonly unknown[],
  table: Table
): number
export declare function insertMany(
  id: number,
  count: number,
  others: readonly unknown[],
  typeName: string | undefined,
  table: Table
): void
/** STATE says for each item whether it is there, 1 or 0. */
export declare function hasMany(id: number, items: readonly unknown[], table: Table): void
/** How many entries were deleted; STATE says for each item whether it was there, 1 or 0. */
export declare function deleteMany(id: number, items: readonly unknown[], table: Table): number
/**
 * The next entries in insertion order after the sequence number `after` (0: from the start): at most `count`, and no
 * more once they have come to 256 KiB, but at least one if there is any. COUNT says how many there are, 0 at the end.
 * `want`: 1 keys, 2 values, 3 both. `type`: the number of a type whose entries alone are meant, 0 for all. A row of
 * STEP_ROW numbers for each in `table`. Keys and values that the rows do not say are in the result, as those of a
 * batch; strings are cut out of texts, as IN_TEXT says.
 */
export declare function walk(
  id: number,
  after: number,
  count: number,
  want: number,
  table: Table,
  type: number
): unknown[] | undefined
/** As `get`, of an entry of the type with this number. To what follows, an entry of another type is not there. */
export declare function getOfType(id: number, type: number, ...target: Target): unknown
export declare function hasOfType(id: number, type: number, ...target: Target): boolean
/** As `set` and `replace`, and gives the entry the type. Throws 1002 if it has another. */
export declare function setOfType(id: number, type: number, value: unknown, kind: number, ...target: Target): void
export declare function deleteOfType(id: number, type: number, ...target: Target): boolean
/** Entries of the type. */
export declare function sizeOfType(id: number, type: number): number
/**
 * A page of a scan that goes on at a slot of a shard: at most `count` entries, fewer once they have come to 256 KiB or
 * a millisecond is over, and maybe none. COUNT says how many, NEXT_SHARD and NEXT_SLOT where the next page begins.
 * `match` is a glob and `type` the name of a type, undefined for all. Rows and result are those of `walk`, without
 * SEQUENCE and SEEN.
 */
export declare function scan(
  id: number,
  shard: number,
  slot: number,
  count: number,
  match: string | undefined,
  type: string | undefined,
  table: Table
): unknown[] | undefined
/**
 * An entry drawn at random by a seed of 64 bits, in the row of `table`; COUNT is 0 if there is none. `want`: 1 its key,
 * 3 its value too. Row and result are those of `scan`.
 */
export declare function draw(id: number, low: number, high: number, want: number, table: Table): unknown[] | undefined
/**
 * Takes handles that a job has found: shard, slot and generation of each, into `table`. Returns how many; 0 at the end.
 */
export declare function takeHandles(id: number, number: number, table: Uint32Array): number
/** Deletes entries whose keys are strings that begin so; the number of the promise of how many. */
export declare function askDeletePrefix(id: number, prefix: string): number
/**
 * How often each shard changed: `changes.length` divided by the number of shards lies between the words of two. Null if
 * there is no memory for it, or the engine refuses memory that is not its own.
 */
export declare function changes(id: number): Uint32Array<ArrayBuffer> | null
/**
 * What a JSON pointer (of at most MAX_POINTER_STEPS) leads to in a value: the value itself, as `get` returns it; a
 * field, as the value that it is; or undefined with STATE 1. `typed` is the kind that an array of numbers is to have,
 * Float32Array or Float64Array, whose bytes are the result then, and 0 for none. What is no array of numbers in a
 * record comes as without `typed`, except that there is no result for bytes. STATE is the kind of the result, and SIZE
 * the bytes of a record that is one. A record is that of the part that was found, under the number of the whole one's
 * shape.
 */
export declare function field(id: number, at: string, typed: number, ...target: Target): unknown
/** As `get`, but it counts as no read and keeps nothing from being evicted. */
export declare function peek(id: number, ...target: Target): unknown
/** Milliseconds until the entry expires, Infinity if it never does, undefined if it is not there. */
export declare function ttlOf(id: number, ...target: Target): number | undefined
/** Gives an entry the ttl that the scratch array asks for, or its own anew; whether it is there. */
export declare function touch(id: number, ...target: Target): boolean
/** Bytes that an entry costs, undefined if it is not there. */
export declare function weight(id: number, ...target: Target): number | undefined
/** The key of an entry. STATE is 0 if the entry is gone, 1 if it has no key, 2 if it has one. */
export declare function keyOf(id: number, shard: number, slot: number, generation: number): unknown
/** Notes a sample of the hits of the near cache, in a map that samples them. */
export declare function sampleNear(id: number, ...target: Target): void
/** All that is known of an entry, as JSON text; undefined if it is not there. */
export declare function explain(id: number, ...target: Target): string | undefined
/** Evicts an entry; whether it was there. */
export declare function evictEntry(id: number, shard: number, slot: number, generation: number): boolean
/**
 * The keys of the entries that would be evicted next, roughly in order. COUNT is their number, and `states` has what a
 * walk says of each.
 */
export declare function candidates(id: number, count: number, states: Uint32Array): unknown[]
/**
 * Takes out removals that wait: at most `count`, and no more once keys and values have `bytes` bytes. The result holds
 * two cells for each, key and value; COUNT says how many there are and DROPPED how many found no room after them. Ten
 * numbers for each in `states`: those of a walk, then the cause.
 */
export declare function takeRemovals(id: number, count: number, states: Uint32Array, bytes: number): unknown[]
/**
 * Starts to listen to changes: to what has its bit `1 << number` set in `wanted`, a number of CAUSE or of WRITTEN_BY,
 * and to the keys that the glob `match` matches, undefined for all. Returns the number of the listener.
 */
export declare function listenChanges(id: number, wanted: number, match: string | undefined): number
/**
 * Takes out changes that wait for a listener, like `takeRemovals`, and says as HAS_MORE whether there may be more: if
 * not, the next change wakes it again.
 */
export declare function takeChanges(
  id: number,
  number: number,
  count: number,
  states: Uint32Array,
  bytes: number
): unknown[]
/** Ends a listener to changes. */
export declare function endChanges(id: number, number: number): void
/** Panics under a lock of the map, so that a test can see `ERR_BROKEN` arrive. */
export declare function panicForTest(id: number): void
/** Whether the entry of a key is one that a query asks for; what is wrong, if it is no query. For tests. */
export declare function matchesForTest(id: number, query: string, key: unknown): boolean | string
