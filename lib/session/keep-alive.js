'use strict'

// Keeps the event loop alive while promises of this package are pending: what waits is a promise of the user's, and a
// process that ended meanwhile would leave it open.

const { MessageChannel } = process.getBuiltinModule('node:worker_threads')

let held = 0
/** Both of its ports are held. @type {import('node:worker_threads').MessageChannel | undefined} */
let channel

/** Keeps it alive, until as many calls of `release`. */
function hold() {
  if (held++ > 0) return
  // A port that listens, and hears nothing. No test tool replaces it, as they do timers.
  if (channel === undefined) {
    channel = new MessageChannel()
    channel.port1.on('message', () => {})
  }
  channel.port1.ref()
}

/** Ends one `hold`. */
function release() {
  if (--held === 0) channel?.port1.unref()
}

module.exports = { hold, release }
