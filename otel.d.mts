import * as main from './otel.js'

export * from './otel.js'
export default main
