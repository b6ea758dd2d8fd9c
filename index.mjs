import './lib/addon/home.mjs'
import main from './index.js'

export const { ERROR_NUMBERS, Handle, TypedMap, TypedMapError } = main
export default main
