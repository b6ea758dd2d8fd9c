// biome-ignore-all lint/suspicious/noExplicitAny: a map without type arguments is a map of any, as Map is

// What listeners of a map receive: changes, removed entries and log lines.

import type { Handle } from './handles.js'
import type { DeepReadonly, MapKey } from './keys-and-values.js'

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
  /** Why. */
  cause: RemovalCause
  /** The type that the entry was inserted with, if any. */
  type?: string
  /** Of {@link RemovalWithoutValue} only. */
  omittedBytes?: never
  /** Of {@link DroppedRemovals} only. */
  dropped?: never
}

/** A removal whose value, of more than 1 MB, is not carried to the listener. */
export interface RemovalWithoutValue<K extends MapKey | Handle = MapKey, V = any>
  extends Omit<Removal<K, V>, 'value' | 'omittedBytes'> {
  /** Not carried. */
  value: undefined
  /** The stored size of the value, in bytes. */
  omittedBytes: number
}

/** Stands for removals that were dropped because this thread was too busy to take them: their number. */
export interface DroppedRemovals {
  /** How many. */
  dropped: number
  /** Not known, as all of the following. */
  key?: never
  /** Not known. */
  handle?: never
  /** Not known. */
  value?: never
  /** Not known. */
  cause?: never
  /** Not known. */
  type?: never
  /** Not known. */
  omittedBytes?: never
}

/** That the memory in use has passed a threshold, what listeners of `onPressure` get beside the ratio. */
export interface PressureEvent {
  /** `high` while the ratio is above at least one threshold of the listener, `normal` once it is below all of them. */
  state: 'high' | 'normal'
  /** Whether the ratio rose past `threshold`, or has fallen below it again. */
  rising: boolean
  /** The threshold. Of several that were passed at once: rising the highest, falling the lowest. */
  threshold: number
  /** Memory in use as a part of the limit, when it happened. */
  ratio: number
  /** Memory in use, in bytes. */
  usedBytes: number
  /** The limit in bytes; `null` if it was removed, which ends the pressure (`ratio` is 0). */
  limitBytes: number | null
}

/** What {@link TypedMap.onChange} reports: an entry that came, one that has another value, or why one was removed. */
export type ChangeCause = 'created' | 'updated' | RemovalCause

/** An entry that came, or one that has another value. */
export interface WrittenChange<K extends MapKey | Handle = MapKey, V = any> {
  /** `created`: the key had no entry before. `updated`: it has another value now, of which it may be the same again. */
  change: 'created' | 'updated'
  /** The key; the handle of an entry without a key, declare `K | Handle` if the map has such entries. */
  key: K
  /** The handle, which an update leaves as it was. */
  handle: Handle<V>
  /** The value that was written. Documents of more than 1,024 characters are decoded when this is first read. */
  value: DeepReadonly<V>
  /** The type of the entry, if any. */
  type?: string
  /** Of {@link RemovedChange} only. */
  cause?: never
  /** Of {@link ChangeWithoutValue} only. */
  omittedBytes?: never
  /** Of {@link DroppedChanges} only. */
  count?: never
}

/** An entry that was removed, with its last value; or the replaced value of an entry that stays. */
export interface RemovedChange<K extends MapKey | Handle = MapKey, V = any> {
  /** What happened. */
  change: 'removed'
  /** The key; the handle of an entry without a key. */
  key: K
  /** The handle, which is dead unless the cause is `replaced`. */
  handle: Handle<V>
  /** The removed value. */
  value: DeepReadonly<V>
  /** Why. */
  cause: RemovalCause
  /** The type of the entry, if any. */
  type?: string
  /** Of {@link ChangeWithoutValue} only. */
  omittedBytes?: never
  /** Of {@link DroppedChanges} only. */
  count?: never
}

/** A change whose value, of more than 1 MB, is not carried to the listener. */
export interface ChangeWithoutValue<K extends MapKey | Handle = MapKey, V = any> {
  /** What happened. */
  change: 'created' | 'updated' | 'removed'
  /** The key; the handle of an entry without a key. */
  key: K
  /** The handle, which is dead if the entry was removed. */
  handle: Handle<V>
  /** Not carried. */
  value: undefined
  /** The stored size of the value, in bytes. */
  omittedBytes: number
  /** Why it was removed, if it was. */
  cause?: RemovalCause
  /** The type of the entry, if any. */
  type?: string
  /** Of {@link DroppedChanges} only. */
  count?: never
}

/**
 * Stands for changes that were dropped, because this thread was too busy to take them or because too many entries went
 * at once. What the listener made of earlier changes may be out of date.
 */
export interface DroppedChanges {
  /** What happened. */
  change: 'dropped'
  /** How many, of whatever key. */
  count: number
  /** Not known, as all of the following. */
  key?: never
  /** Not known. */
  handle?: never
  /** Not known. */
  value?: never
  /** Not known. */
  cause?: never
  /** Not known. */
  type?: never
  /** Not known. */
  omittedBytes?: never
}

/** What a listener of {@link TypedMap.onChange} is called with; `change` says which it is. */
export type Change<K extends MapKey | Handle = MapKey, V = any> =
  | WrittenChange<K, V>
  | RemovedChange<K, V>
  | ChangeWithoutValue<K, V>
  | DroppedChanges

/** Which changes a listener wants. */
export interface ChangeOptions {
  /** Keys: strings that this glob matches, as that of `scan`. By default all keys, and entries without one. */
  match?: string | undefined
  /** What happened; by default everything but `replaced`, which tells the old value before each `updated`. */
  causes?: readonly ChangeCause[] | undefined
}

/** From most to least detailed; `off` reports nothing. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'off'

/** What log lines are about. */
export type LogTarget = 'typedmap.operations' | 'typedmap.performance' | 'typedmap.memory' | 'typedmap.lifecycle'

/** Which log lines a listener wants. */
export interface LogOptions {
  /** The least level; by default the `logLevel` of the map in this thread. */
  level?: LogLevel | undefined
  /** What they are about; by default the `logTargets` of the map in this thread. `[]` for none. */
  targets?: readonly LogTarget[] | undefined
}

/** An event of a map, as plain data. */
export interface LogLine {
  /** When it happened, in milliseconds since 1970. */
  time: number
  /** How grave it is. */
  level: Exclude<LogLevel, 'off'>
  /** What it is about. */
  target: LogTarget
  /** The event, a stable name such as `map.cleared`. */
  code: string
  /** The event in words, without its figures. */
  message: string
  /** Its figures; units are in the names. */
  details: Record<string, any>
}
