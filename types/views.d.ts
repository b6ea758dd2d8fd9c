// biome-ignore-all lint/suspicious/noExplicitAny: a schema is of any type until it is given

// Views of one type, and the schemas that check what is written through them.

import type { Handle } from './handles.js'
import type { DeepReadonly, MapKey, Storable } from './keys-and-values.js'
import type { WriteOptions } from './options.js'
import type { FindOptions, Query, ScanOptions } from './queries.js'

/**
 * A validator with the interface of [Standard Schema](https://standardschema.dev), version 1: zod 3.24 and newer,
 * valibot 1 and arktype 2 have it, and others. This package depends on none of them.
 *
 * @typeParam Input what the validator takes
 * @typeParam Output what it makes of that
 */
export interface StandardSchemaV1<Input = unknown, Output = Input> {
  /** What all validators have. */
  readonly '~standard': {
    /** Version of the interface. */
    readonly version: 1
    /** Name of the validator. */
    readonly vendor: string
    /** Checks a value. A promise as the answer is refused here. */
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    /** For the compiler only. */
    readonly types?:
      | {
          /** What it takes. */
          readonly input: Input
          /** What it makes of that. */
          readonly output: Output
        }
      | undefined
  }
}

/** What a validator answers: a value, or what is wrong. */
export type SchemaResult<Output> =
  | {
      /** What it makes of the value. */
      readonly value: Output
      /** Nothing is wrong. */
      readonly issues?: undefined
    }
  | {
      /** What is wrong. */
      readonly issues: readonly SchemaIssue[]
    }

/** What is wrong with a value. */
export interface SchemaIssue {
  /** In words. */
  readonly message: string
  /** Keys from the value down to where it is. */
  readonly path?: readonly (PropertyKey | PathSegment)[] | undefined
}

/** A step down into a value. */
export interface PathSegment {
  /** Name or index. */
  readonly key: PropertyKey
}

/** What a schema takes, for the compiler. */
export type InferInput<S extends StandardSchemaV1<any, any>> = NonNullable<S['~standard']['types']>['input']

/** What a schema makes of it: what a view stores. */
export type InferOutput<S extends StandardSchemaV1<any, any>> = NonNullable<S['~standard']['types']>['output']

/**
 * `unknown` for a schema whose output a map returns as it is, `never` for one whose output JSON changes.
 *
 * @internal
 */
export type StorableSchema<S extends StandardSchemaV1<any, any>> =
  InferOutput<S> extends Storable<InferOutput<S>> ? unknown : never

/** A page of a scan of a view. */
export interface ViewPage<K, V> {
  /** Where the next page begins; `'0'` at the end. */
  cursor: string
  /** Keys and values; a handle for a key where an entry has none. */
  entries: [K, DeepReadonly<V>][]
}

/**
 * The entries of a map that have one type: {@link TypedMap.ofType} makes a view. All views of a type, in all threads,
 * see the same entries.
 *
 * For a view, an entry of another type, or of none, is not there. `map.set(key, value)` takes the type from an entry;
 * what changes the value that is there (`replace`, `update`, `updateMany`, `increment`) leaves it. Those writes ask no
 * schema: it belongs to the view.
 *
 * Every method throws `ERR_CLOSED` once the map was closed in this thread or destroyed, and a `TypeError` with
 * `ERR_KEY_TYPE` for a value that cannot be a key.
 *
 * @typeParam K the type of the map's keys
 * @typeParam V the type of values as they are stored
 * @typeParam Input the type of values as they are written: what the schema takes, where there is one
 * @example
 * const configs = map.ofType<Config>('Config')
 * const handle = configs.insert({ host: 'localhost', port: 8080 })
 * configs.get(handle)?.port //=> 8080
 */
export interface TypedView<K extends MapKey | Handle, V, Input = V> {
  /** `'TypedView'` */
  readonly [Symbol.toStringTag]: string
  /** The name of the type. */
  readonly name: string
  /** Entries of the type, over all threads: a native call that looks at each shard, however many entries there are. */
  readonly size: number
  /**
   * Adds an entry without a key, of this type.
   *
   * @throws `ERR_VALIDATION` if the schema refuses the value; what the schema throws; otherwise as
   * {@link TypedMap.insert}
   */
  insert(value: Input, options?: WriteOptions): Handle<V>
  /**
   * The value of a key or handle, `undefined` if there is no such entry of this type. An object comes from the near
   * cache if this view has read it before; anything else is a native call.
   *
   * @param options `copy`: a private copy that is not frozen, decoded anew
   */
  get(key: K | Handle<V>, options: { copy: true }): V | undefined
  /** The same without a private copy. */
  get(key: K | Handle<V>, options?: { copy?: false | undefined }): DeepReadonly<V> | undefined
  /**
   * Sets the value of a key, or of the entry of a handle, and gives the entry this type. An entry that had no type
   * keeps its place in the order of insertion.
   *
   * @throws `ERR_WRONG_TYPE` if the entry has another type, which is decided under the lock; `ERR_VALIDATION` if the
   * schema refuses the value; what the schema throws; otherwise as {@link TypedMap.set}
   */
  set(key: K | Handle<V>, value: Input, options?: WriteOptions): this
  /** Whether there is such an entry of this type. A native call. */
  has(key: K | Handle<V>): boolean
  /** Deletes an entry of this type; returns whether it was there. One of another type stays. */
  delete(key: K | Handle<V>): boolean
  /**
   * Keys of the entries of this type, in insertion order; the handle where an entry has no key. Live, as the iterators
   * of the map, and a walk costs what the type has, not what the map has.
   */
  keys(): ReturnType<ReadonlyMap<K | Handle<V>, unknown>['keys']>
  /** Values, likewise. */
  values(): ReturnType<ReadonlyMap<K, DeepReadonly<V>>['values']>
  /** Both, likewise. */
  entries(): ReturnType<ReadonlyMap<K | Handle<V>, DeepReadonly<V>>['entries']>
  /** The same as `entries`. */
  [Symbol.iterator](): ReturnType<ReadonlyMap<K | Handle<V>, DeepReadonly<V>>['entries']>
  /**
   * A page of a scan, as {@link TypedMap.scan} with this `type`. It looks at every entry of the map: to go through a
   * type of few, `entries` is faster.
   */
  scan(cursor: string, options?: Omit<ScanOptions, 'type'>): ViewPage<K | Handle<V>, V>
  /**
   * Handles of the entries of this type that a query asks for, as {@link TypedMap.find} with this `type`. Other threads
   * look at every entry of the map.
   *
   * @throws as {@link TypedMap.find}; all of it rejects the promise
   * @example
   * const local = await configs.find({ where: { '/host': 'localhost' } })
   */
  find(query: Query, options?: Omit<FindOptions, 'type'>): Promise<Handle<V>[]>
}
