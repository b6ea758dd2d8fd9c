'use strict'

// How the tables of the index grow: by themselves or not, and what brings a growth forward.

const { outOfRange, wrongType } = require('../errors.js')
const { binding } = require('../native/attach.js')

const {
  autoResize: autoResizeBinding,
  isMigrating: isMigratingBinding,
  rehash: rehashBinding,
  setAutoResize: setAutoResizeBinding
} = binding

/** What one call may take of its thread, in milliseconds. */
const MOST_MS = 1_000
const ALLOWED = `a number of milliseconds above 0, up to ${MOST_MS}`

/** @param {import('../install.js').Access} access */
const methods = ({ openOf }) => ({
  get autoResize() {
    return autoResizeBinding(openOf(this).id)
  },

  set autoResize(value) {
    const open = openOf(this)
    if (typeof value !== 'boolean') throw wrongType('autoResize', value, 'true or false')
    setAutoResizeBinding(open.id, value)
  },

  get isMigrating() {
    return isMigratingBinding(openOf(this).id)
  },

  /** @param {number} ms @returns {boolean} */
  rehash(ms) {
    const open = openOf(this)
    if (typeof ms !== 'number') throw wrongType('ms', ms, ALLOWED)
    if (!(ms > 0 && ms <= MOST_MS)) throw outOfRange('ms', ms, ALLOWED)
    return rehashBinding(open.id, ms)
  }
})

module.exports = { methods }
