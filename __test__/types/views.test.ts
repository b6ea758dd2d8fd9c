// Views of one type, as in `api.test.ts`: what must compile stands plain, what must not, under `@ts-expect-error`.

import type { DeepReadonly, Handle, InferInput, InferOutput, StandardSchemaV1, TypedView } from '../../index.js'
import { TypedMap } from '../../index.js'

/** Fails to compile unless both are the same type. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(_same: Same<A, B>) => {}

interface Config {
  host: string
  port: number
}

const map = new TypedMap<string>()

// ---- Without a schema

const configs = map.ofType<Config>('Config')
same<typeof configs, TypedView<string, Config>>(true)
const name: string = configs.name
const size: number = configs.size
const handle: Handle<Config> = configs.insert({ host: 'localhost', port: 8080 }, { ttl: 1_000 })
same<ReturnType<typeof configs.get>, DeepReadonly<Config> | undefined>(true)
const port: number | undefined = configs.get(handle)?.port
const own = configs.get('key', { copy: true })
if (own) own.port = 1
// @ts-expect-error what is read is frozen
configs.get('key').port = 1
const chained: typeof configs = configs.set('key', { host: 'a', port: 1 }).set(handle, { host: 'b', port: 2 })
const has: boolean = configs.has('key') || configs.delete(handle)
const keys: (string | Handle<Config>)[] = [...configs.keys()]
const values: readonly DeepReadonly<Config>[] = [...configs.values()]
for (const [key, value] of configs)
  same<[typeof key, typeof value], [string | Handle<Config>, DeepReadonly<Config>]>(true)
const entries = [...configs.entries()]
const { cursor, entries: scanned } = configs.scan('0', { count: 10, match: 'a*' })
const first: string | undefined = scanned[0]?.[1].host
const found: Promise<Handle<Config>[]> = configs.find({ where: { '/host': 'localhost' } }, { limit: 1 })
// @ts-expect-error a view finds its own type
configs.find({}, { type: 'Other' })
// @ts-expect-error a view scans its own type
configs.scan('0', { type: 'Other' })
// @ts-expect-error another value
configs.set('key', { host: 1, port: 1 })
// @ts-expect-error another key
configs.get(1)
// @ts-expect-error a handle of another type
configs.get(map.ofType<{ other: string }>('Other').insert({ other: 'a' }))
// @ts-expect-error a name is text
map.ofType(1)

// A map with a type of values has views of those.
const numbers = new TypedMap<string, number>()
same<ReturnType<ReturnType<typeof numbers.ofType>['get']>, number | undefined>(true)
// @ts-expect-error no number
numbers.ofType<string>('Text')

// ---- With a schema

/** As validators declare it, whose input and output may differ. */
interface UserSchema extends StandardSchemaV1<{ name: string; age: string | number }, { name: string; age: number }> {
  parse(value: unknown): void
}
declare const schema: UserSchema
const users = map.ofType('User', schema)
same<typeof users, TypedView<string, { name: string; age: number }, { name: string; age: string | number }>>(true)
same<InferInput<UserSchema>, { name: string; age: string | number }>(true)
same<InferOutput<UserSchema>, { name: string; age: number }>(true)
users.set('ada', { name: 'Ada', age: '36' })
const age: number | undefined = users.get('ada')?.age
// @ts-expect-error no input of the schema
users.set('ada', { name: 'Ada', age: true })
// @ts-expect-error no input of the schema
users.insert({})

// A function with the interface.
declare const callable: ((value: unknown) => string) & StandardSchemaV1<unknown, string>
const texts: TypedView<string, string, unknown> = map.ofType('Text', callable)

// @ts-expect-error no schema
map.ofType('User', { validate: () => true })
// @ts-expect-error JSON makes a text of a date
map.ofType('Date', schema as unknown as StandardSchemaV1<string, { at: Date }>)
// @ts-expect-error the map has numbers
numbers.ofType('User', schema)

export { age, chained, cursor, entries, first, found, has, keys, name, port, size, texts, users, values }
