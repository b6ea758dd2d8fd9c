import * as main from './index.js'

export * from './index.js'
export default main
