// biome-ignore-all lint/suspicious/noExplicitAny: a map without type arguments is a map of any, as Map is

// References to entries.

import type { DeepReadonly } from './keys-and-values.js'
import type { TypedMap } from './map.js'

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
