// Types of views that come from schemas of validators. With the compiler that the package is developed with: theirs do
// not compile with each that is tested.

import { type } from 'arktype'
import * as v from 'valibot'
import { z } from 'zod'
import { TypedMap, type TypedView } from '../../../index.js'

/** Fails to compile unless both are the same type. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(_same: Same<A, B>) => {}

const map = new TypedMap<string>()
type Users = TypedView<string, { name: string; age: number }, { name: string; age: string }>

const ofZod = map.ofType('User', z.object({ name: z.string(), age: z.coerce.number<string>() }))
same<typeof ofZod, Users>(true)

const ofValibot = map.ofType('User', v.object({ name: v.string(), age: v.pipe(v.string(), v.transform(Number)) }))
same<typeof ofValibot, Users>(true)

const ofArktype = map.ofType('User', type({ name: 'string', age: 'string.numeric.parse' }))
ofArktype.set('ada', { name: 'Ada', age: '36' })
// @ts-expect-error no input of the schema
ofArktype.set('ada', { name: 'Ada', age: 36 })
export const age: number | undefined = ofArktype.get('ada')?.age
