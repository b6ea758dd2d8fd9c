import './lib/addon/home.mjs'
import main from './otel.js'

export const { registerMetrics } = main
export default main
