'use strict'

// `recover()`: native code makes the shards of a broken map anew, on a thread of its own, and this thread waits for it
// as its event loop goes on.

const { binding } = require('../native/attach.js')
const { readData } = require('../native/data.js')
const { pending } = require('../session/pending.js')

const { recover: recoverBinding, takeRecovery: takeRecoveryBinding } = binding

/** @typedef {{ recovered: number, dropped: number, expired: number, leakedBytes: number, timeMs: number }} Recovery */

/** @param {import('../install.js').Access} access */
const methods = ({ openOf }) => ({
  /** Async only so that a closed map is a rejection. */
  async recover() {
    const open = openOf(this)
    /** @returns {Recovery} */
    const take = (/** @type {number} */ number) => /** @type {any} */ (readData(takeRecoveryBinding(open.id, number)))
    return pending(open, this, { begin: () => recoverBinding(open.id), take })
  }
})

module.exports = { methods }
