import * as main from './inspector.js'

export * from './inspector.js'
export default main
