// The same types where the package is imported.

import main, { ERROR_NUMBERS, type Handle, type TypedMap, TypedMapError, type TypedMapOptions } from '../../index.mjs'

const options: TypedMapOptions = {}
const map: TypedMap<string, number> = new main.TypedMap<string, number>(options)
const handle: Handle<number> = map.insert(5)
const number: 1010 = ERROR_NUMBERS.ERR_CLOSED
const isOurs = (error: unknown) => error instanceof TypedMapError && error instanceof main.TypedMapError

// @ts-expect-error no such export
main.TypedMapp

export { handle, isOurs, number }
