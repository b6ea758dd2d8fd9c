'use strict'

// A spec file that requires this has every map of its main thread looked through when it is closed, and those that are still open
// at the end of the file: whatever the tests did, nothing in a map contradicts anything else in it.

const assert = require('node:assert/strict')
const { after } = require('node:test')
const { binding } = require('../../lib/native/attach.js')
const { OpenMap } = require('../../lib/session/open-map.js')

/** What has ended has no more to show. */
const ENDED = new Set(['ERR_CLOSED', 'ERR_BROKEN'])

/** Looks, before what one finds is believed: another thread may write meanwhile. */
const LOOKS = 3

/** @type {Set<WeakRef<OpenMap>>} */
const open = new Set()

/** What `validate()` finds, all at once. */
function problemsOf(id) {
  const number = binding.startValidation(id)
  for (;;) {
    const { goesOn, problems } = binding.stepValidation(id, number)
    if (!goesOn) return JSON.parse(problems)
  }
}

/** @param {OpenMap} map */
function checkSound({ id }) {
  let problems = []
  try {
    for (let look = 0; look < LOOKS; look++) {
      problems = problemsOf(id)
      if (problems.length === 0) return
    }
  } catch (error) {
    if (ENDED.has(error.code)) return
    throw error
  }
  assert.deepEqual(problems, [], 'validate() finds nothing wrong')
}

const { close, watch } = OpenMap.prototype

OpenMap.prototype.watch = function (map) {
  open.add(new WeakRef(this))
  return watch.call(this, map)
}

OpenMap.prototype.close = function () {
  checkSound(this)
  return close.call(this)
}

after(() => {
  for (const reference of open) {
    const map = reference.deref()
    if (map !== undefined) checkSound(map)
  }
})
