'use strict'

// Keeps the event loop alive while promises of this package are pending: what waits is a promise of the user's, and a
// process that ended meanwhile would leave it open.

const { MessageChannel } = process.getBuiltinModule('node:worker_threads')

let held = 0
/** @type {import('node:worker_threads').MessagePort | undefined} */
let port

/** Keeps it alive, until as many calls of `release`. */
function hold() {
  if (held++ > 0) return
  // A port that listens, and hears nothing. No test tool replaces it, as they do timers.
  if (port === undefined) {
    port = new MessageChannel().port1
    port.on('message', () => {})
  }
  port.ref()
}

/** Ends one `hold`. */
function release() {
  if (--held === 0) port?.unref()
}

module.exports = { hold, release }
