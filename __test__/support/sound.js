'use strict'

// A spec file that requires this has every map that its main thread opens looked through, when it is closed or at the
// end of the file: whatever the tests did, nothing in a map contradicts anything else in it. `sound.spec.js` sees to
// it that each spec file does.
//
// What cannot be looked at: maps that were destroyed, collected or broken, for they have ended, and maps of workers and
// child processes that this thread has not opened too. Required first of all, so that it sees the first map.

const assert = require('node:assert/strict')
const { after } = require('node:test')
const loaded = require('../../lib/addon/load.js')
const { OpenMap } = require('../../lib/session/open-map.js')

/** Numbers of ERR_CLOSED and ERR_BROKEN: what has ended has no more to show. */
const ENDED = new Set([1_010, 1_020])

/** Looks, before what one finds is believed: another thread may write meanwhile. */
const LOOKS = 3

/** Ids of maps that are not known to be closed. @type {Set<number>} */
const open = new Set()

/** What `validate()` finds, all at once. */
function problemsOf(id) {
  const number = loaded.startValidation(id)
  for (;;) {
    const { goesOn, problems } = loaded.stepValidation(id, number)
    if (!goesOn) return JSON.parse(problems)
  }
}

/** Whether the evaluation of the package that had the map was collected, which closes its maps. */
const isCollected = error => /is no number of an open map$/.test(error.message)

/** @param {number} id of a map */
function checkSound(id) {
  let problems = []
  try {
    for (let look = 0; look < LOOKS; look++) {
      problems = problemsOf(id)
      if (problems.length === 0) return
    }
  } catch (error) {
    if (ENDED.has(error.number) || isCollected(error)) return
    throw error
  }
  assert.deepEqual(problems, [], 'validate() finds nothing wrong')
}

const { open: openMap } = loaded

// Every map comes from here, those of the raw binding too.
loaded.open = (...given) => {
  const opened = openMap(...given)
  open.add(opened.id)
  return opened
}

const { close } = OpenMap.prototype

OpenMap.prototype.close = function () {
  checkSound(this.id)
  open.delete(this.id)
  return close.call(this)
}

after(() => {
  for (const id of open) checkSound(id)
})
