'use strict'

// Timers and a clock that no test tool has replaced.
//
// Test tools and browser-like environments replace timers: among the globals, and in `node:timers` too (sinon,
// `node:test`). What is taken from there when the package is loaded is the platform's own, unless the tool was faster:
// a test may fake timers and then load the code under test. That tool's timers would never end once the test is over.
// So the platform is asked for one in another way then: a socket that is never connected has a timer for its timeout,
// which Node makes inside.

const { clearTimeout, setImmediate, setTimeout } = process.getBuiltinModule('node:timers')
const { uptime } = process

/**
 * Whether this is a timer of the platform's: what it is found by in the platform's lists is its own.
 *
 * @param {any} it
 */
const isOwn = it => Object.hasOwn(Object(it), '_idleStart')

/** @param {() => void} callback @param {number} ms @param {boolean} [keepsAlive] */
function byTimeout(callback, ms, keepsAlive = false) {
  const timer = setTimeout(callback, ms)
  // Where timers are numbers, they do not keep the process alive.
  if (!keepsAlive) timer?.unref?.()
}

/**
 * Another way to the platform's timers, where there is one: it returns what stops the timer.
 *
 * @returns {((callback: () => void, ms: number) => () => void) | undefined}
 */
function timersOfSockets() {
  const { Socket } = process.getBuiltinModule('node:net')
  const probe = /** @type {any} */ (new Socket().setTimeout(1))
  const hasTimer = Object.getOwnPropertySymbols(probe).some(key => isOwn(probe[key]))
  probe.destroy()
  if (!hasTimer) return undefined
  return (callback, ms) => {
    // 0 means none to a socket.
    const socket = new Socket().setTimeout(Math.max(1, ms))
    socket.once('timeout', () => {
      socket.destroy()
      callback()
    })
    return () => socket.destroy()
  }
}

/** Timers of sockets where those of `node:timers` are a tool's. */
function replacement() {
  // At once, because a timer that is a number may be none that can be cleared.
  const timer = setTimeout(() => {}, 0)
  if (typeof timer !== 'object') return undefined
  clearTimeout(timer)
  return isOwn(timer) ? undefined : timersOfSockets()
}

const replaced = replacement()

/**
 * Calls a function once, after some milliseconds. The process stays alive for it if that is asked for, and if it is the
 * platform that makes the timers of `node:timers`.
 *
 * @type {typeof byTimeout}
 */
const later = replaced ?? byTimeout

/** The same in the next turn of the event loop, and it is asked for. @type {(callback: () => void) => void} */
const soon = replaced === undefined ? setImmediate : callback => replaced(callback, 0)

/**
 * Calls a function once, after some milliseconds, unless what is returned is called before. The process does not stay
 * alive for it.
 *
 * @param {() => void} callback
 * @param {number} ms
 * @returns {() => void}
 */
function timeout(callback, ms) {
  if (replaced !== undefined) return replaced(callback, ms)
  const timer = setTimeout(callback, ms)
  timer?.unref?.()
  return () => clearTimeout(timer)
}

/** Milliseconds since some time. `performance.now` is replaced as an object's property, and this is not. */
const now = () => uptime() * 1_000

module.exports = { later, now, soon, timeout }
