/* The operations that are called often: Node-API callbacks without generated glue, see src/binding/hot.rs.
 *
 * `id` is the number of an open map of this environment. What an operation says besides its result stands in the scratch
 * array given to `attach` (src/binding/layout.rs, lib/layout.js). `kind` is the number of a value kind, and a value has
 * the form that belongs to its kind: JSON text, a number, a string, a bigint, or a `Uint8Array` over the bytes.
 * Every operation throws what `makeError` makes, with 1010 for an id that is not open.
 *
 * The functions below these are generated from Rust. */

/** Numbers of handles, three for each item: shard, slot, generation. Only read where `isHandle` says 1. */
type Coordinates = Uint32Array | undefined
type IsHandle = Uint8Array | undefined

/** Once per environment, before anything else. `scratch` has 64 places and an `ArrayBuffer` of its own. `details` is JSON
 * text. `onWake` is called some time after events began to wait for `drain`. `spread` calls
 * `receive(...array.slice(from, to))`, `append` adds its values to the array: the engine passes many arguments faster
 * than many elements (src/binding/call/many.rs). */
export declare function attach(
  scratch: Uint32Array,
  makeError: (number: number, details: string) => Error,
  onWake: () => void,
  spread: (receive: (...values: unknown[]) => void, array: readonly unknown[], from: number, to: number) => void,
  append: (array: unknown[], ...values: unknown[]) => void
): void
/** The version words of a chunk, or null if it is gone or the engine refuses memory that is not its own. */
export declare function words(id: number, chunk: number): Uint32Array<ArrayBuffer> | null
/** The value, or undefined with STATE 0. */
export declare function get(id: number, key: unknown): unknown
/** As `get`, by handle. */
export declare function getByHandle(id: number, shard: number, slot: number, generation: number): unknown
export declare function has(id: number, key: unknown): boolean
export declare function hasHandle(id: number, shard: number, slot: number, generation: number): boolean
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
declare function delete_(id: number, key: unknown): boolean
export { delete_ as delete }
export declare function deleteHandle(id: number, shard: number, slot: number, generation: number): boolean
/** The value that was removed, or undefined with STATE 0. */
export declare function remove(id: number, key: unknown): unknown
export declare function removeHandle(id: number, shard: number, slot: number, generation: number): unknown
/** Eight numbers for each item in `states`: STATE, VERSION, SHARD, SLOT, GENERATION, CHUNK, WORD, TYPE. */
export declare function getMany(
  id: number,
  keys: readonly unknown[],
  coordinates: Coordinates,
  isHandle: IsHandle,
  states: Uint32Array
): unknown[]
/** If a limit stops a batch, WRITTEN says how many items were done. */
export declare function setMany(
  id: number,
  keys: readonly unknown[],
  values: readonly unknown[],
  kinds: Uint8Array,
  states: Uint32Array | undefined
): void
/** How many items had an entry. */
export declare function updateMany(
  id: number,
  keys: readonly unknown[],
  coordinates: Coordinates,
  isHandle: IsHandle,
  values: readonly unknown[],
  kinds: Uint8Array
): number
export declare function insertMany(
  id: number,
  values: readonly unknown[],
  kinds: Uint8Array,
  typeName: string | undefined,
  states: Uint32Array
): void
/** How many entries were deleted. */
export declare function deleteMany(
  id: number,
  keys: readonly unknown[],
  coordinates: Coordinates,
  isHandle: IsHandle
): number
/** The next entries in insertion order after the sequence number `after` (0: from the start). The result holds two cells
 * for each entry, key and value; STATE says how many entries there are, 0 at the end. Nine numbers for each entry in
 * `states`: as in `getMany`, then the kind of the key, 0 for an entry without key. `want`: 1 keys, 2 values, 3 both. */
export declare function walk(
  id: number,
  after: number,
  count: number,
  want: number,
  states: Uint32Array,
  sequences: Float64Array
): unknown[]
/** Panics under a lock of the map, so that a test can see `ERR_BROKEN` arrive. */
export declare function panicForTest(id: number): void
