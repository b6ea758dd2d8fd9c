import main from './index.js'

export const { ERROR_NUMBERS, TypedMap, TypedMapError } = main
export default main
