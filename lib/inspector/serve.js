'use strict'

// Starts the inspector's thread, and ends it.

const { once } = process.getBuiltinModule('node:events')
const path = process.getBuiltinModule('node:path')
const { Worker } = process.getBuiltinModule('node:worker_threads')
const { Subscription } = require('../observe/turns.js')
const { readOptions } = require('./options.js')
const sources = require('./sources.js')

/** @param {{ host: string, token: string | false }} options @param {number} port */
function addressOf({ host, token }, port) {
  const name = host.includes(':') ? `[${host}]` : host
  const reached = { '0.0.0.0': '127.0.0.1', '[::]': '[::1]' }[name] ?? name
  return `http://${reached}:${port}/${token === false ? '' : `?token=${token}`}`
}

/** @param {unknown} [given] */
async function serveInspector(given = undefined) {
  const { onLog, ...options } = readOptions(given)
  // Before the first question is asked.
  sources.answer()
  const worker = new Worker(path.join(__dirname, 'worker.js'), {
    name: 'typed-superdashmap inspector',
    workerData: options,
    // What a program preloads is not meant for this thread.
    execArgv: []
  })
  const exited = once(worker, 'exit').catch(() => {})
  const [said] = await Promise.race([once(worker, 'message'), exited.then(() => [{ error: { message: 'it ended' } }])])
  if (said.error !== undefined) {
    await worker.terminate()
    throw Object.assign(new Error(`the inspector does not listen: ${said.error.message}`), { code: said.error.code })
  }
  worker.on('error', error => process.emitWarning(`the inspector has failed: ${error.message}`, 'InspectorWarning'))
  if (onLog !== undefined) {
    const subscription = new Subscription(onLog)
    worker.on('message', ({ line }) => {
      if (line !== undefined) subscription.call(line)
    })
  }
  worker.unref()
  const close = async () => {
    worker.ref()
    worker.postMessage('close')
    await exited
  }
  return { url: addressOf(options, said.port), token: options.token, close, [Symbol.asyncDispose]: close }
}

module.exports = { registerSource: sources.registerSource, serveInspector }
