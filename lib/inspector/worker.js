'use strict'

// The thread of the inspector: a thread of its own, so that it answers while others are blocked.

const { parentPort, workerData } = process.getBuiltinModule('node:worker_threads')
const { Asked } = require('./asked.js')
const { Collector } = require('./collector.js')
const { Guard } = require('./guard.js')
const { makeRoutes } = require('./routes.js')
const { makeServer } = require('./server.js')

/** @type {import('./options.js').Options} */
const options = workerData
const port = /** @type {import('node:worker_threads').MessagePort} */ (parentPort)

const MICROSECONDS_PER_MS = 1_000

const collector = new Collector(options)
const asked = new Asked(options.interval, line => {
  collector.lines.add(null, [line])
  port.postMessage({ line })
})
const guard = new Guard(options)

let cpu = { time: Date.now(), used: process.cpuUsage() }
let cpuShare = 0

/** How many processors the process kept busy since this was called last. */
function readCpu() {
  const time = Date.now()
  const { user, system } = process.cpuUsage(cpu.used)
  const elapsedMs = time - cpu.time
  if (elapsedMs > 0) cpuShare = (user + system) / MICROSECONDS_PER_MS / elapsedMs
  cpu = { time, used: process.cpuUsage() }
}

const aboutProcess = () => ({
  pid: process.pid,
  title: process.title,
  node: process.version,
  uptimeMs: Math.round(process.uptime() * 1_000),
  residentBytes: process.memoryUsage.rss(),
  processors: Math.round(cpuShare * 100) / 100
})

function look() {
  const time = Date.now()
  readCpu()
  collector.look(time)
  asked.ask(time)
}

/** Begins to listen. */
function start() {
  look()
  // The name of the cookie has the port, which is known once the server listens.
  /** @type {(at: string, query: URLSearchParams) => any} */
  let answer
  const server = makeServer(guard, (at, query) => answer(at, query))
  server.once('error', (/** @type {any} */ { message, code }) => port.postMessage({ error: { message, code } }))
  server.listen({ port: options.port, host: options.host }, () => {
    const { port: number, address } = /** @type {import('node:net').AddressInfo} */ (server.address())
    guard.listensOn(number)
    answer = makeRoutes({ collector, asked, guard, options, aboutProcess })
    setInterval(look, options.interval)
    port.postMessage({ port: number, address })
  })
  port.once('message', () => {
    // Everything here ends with the thread.
    server.closeAllConnections()
    server.close()
    asked.close()
    process.exit()
  })
}

start()
