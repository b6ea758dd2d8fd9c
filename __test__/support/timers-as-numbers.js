'use strict'

// Required before the package: timers of an environment that is like a browser, where they are numbers.

const timers = require('node:timers')

globalThis.real = timers.setTimeout
for (const name of ['setTimeout', 'setImmediate']) {
  const original = timers[name]
  const asNumber = (...parameters) => {
    original(...parameters)
    return 1
  }
  timers[name] = asNumber
  globalThis[name] = asNumber
}
