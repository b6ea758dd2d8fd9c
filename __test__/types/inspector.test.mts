// The types of the inspector, where it is imported.

import main, { type Inspector, type InspectorOptions, registerSource, serveInspector } from '../../inspector.mjs'

const options: InspectorOptions = { port: 8_080, token: false, allowedHosts: ['inspector.internal'], logLevel: 'warn' }
const started: Promise<Inspector> = serveInspector(options)
const same: Promise<Inspector> = main.serveInspector()
const end: () => void = registerSource('queue', () => ({ waiting: 3, state: 'ok', oldestMs: null }))
registerSource('later', async () => ({ bytes: 5n }))

// @ts-expect-error no such option
serveInspector({ hosts: [] })
// @ts-expect-error a token is text, or false
serveInspector({ token: true })
// @ts-expect-error figures are plain
registerSource('deep', () => ({ inner: {} }))

export { end, same, started }
