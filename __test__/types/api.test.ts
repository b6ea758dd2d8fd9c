// biome-ignore-all lint/suspicious/noExplicitAny: maps of any are tested too

// Compiled by `npm run types`, never run. What must compile stands plain; what must not, under `@ts-expect-error`,
// which is an error of its own if the line below it compiles.

import {
  type Advice,
  type Bytes,
  type Change,
  type Codec,
  type DeepReadonly,
  type DeepReadonlyArray,
  type DroppedRemovals,
  type Encoded,
  ERROR_NUMBERS,
  type ErrorCode,
  type EvictionCandidate,
  type Explanation,
  Handle,
  type HandleData,
  type Limits,
  type LogLine,
  type LogTarget,
  type MapKey,
  type MemoryDistribution,
  type NativeReason,
  type NearCacheStats,
  type Query,
  type Recovery,
  type Removal,
  type RemovalCause,
  type RemovalWithoutValue,
  type ShapeStats,
  type Storable,
  type TestClock,
  type Transaction,
  TypedMap,
  TypedMapError,
  type TypedMapOptions,
  type TypedMapStats
} from '../../index.js'

// Declaration files that the compiler writes for users name these helpers of `insert`: so they are exported.
export type { IsAny, Stored } from '../../index.js'

/** Fails to compile unless both are the same type. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(_same: Same<A, B>) => {}

interface Config {
  host: string
  port: number
  tags?: string[]
}
type Shape = { kind: 'circle'; radius: number } | { kind: 'square'; side: number }
type Tree = { name: string; children: Tree[] }

declare const config: Config
declare const configs: TypedMap<string, Config>

// ---- Codecs

interface Visit {
  when: Date
  pages: Set<string>
  next?: Visit
}
const visits = TypedMap.open<string, Encoded<Visit>>('visits', { codec: 'v8' })
visits.set('a', { when: new Date(), pages: new Set(['x']) })
const visit: Visit | undefined = visits.get('a')
visit?.pages.add('y')
visits.update('a', (before = { when: new Date(0), pages: new Set() }) => ({ ...before, when: new Date() }))
visits.insert({ when: new Date(), pages: new Set() }).get()?.when.getTime()
visits.scan('0').entries[0]?.[1].when.getTime()
// @ts-expect-error no date
visits.set('a', { when: 5, pages: new Set() })
const stamps = new TypedMap<string, Encoded<Map<string, Date>>>({ codec: 'v8' })
stamps.set('a', new Map([['x', new Date()]]))
stamps.get('a')?.set('y', new Date())
stamps.getOrInsert('a', new Map()).get('x')?.getTime()
// @ts-expect-error other members
stamps.set('a', new Map([['x', 5]]))
new TypedMap<string, Encoded<number | undefined | Date>>({ codec: 'v8' })
  .set('a', 5)
  .set('b', undefined)
  .set('c', new Date())
// @ts-expect-error without a codec, JSON would change it
new TypedMap<string, Map<string, Date>>()
const base64: Codec = { contentType: 'text/x', encode: value => btoa(value), decode: (text: string) => atob(text) }
new TypedMap<string, Encoded<string>>({ codec: base64 })
// @ts-expect-error no codec
new TypedMap({ codec: 'xml' })
// @ts-expect-error without a content type
new TypedMap({ codec: { encode: String, decode: Number } })

// ---- Steps

declare const counters: TypedMap<string, number | bigint>
const counted: number = counters.increment('a')
const limited: { value: number; ttl: number; changed: boolean } = counters.increment('a', 1, {
  initial: 5,
  ttl: 1_000,
  max: 10,
  withTtl: true
})
const big: bigint = counters.increment('b', 1n, { min: 0n })
const { value: bigValue } = counters.increment(counters.insert(1n), 1n, { withTtl: true })
same<[number, bigint], [typeof limited.value, typeof bigValue]>(true)
// @ts-expect-error numbers and bigints are not added to each other
counters.increment('b', 1n, { max: 10 })
// @ts-expect-error no number
counters.increment('b', '1')
same<[number, bigint], [typeof counted, typeof big]>(true)

const put: { value: DeepReadonly<Config>; inserted: boolean } = configs.getOrInsert('a', config, { withState: true })
const computed = configs.getOrInsertComputed('a', () => config, { withState: true, ttl: 5 })
same<[typeof put.inserted, DeepReadonly<Config>], [boolean, typeof computed.value]>(true)
const moved = configs.update('a', (before = config) => ({ ...before, port: before.port + 1 }), { retries: 5 })
same<DeepReadonly<Config> | undefined, typeof moved>(true)
configs.update('a', () => undefined)
// @ts-expect-error not a value of the map
configs.update('a', () => 5)
// @ts-expect-error a function that returns a promise
configs.update('a', async () => config)

const loaded: Promise<DeepReadonly<Config>> = configs.getOrLoad('a', async () => config, {
  ttl: ({ port }) => port,
  negativeTtl: 5,
  refreshAfter: 5,
  staleFor: 5,
  timeout: 1_000,
  signal: AbortSignal.timeout(5)
})
const maybe = configs.getOrLoad('a', async (key, { signal, stale }) => {
  same<[string, AbortSignal, DeepReadonly<Config> | undefined], [typeof key, typeof signal, typeof stale]>(true)
  return signal.aborted ? undefined : config
})
same<[Promise<DeepReadonly<Config>>, Promise<DeepReadonly<Config> | undefined>], [typeof loaded, typeof maybe]>(true)
// @ts-expect-error not a value of the map
configs.getOrLoad('a', () => 5)
// @ts-expect-error no such option
configs.getOrLoad('a', () => config, { tll: 5 })
const ofField = configs.increment('a', 1, { at: '/port', max: 65_535 })
same<number, typeof ofField>(true)
// @ts-expect-error no pointer
configs.increment('a', 1, { at: 5 })

const compared = configs.compareAndSet('a', configs.get('a'), config, { ttl: 5 })
same<[boolean, DeepReadonly<Config> | undefined], [typeof compared.swapped, typeof compared.value]>(true)
const ofHandle: DeepReadonly<Config> = configs.compareAndSet(configs.insert(config), config, config).value
configs.compareAndSet('a', ofHandle, config)
configs.compareAndSet('a', undefined, config)
// @ts-expect-error not a value of the map
configs.compareAndSet('a', 5, config)
// @ts-expect-error not a value of the map
configs.compareAndSet('a', config, 5)
// @ts-expect-error without the next value
configs.compareAndSet('a', config)
const manyLoaded: Promise<DeepReadonly<Config>[]> = configs.getManyOrLoad(['a'], async keys => keys.map(() => config))
const someLoaded = configs.getManyOrLoad(new Set(['a']), keys => keys.map(key => (key === 'a' ? config : undefined)))
same<Promise<(DeepReadonly<Config> | undefined)[]>, typeof someLoaded>(true)
same<Promise<DeepReadonly<Config>[]>, typeof manyLoaded>(true)
// @ts-expect-error no array
configs.getManyOrLoad(['a'], () => config)
const transferred = counters.transaction(
  tx => {
    tx.set('a', tx.get('a') ?? 0).delete('b')
    const one: Handle<number> = tx.insert(5)
    return { sum: tx.increment('a', 1, { min: 0 }), one, has: tx.has(one) }
  },
  { retries: 5 }
)
same<{ sum: number; one: Handle<number>; has: boolean }, typeof transferred>(true)
const begun: Transaction<string, Config> = configs.begin()
begun.set('a', config)
begun.commit()
// @ts-expect-error not a value of the map
begun.set('a', 5)
// @ts-expect-error not within a transaction
counters.begin().increment('a', 1, { withTtl: true })

// ---- Making one

new TypedMap()
new TypedMap({ memoryLimitMb: 100, enableSIMD: true, logLevel: 'warn' })
new TypedMap(null, { nearCache: false })
new TypedMap<string, Config>([['a', config]], { nearCache: { maxEntries: 5 }, memoryLimit: '64mb', seed: 5n })
new TypedMap({ nearCache: { maxBytes: '4mb' } })
const growing = new TypedMap()
growing.autoResize = growing.isMigrating || growing.rehash(2)
// @ts-expect-error it says what is, and is not set
growing.isMigrating = true
// @ts-expect-error no boolean
growing.autoResize = 1
new TypedMap({ hash: 'siphash', caseInsensitiveKeys: true, normalizeKey: (key: string) => key.trim() })
// @ts-expect-error no hash function of ours
new TypedMap({ hash: 'md5' })
// @ts-expect-error an object is no key
new TypedMap({ normalizeKey: () => ({}) })
// @ts-expect-error a promise is no key
new TypedMap({ normalizeKey: async (key: string) => key })
new TypedMap({ nearCache: { maxEntries: undefined, maxBytes: 4_000_000 } })
const { entries: copies, bytes: copiedBytes, maxBytes }: NearCacheStats = new TypedMap().getStats().nearCache
same<[number, number, number], [typeof copies, typeof copiedBytes, typeof maxBytes]>(true)
new TypedMap<string, Config>(new Map([['a', config]]))
same<TypedMap<string, number>, ReturnType<typeof fromEntries>>(true)
const fromEntries = () => new TypedMap([['a', 1] as [string, number]])
same<TypedMap<number, Shape>, ReturnType<typeof opened>>(true)
const opened = () => TypedMap.open<number, Shape>('shapes', { shards: 4 })
const names: string[] = TypedMap.names()
TypedMap.setProcessLimit('512mb')
TypedMap.setProcessLimit(null)
// @ts-expect-error no such limit
TypedMap.setProcessLimit(true)
const processLimit: number | null = TypedMap.processMemory().limitBytes
const processUse: number = TypedMap.processMemory().usedBytes / TypedMap.processMemory().maps
const endProcess: () => void = TypedMap.onProcessPressure((ratio, { state }) => ratio > 0.9 && state === 'high')
const clock: TestClock = TypedMap.setClock()
same<void, ReturnType<typeof clock.advance>>(true)
clock.advance(5)
TypedMap.setClock({ now: Date.now }).advance(0)
// @ts-expect-error a number of milliseconds
TypedMap.setClock({ now: () => new Date() })
clock.restore()
clock[Symbol.dispose]()
// @ts-expect-error by how many milliseconds
clock.advance()
// @ts-expect-error milliseconds are a number
clock.advance('5')
const options: TypedMapOptions = { maxEntries: 10, memoryLimitGb: undefined }

// @ts-expect-error no such option
new TypedMap({ maxEntrys: 5 })
// @ts-expect-error a limit is an amount
new TypedMap({ memoryLimit: true })
// @ts-expect-error no such level
new TypedMap({ logLevel: 'loud' })
// @ts-expect-error entries are pairs
new TypedMap<string, number>(['a', 1])
// @ts-expect-error a name is a string
TypedMap.open(5)
// @ts-expect-error other values than those asked for
new TypedMap<string, Config>([['a', 5]])

// ---- What keys and values can be

declare const anyKey: MapKey
new TypedMap<MapKey, any>().set(anyKey, 1)
new TypedMap<'a' | 'b' | 5n | null | undefined | true, string>().set(5n, 'x')
new TypedMap<Uint8Array, Uint8Array>().set(new Uint8Array(), Buffer.from('x'))
new TypedMap<string, Tree>()
new TypedMap<string, Shape | null | undefined>()
new TypedMap<string, bigint>()
new TypedMap<string, Float64Array | Buffer>()
new TypedMap<string, readonly [string, { readonly deep: readonly number[] }]>()
new TypedMap<string, { [name: string]: number | { a: boolean } }>()
new TypedMap<string, Record<string, any>>()
const storable = <V extends Storable<V>>(map: TypedMap<string, V>, value: V) => map.set('a', value).get('a')
storable(configs, config)

type Json = string | number | boolean | null | Json[] | { [name: string]: Json }
type PrismaObject = { [Name in string]?: PrismaValue }
interface PrismaArray extends Array<PrismaValue> {}
type PrismaValue = string | number | boolean | null | PrismaObject | PrismaArray
interface Numbers extends Array<number> {}
interface ReadonlyTree {
  readonly name: string
  readonly children: readonly ReadonlyTree[]
}
/** What a serialised error is, as data. */
interface Failure {
  name: string
  message: string
  stack?: string
}
new TypedMap<string, Json>().set('a', [1, { b: [null, 'x'] }])
new TypedMap<string, PrismaValue>().set('a', { b: [1] })
new TypedMap<string, Numbers>()
new TypedMap<string, { id: string; meta: Json; more?: PrismaObject }>()
new TypedMap<string, Record<string, Json>>()
new TypedMap<string, Json[]>()
new TypedMap<string, ReadonlyTree>()
new TypedMap<string, [string, Json, ...number[]]>()
new TypedMap<string, { anything: unknown; list: unknown[] }>()
new TypedMap<string, Failure>()
new TypedMap<string, DeepReadonly<Json>>()
declare const json: DeepReadonly<Json>
if (Array.isArray(json)) json.map(String)
same<DeepReadonly<[number, string[]]>, readonly [number, DeepReadonlyArray<string>]>(true)
const strings: readonly string[] = new TypedMap<string, string[]>().get('a') ?? []
class Wrapper<V extends Storable<V>> {
  readonly map = new TypedMap<string, V>()
  get(name: string) {
    return this.map.get(name)
  }
  set(name: string, value: V) {
    this.map.set(name, value, { ttl: 5 })
  }
}
new Wrapper<Json>().set('a', { b: 1 })
const wrapped: number | undefined = new Wrapper<{ a: number }>().get('a')?.a

class HttpError extends Error {
  status = 500
}
// @ts-expect-error an error loses its message
new TypedMap<string, Error>()
// @ts-expect-error so does one of a class of its own
new TypedMap<string, HttpError>()
// @ts-expect-error the same inside
new TypedMap<string, { error: Error | null }>()
// @ts-expect-error a promise is a forgotten await
new TypedMap<string, Promise<Config>>()
// @ts-expect-error the same inside
new TypedMap<string, { user: Promise<Config> }>()
// @ts-expect-error a set is refused
new TypedMap<string, Set<number>>()
// @ts-expect-error a regular expression is refused
new TypedMap<string, { pattern: RegExp }>()
// @ts-expect-error a buffer without a view is refused
new TypedMap<string, ArrayBuffer>()
// @ts-expect-error a map in a recursive type is refused
new TypedMap<string, (Json | Map<string, number>)[]>()

// @ts-expect-error a symbol is no key
new TypedMap<symbol, number>()
// @ts-expect-error an object is no key
new TypedMap<{ a: number }, number>()
// @ts-expect-error neither is another array of bytes
new TypedMap<Uint16Array, number>()
// @ts-expect-error a function is no value
new TypedMap<string, () => void>()
// @ts-expect-error a symbol is no value
new TypedMap<string, symbol>()
// @ts-expect-error a date comes back as a string
new TypedMap<string, Date>()
// @ts-expect-error the same inside
new TypedMap<string, { at: Date }>()
// @ts-expect-error a map comes back as {}
new TypedMap<string, { index: Map<string, number> }>()
// @ts-expect-error a bigint inside a value is refused
new TypedMap<string, { count: bigint }>()
// @ts-expect-error a function inside a value is left out
new TypedMap<string, { run(): void }>()
// @ts-expect-error bytes inside a value become an object of numbers
new TypedMap<string, { bytes: Uint8Array }>()
// @ts-expect-error the same in an array
new TypedMap<string, Date[]>()

// ---- As a Map

configs.set('a', config).set('b', { host: 'h', port: 1, tags: ['x'] })
same<number, typeof configs.size>(true)
same<boolean, ReturnType<typeof configs.delete>>(true)
const read = configs.get('a')
same<DeepReadonly<Config> | undefined, typeof read>(true)
const port: number | undefined = read?.port
const tag: string | undefined = read?.tags?.[0]
const copied = configs.get('a', { copy: true })
same<Config | undefined, typeof copied>(true)
if (copied) copied.tags?.push('mine')
configs.get('a', { at: '/host', type: 'Config', copy: true })?.toUpperCase()
const singles = configs.get('a', { at: '/tags', as: 'f32' })
same<Float32Array | undefined, typeof singles>(true)
const doubles = configs.get('a', { at: '', as: 'f64' })
same<Float64Array | undefined, typeof doubles>(true)
// @ts-expect-error it needs the pointer
configs.get('a', { as: 'f32' })
// @ts-expect-error there is no such typed array
configs.get('a', { at: '/tags', as: 'f16' })
// @ts-expect-error a pointer is a string
configs.get('a', { at: ['tags'] })
const typed = configs.get('a', { type: 'Config' })
same<DeepReadonly<Config> | undefined, typeof typed>(true)
for (const [key, value] of configs) {
  same<string, typeof key>(true)
  same<DeepReadonly<Config>, typeof value>(true)
  configs.set(key, { ...value, tags: [] })
  configs.delete(key)
  key.toUpperCase()
}
for (const [key, value] of new TypedMap<string | Handle, Config>()) {
  same<string | Handle, typeof key>(true)
  if (typeof key === 'string') configs.set(key, { ...value, tags: [] })
  else key.slot.toFixed()
}
const readonlyNumbers: ReadonlyMap<string, number> = new TypedMap<string, number>()
const readonlyConfigs: ReadonlyMap<string, DeepReadonly<Config>> = configs
for (const key of configs.keys()) configs.get(key)?.host
for (const value of configs.values()) value.port.toFixed()
configs.forEach((value, key, map) => {
  same<DeepReadonly<Config>, typeof value>(true)
  same<typeof configs, typeof map>(true)
  map.has(key)
})
const page = configs.scan('0', { count: 10, match: 'a*', type: 'Config' })
same<{ cursor: string; entries: [string, DeepReadonly<Config>][] }, Pick<typeof page, keyof typeof page>>(true)
for (const [key, value] of configs.scanIterator({ count: 5 })) key.toUpperCase() + value.host
async function awaitScan() {
  for await (const [key, value] of configs.scanIterator()) {
    same<string, typeof key>(true)
    same<DeepReadonly<Config>, typeof value>(true)
  }
}
void awaitScan
same<string | undefined, ReturnType<typeof configs.randomKey>>(true)
const filtered = configs.filter((value, key) => value.port > 1 && key !== '', { limit: 1, signal: AbortSignal.abort() })
same<Promise<Handle<Config>[]>, typeof filtered>(true)
void configs.filter(() => true, { onProgress: ({ seen, found, total }) => seen + found + total })
// @ts-expect-error
void configs.filter('port')
const query: Query = {
  key: 'user:*',
  where: { '/port': { gte: 1, in: [1, 2] }, '/tags': { contains: 'x' }, not: { '/host': 'a' }, or: [{ '/a': null }] }
}
const asked = configs.find(query, { limit: 1, type: 'Config', signal: AbortSignal.abort() })
same<Promise<Handle<Config>[]>, typeof asked>(true)
const howMany = configs.count(
  { where: { '/port': 1 } },
  { onProgress: ({ seen, found, total }) => seen + found + total }
)
same<Promise<number>, typeof howMany>(true)
const deletions = [configs.deleteWhere(query, { type: 'Config' }), configs.deletePrefix('user:', { onProgress() {} })]
same<Promise<number>[], typeof deletions>(true)
// @ts-expect-error
void configs.deletePrefix(/user/)
// @ts-expect-error
void configs.deleteWhere()
// @ts-expect-error
void configs.find({ where: { '/port': { like: 1 } } })
// @ts-expect-error
void configs.find({ where: { port: 1 } })
// @ts-expect-error
void configs.find({ keys: 'a' })
// @ts-expect-error
void configs.count({}, { limit: 1 })
same<[string, DeepReadonly<Config>] | undefined, ReturnType<typeof configs.randomEntry>>(true)
// @ts-expect-error
configs.scan(0)
// @ts-expect-error
configs.scan('0', { limit: 1 })
const inserted = configs.getOrInsert('a', config)
same<DeepReadonly<Config>, typeof inserted>(true)
configs.getOrInsertComputed('a', key => ({ host: key.toUpperCase(), port: 1 })).host
const grouped = TypedMap.groupBy([1, 2, 3], n => (n > 1 ? 'many' : 'one'))
same<TypedMap<'many' | 'one', number[]>, typeof grouped>(true)
const many: readonly number[] | undefined = grouped.get('many')
same<TypedMap<number, any>, ReturnType<typeof TypedMap.groupBy<number, Date>>>(true)
same<'TypedMap', typeof configs extends TypedMap<string, Config> ? 'TypedMap' : never>(true)
{
  using scoped = new TypedMap<string, number>()
  scoped.set('a', 1)
}

// @ts-expect-error another type of key
configs.get(5)
// @ts-expect-error another type of value
configs.set('a', { host: 'h' })
// @ts-expect-error what is read cannot be changed
configs.get('a').port = 5
// @ts-expect-error nor what is in it
configs.get('a')?.tags?.push('x')
// @ts-expect-error size cannot be set
configs.size = 5
// @ts-expect-error no such way to read
configs.get('a', { copied: true })
// @ts-expect-error the callback makes values of the map
configs.getOrInsertComputed('a', () => 5)
// @ts-expect-error a plain Map is no TypedMap
const wrong: TypedMap<string, number> = new Map<string, number>()
// @ts-expect-error maps of other values are other maps
const other: TypedMap<string, number> = configs

// ---- Handles

declare const mixed: TypedMap<string, Config | Shape>
const handle = configs.insert({ host: 'localhost', port: 8080 })
same<Handle<Config>, typeof handle>(true)
const byHandle = configs.get(handle)
same<DeepReadonly<Config> | undefined, typeof byHandle>(true)
const byItself = handle.get()
same<DeepReadonly<Config> | undefined, typeof byItself>(true)
const byType = configs.get(handle, 'Config')
same<DeepReadonly<Config> | undefined, typeof byType>(true)
const singlesOf = configs.getByHandle(handle, { at: '/tags', as: 'f32' })
same<Float32Array | undefined, typeof singlesOf>(true)
const hosts: string[] = [configs.get(handle, { at: '/host' }), configs.getByHandle(handle, { at: '/host' })]
hosts.join()
const ownCopy = configs.getByHandle(handle, { copy: true })
same<Config | undefined, typeof ownCopy>(true)
configs.replace(handle, { host: 'h', port: 1 })
configs.remove(handle)?.host
configs.has(handle)
configs.insert(config, { type: 'Config' })
const found = configs.getHandle('a')
same<Handle<Config> | undefined, typeof found>(true)
same<Handle<Config>, ReturnType<typeof configs.insertWithHandle>>(true)

const shape = mixed.insert<Shape>({ kind: 'circle', radius: 1 })
same<Handle<Shape>, typeof shape>(true)
const shapeRead = mixed.get(shape)
same<DeepReadonly<Shape> | undefined, typeof shapeRead>(true)
const revived = mixed.handle<Shape>({ map: 1, shard: 0, slot: 0, generation: 1 })
same<Handle<Shape>, typeof revived>(true)
const data: HandleData = handle
const id: string = handle.id

const loose = new TypedMap()
const looseHandle = loose.insert({ host: 'localhost', port: 8080 })
same<Handle<{ host: string; port: number }>, typeof looseHandle>(true)
const looseRead = loose.get(looseHandle)
const loosePort: number | undefined = looseRead?.port
const looseDate = loose.insert({ at: new Date() })
same<Handle<any>, typeof looseDate>(true)
loose.get('a').anything.at.all

// @ts-expect-error a handle of another type of value
configs.replace(shape, { kind: 'circle', radius: 1 })
// @ts-expect-error another value than the handle's
mixed.replace(shape, config)
// @ts-expect-error a handle of a type that the map does not hold
configs.get(new TypedMap<string, number>().insert(5))
// @ts-expect-error an annotation does not make it one
const wrongHandle: Handle<number> = handle
// @ts-expect-error its map is asked with options
handle.get({ copy: true })
// @ts-expect-error data is no handle until it is revived
configs.get(data)
// @ts-expect-error a key is no handle
configs.getByHandle('a')
// @ts-expect-error its numbers do not change
handle.slot = 5
// @ts-expect-error maps make handles
new Handle(1, 0, 0, 1)
// @ts-expect-error another value than the map's
configs.insert({ host: 'h' })
// @ts-expect-error a time to live is a number
configs.insert(config, { ttl: '5' })
// @ts-expect-error not all the numbers of a handle
configs.handle({ map: 1, shard: 0 })

// ---- Many at once

const values = configs.getMany(['a', handle])
same<(DeepReadonly<Config> | undefined)[], typeof values>(true)
configs.setMany([['a', config]]).setMany(new Map([['b', config]]))
const handles = configs.insertMany([config, config], { type: 'Config' })
same<Handle<Config>[], typeof handles>(true)
const updated: number = configs.updateMany([
  ['a', config],
  [handle, config]
])
const deleted: number = configs.deleteMany(new Set(['a', handle]))
const eachDeleted: boolean[] = configs.deleteMany(['a'], { each: true })
same<typeof eachDeleted, ReturnType<typeof configs.hasMany>>(true)
configs.setMany([
  ['a', config, { ttl: 5 }],
  ['b', config]
])
// @ts-expect-error a row has no other options
configs.setMany([['a', config, { each: true }]])

// @ts-expect-error setMany stores under keys
configs.setMany([[handle, config]])
// @ts-expect-error another type of value
configs.updateMany([['a', 5]])
// @ts-expect-error another type of key
configs.getMany([5])

// ---- Watching and errors

const stats: TypedMapStats = configs.getStats()
const { options: shownOptions } = configs
const shownLimit: number | undefined = shownOptions.memoryLimit
const shownNear: false | { readonly maxEntries: number } = shownOptions.nearCache
TypedMap.open('shown', { ttl: shownOptions.ttl, hash: shownOptions.hash, maxEntries: shownLimit })
if (shownNear !== false) shownNear.maxEntries.toFixed()
// @ts-expect-error it is frozen
shownOptions.ttl = 5
const named: readonly string[] = TypedMap.names()
const [firstNamed] = TypedMap.names({ details: true })
const limitOfNamed: number | null | undefined = firstNamed?.memoryLimit
// @ts-expect-error details have no policy
firstNamed?.policy
for (const text of [...named, String(limitOfNamed), configs.metrics(), TypedMap.metrics()]) text.endsWith('# EOF\n')
// @ts-expect-error there are no options
configs.metrics({})
const slowestReadNs: number | undefined = stats.latency?.get.maxNs
const [waits, slowLoads]: [number, number] = [stats.locks.waits, stats.slow.load]
new TypedMap({ latency: true, timeTargets: { get: 0.5, load: 100 } })
// @ts-expect-error no operation that is timed
new TypedMap({ timeTargets: { has: 1 } })
const brokenTimes: number | undefined = stats.errors.byCode.ERR_BROKEN
const lastOutcome: 'recovered' | ErrorCode | undefined = stats.recovery.last?.outcome
const recovery: Promise<Recovery> = configs.recover()
new TypedMap({ autoRecovery: { attempts: 2, timeout: 500 } })
new TypedMap({ autoRecovery: false })
// @ts-expect-error: no number
new TypedMap({ autoRecovery: 3 })
const { count: shapes, bytes: shapesBytes, values: shapedValues, texts }: ShapeStats = stats.shapes
same<number, (typeof texts)['first' | 'names' | 'refused' | 'large' | 'other']>(true)
same<[number, number, number], [typeof shapes, typeof shapesBytes, typeof shapedValues]>(true)
const rate: string = `${stats.cacheHitRate}% of ${stats.memory.total.toFixed()} bytes`
const unsubscribe: () => void = configs.onError(error => {
  same<TypedMapError, typeof error>(true)
  const code: ErrorCode = error.code
  const number: number = error.number
  return [code, number, error.details.operation]
})
configs.onLog((line: LogLine) => line.level === 'warn' && line.code)
const endLog: () => void = configs.onLog(
  line => {
    same<
      [number, string, string, LogTarget],
      [typeof line.time, typeof line.code, typeof line.message, typeof line.target]
    >(true)
    endLog()
  },
  { level: 'debug', targets: ['typedmap.operations'] }
)
// @ts-expect-error no such target
configs.onLog(() => {}, { targets: ['operations'] })
new TypedMap({ logTargets: ['typedmap.memory'] })
const reason: NativeReason = 'package-missing'
// @ts-expect-error no reason
const noReason: NativeReason = 'because'
const closed: 1010 = ERROR_NUMBERS.ERR_CLOSED
const caught: unknown = new TypedMapError('ERR_CLOSED', 'gone')
if (caught instanceof TypedMapError && caught.code === 'ERR_MEMORY_LIMIT') caught.details.requestedBytes

// @ts-expect-error no such code
if (caught instanceof TypedMapError && caught.code === 'ERR_NONE') unsubscribe()
// @ts-expect-error a listener is a function
configs.onError('listener')

class Sessions extends TypedMap<string, Config> {
  first() {
    return this.get('first')
  }
}
same<DeepReadonly<Config> | undefined, ReturnType<Sessions['first']>>(true)

const bytes: Bytes = new Uint8Array()
export {
  brokenTimes,
  bytes,
  byType,
  closed,
  deleted,
  id,
  lastOutcome,
  loosePort,
  many,
  names,
  options,
  other,
  port,
  rate,
  readonlyConfigs,
  readonlyNumbers,
  recovery,
  strings,
  tag,
  updated,
  wrapped,
  wrong,
  wrongHandle
}

// ---- Limits and expiry

new TypedMap({ memoryLimit: 'auto', maxValueBytes: 1_000, evictionStrategy: 'TTL', ttlSeconds: 3_600 })
new TypedMap({ oomStrategy: { evictIdle: 5 }, ttl: 1.5, ttlOnUpdate: 'keep', sliding: true, strictTtl: false })
const candidatesSeen = (candidates: EvictionCandidate<string, Config>[], neededBytes: number) => {
  const [first] = candidates
  const port: number | undefined = first?.value?.port
  const bytes: number | undefined = first?.bytes
  return port === bytes || neededBytes > 5 ? first : candidates.map(({ handle }) => handle)
}
new TypedMap<string, Config>({ evictionStrategy: candidatesSeen })
new TypedMap<string, Config>({ evictionStrategy: () => ['a', 'b'] })
new TypedMap<string, Config>({
  oomStrategy: (map, neededBytes) => {
    const freed: number = map.evict(neededBytes)
    return freed
  }
})
// @ts-expect-error no such strategy
new TypedMap({ evictionStrategy: 'mru' })
// @ts-expect-error no such strategy
new TypedMap({ oomStrategy: 'panic' })
// @ts-expect-error milliseconds are a number
new TypedMap({ oomStrategy: { evictIdle: '5' } })
// @ts-expect-error one of two words
new TypedMap({ ttlOnUpdate: 'never' })

configs.set('a', config, { ttl: 5 }).replace(configs.insert(config, { ttl: 5, type: 'Config' }), config, { ttl: 5 })
configs.insertWithHandle('a', config, { ttl: Number.POSITIVE_INFINITY })
configs.getOrInsert('a', config, { ttl: 5 }).port
configs.getOrInsertComputed('a', () => config, { ttl: 5 }).port
configs.setMany([['a', config]], { ttl: 5 })
configs.insertMany([config], { ttl: 5 })
configs.updateMany([['a', config]], { ttl: 5 })
// @ts-expect-error no such option
configs.set('a', config, { tll: 5 })

same<number | undefined, ReturnType<typeof configs.ttlOf>>(true)
const touched: boolean = configs.touch('a', { ttl: 5 })
const peeked: DeepReadonly<Config> | undefined = configs.peek('a')
const used: number = configs.memoryUsage()
const costs: number | undefined = configs.memoryUsage('a')
const explained: Explanation | undefined = configs.explain('a')
const made: Promise<MemoryDistribution> = configs.getMemoryDistribution({ separator: '/', largest: 5 })
const largestKey = made.then(({ largest }) => largest[0]?.key)
// @ts-expect-error no such option
configs.getMemoryDistribution({ prefix: 1 })
const advised: Advice['code'] | undefined = configs.advise()[0]?.code
const wantedShards: number = configs.predictOptimalShardCount()
const dumped: string = configs.dump(0, { slots: 5 })
const hottest: string | undefined = configs.getHotKeys(5, { reset: true })[0]?.key
const standing: boolean | undefined = configs.explain(handle)?.eviction.isNext
const gone: number = configs.purgeExpired() + configs.evict() + configs.evict(5)
configs.setLimits({ memoryLimit: null, memoryLimitMb: 5, maxEntries: null, maxValueBytes: 5 })
// @ts-expect-error a ttl is no limit
configs.setLimits({ ttl: 5 })

const endRemovals: () => void = configs.onEvict(
  removal => {
    if (removal.dropped !== undefined) return removal.dropped.toFixed()
    const cause: RemovalCause = removal.cause
    if (removal.omittedBytes !== undefined) {
      same<undefined, typeof removal.value>(true)
      return removal.omittedBytes.toFixed()
    }
    return `${cause} ${removal.value.port} ${removal.handle.id} ${removal.type}`
  },
  { causes: ['evicted', 'replaced'] }
)
const told = (removal: Removal<string, Config> | RemovalWithoutValue<string, Config> | DroppedRemovals) => removal.key
configs.onEvict(told)
same<string | undefined, ReturnType<typeof told>>(true)
same<string, EvictionCandidate<string, Config>['key']>(true)
same<string | Handle, Removal<string | Handle, Config>['key']>(true)
// @ts-expect-error no such cause
configs.onEvict(told, { causes: ['gone'] })
const endChanges: () => void = configs.onChange(
  change => {
    same<'created' | 'updated' | 'removed' | 'dropped', typeof change.change>(true)
    if (change.change === 'dropped') return change.count.toFixed()
    if (change.omittedBytes !== undefined) return change.omittedBytes.toFixed()
    if (change.change !== 'removed')
      return `${change.value.port} ${change.key.length} ${change.handle.id} ${change.type}`
    const cause: RemovalCause = change.cause
    return `${cause} ${change.value.port}`
  },
  { match: 'config:*', causes: ['created', 'expired'] }
)
const changed = (change: Change<string, Config>) => change.key
configs.onChange(changed)
same<string | undefined, ReturnType<typeof changed>>(true)
// @ts-expect-error no such cause
configs.onChange(changed, { causes: ['dropped'] })
// @ts-expect-error a glob is a string
configs.onChange(changed, { match: /a/ })
const waitingChanges: number = configs.getStats().changes.waitingBytes
const endPressure: () => void = configs.onPressure(ratio => ratio > 0.9, { thresholds: [0.5] })
configs.onPressure((ratio, event) => {
  same<number, typeof ratio>(true)
  same<'high' | 'normal', typeof event.state>(true)
  same<number | null, typeof event.limitBytes>(true)
})
// @ts-expect-error thresholds are ratios
configs.onPressure(() => true, { thresholds: ['50%'] })
const limits: Limits = { memoryLimit: '5mb' }
const limitNow: number | null = configs.getStats().limits.maxEntries

export { costs, endPressure, endRemovals, explained, gone, limitNow, limits, noReason, peeked, reason, touched, used }
export { endChanges, slowLoads, slowestReadNs, waitingChanges, waits }
export { endProcess, processLimit, processUse }
export { advised, dumped, hottest, largestKey, standing, wantedShards }
