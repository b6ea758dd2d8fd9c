// What keys and values can be, and values as they are read.

/**
 * What a key can be. Keys are compared as `Map` compares them (`NaN` equals itself, `-0` is `0`, `1` and `'1'` differ);
 * bytes are compared by content.
 */
export type MapKey = string | number | bigint | boolean | null | undefined | Uint8Array

/** Typed arrays and `Buffer`: stored as bytes, and given back as the same kind. */
export type Bytes = ArrayBufferView & {
  /** Bytes of one element, which a `DataView` does not have. */
  readonly BYTES_PER_ELEMENT: number
}

/** Scalars inside objects. @internal */
type JsonScalar = string | number | boolean | null | undefined

/**
 * True for a type with every property of an `Error`, because JSON loses its content. Data with the same names lacks
 * `cause`.
 *
 * @internal
 */
type IsError<T> = T extends Error ? (keyof Error extends keyof T ? true : false) : false

/**
 * `T` as JSON gives it back, with `never` wherever JSON cannot hold the member.
 *
 * Objects and arrays are mapped types, whose members the compiler evaluates on demand: so recursive types terminate.
 *
 * @internal
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

/** Marks {@link Encoded}. No value has it. @internal */
declare const ENCODED: unique symbol

/** @internal */
interface OfCodec {
  readonly [ENCODED]?: never
}

/**
 * The type of the values of a map that has a {@link TypedMapOptions.codec | codec}: `T` itself, which need not be JSON
 * and is not frozen where it is read.
 *
 * @example
 * const seen = TypedMap.open<string, Encoded<Map<string, Date>>>('seen', { codec: 'v8' })
 * seen.set('ada', new Map([['login', new Date()]]))
 * seen.get('ada')?.get('login')?.getTime()
 */
export type Encoded<T> = T extends null | undefined ? T : T & OfCodec

/** Whether a type is {@link Encoded}. @internal */
type IsEncoded<T> = typeof ENCODED extends keyof T ? true : false

/** Excludes functions: only they have this property. @internal */
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
  [Name in keyof V]: IsEncoded<V> extends true
    ? V[Name]
    : V extends bigint | Bytes
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
 * `V` as a map returns it: deep-frozen. Typed arrays and values of a codec are the exception: each read returns a fresh
 * one.
 */
export type DeepReadonly<V> = unknown extends V
  ? V
  : V extends string | number | boolean | bigint | null | undefined | Bytes
    ? V
    : IsEncoded<V> extends true
      ? V
      : V extends readonly (infer Element)[]
        ? number extends V['length']
          ? DeepReadonlyArray<Element>
          : { readonly [Name in keyof V]: DeepReadonly<V[Name]> }
        : { readonly [Name in keyof V]: DeepReadonly<V[Name]> }
