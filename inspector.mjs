import './lib/addon/home.mjs'
import main from './inspector.js'

export const { registerSource, serveInspector } = main
export default main
