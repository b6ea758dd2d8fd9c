'use strict'

// Preloaded (`node --require`), it makes the process behave as one whose engine refuses memory that is not its own, as
// Electron does: before the package is loaded, so in each of its threads and from the first array on.

const { refuseForeignMemoryForTest } = require('../../lib/addon/load.js')

refuseForeignMemoryForTest(true)
