'use strict'

// `validate()`: one look at all of a map, a slice at a time, so that neither this thread nor a writer waits long.

const { binding } = require('../native/attach.js')
const { readData } = require('../native/data.js')
const { later, now, soon } = require('../native/timer.js')

const { startValidation: startBinding, stepValidation: stepBinding } = binding

/** What a validation may take of one turn of the event loop. The step under way is finished, so it is a little more. */
const TURN_MS = 1

/**
 * @param {import('../session/open-map.js').OpenMap} open
 * @returns {Promise<{ ok: boolean, problems: { shard: number | null, slot: number | null, what: string }[] }>}
 */
function validate(open) {
  return new Promise((resolve, reject) => {
    const number = startBinding(open.id)
    const turn = () => {
      try {
        const end = now() + TURN_MS
        for (;;) {
          const { goesOn, waits, problems } = stepBinding(open.id, number)
          if (!goesOn) {
            /** @type {any} */
            const found = readData(/** @type {string} */ (problems))
            resolve({ ok: found.length === 0, problems: found })
            return
          }
          if (waits) {
            later(turn, 1, true)
            return
          }
          if (now() >= end) break
        }
        soon(turn)
      } catch (error) {
        reject(error)
      }
    }
    turn()
  })
}

/** @param {import('../install.js').Access} access */
const methods = ({ openOf }) => ({
  /** Async only so that a closed map is a rejection. */
  async validate() {
    return validate(openOf(this))
  }
})

module.exports = { methods }
