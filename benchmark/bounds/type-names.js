'use strict'

/* Each insertion has a type of its own, as when a type is made of user input. Refused writes are not counted. */

const PREFIX = 'type-name-'.repeat(10)
const WRITES = 500

module.exports = {
  title: 'A type name for each entry, 2 MB',
  options: { memoryLimit: '2mb', nearCache: false },
  begin: () => ({ names: 0 }),
  step(map, { thread, state }) {
    for (let n = 0; n < WRITES; n++) {
      try {
        map.insert(n, { type: `${PREFIX}${thread}-${state.names++}` })
      } catch (error) {
        if (error.code === undefined) throw error
      }
    }
  }
}
