'use strict'

const { parentPort, workerData } = require('node:worker_threads')
const { ConfigRegistry } = require('./registry.js')
const { flags, schemas } = require('./schemas.js')

/** Stands for a request: a thread that serves looks at its settings at least so often. */
const REQUEST_MS = 0.2

const { name, stop } = workerData
const registry = new ConfigRegistry(schemas, { name, flags })
const handles = Object.keys(schemas).map(section => /** @type {const} */ ([section, registry.handle(section)]))
const seen = handles.map(([, handle]) => handle.get())

parentPort.postMessage({ ready: true })
while (Atomics.wait(stop, 0, 0, REQUEST_MS) === 'timed-out') {
  for (const [i, [section, handle]] of handles.entries()) {
    // The same object, until a thread writes the section.
    const now = handle.get()
    if (now === seen[i]) continue
    seen[i] = now
    parentPort.postMessage({ section, at: process.hrtime.bigint() })
  }
}
registry.close()
