'use strict'

// Errors that no call throws: `onError` listeners of any thread hear them. Where there are none, the process is warned,
// in the thread that the error belongs to.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap, TypedMapError } = require('../..')
const { refreshFailed } = require('../../lib/errors.js')
const { binding } = require('../../lib/native/attach.js')
const { Warnings } = require('../../lib/session/unheard.js')
const { isTyped, throwsTyped } = require('../support/errors.js')
const { collectWarnings, failRefresh } = require('../support/warnings.js')
const { inWorker, startWorker } = require('../support/workers.js')

require('../support/sound.js')

const SUPPORT = require.resolve('../support/warnings.js')

let names = 0
const newName = () => `unheard ${process.pid} ${++names}`
const turn = () => new Promise(resolve => setImmediate(resolve))

/** What a loader may throw, too. @type {Record<string, () => any>} */
const ODD_ERRORS = {
  'an error of a million characters': () => new Error('x'.repeat(1_000_000)),
  'a text of a million characters': () => 'x'.repeat(1_000_000),
  'an error with a million details': () => Object.assign(new Error('x'), { details: Array(1_000_000).fill(0) }),
  'an error whose message is a symbol': () => Object.assign(new Error('x'), { message: Symbol('x') }),
  'an object whose message and stack throw': () => ({
    get message() {
      throw new Error('message')
    },
    get stack() {
      throw new Error('stack')
    }
  }),
  'a proxy without a prototype': () =>
    new Proxy(new Error('x'), {
      getPrototypeOf() {
        throw new Error('prototype')
      }
    })
}

/** Calls a native function with another open of a map. */
function withOpen(name, run) {
  const { id } = binding.open(name, '{}')
  run(id)
  binding.close(id)
}

describe('without a listener', () => {
  it('a refresh that fails in the background is a warning in its thread, with the stack of its loader', async () => {
    const map = new TypedMap()
    const warnings = await collectWarnings('ERR_REFRESH_FAILED', () => failRefresh({ TypedMap, map }))
    assert.equal(warnings.length, 1)
    const [{ name, message, code, detail }] = warnings
    assert.deepEqual([name, code], ['TypedMapWarning', 'ERR_REFRESH_FAILED'])
    assert.equal(message, 'a map without a name: a refresh in the background failed: no answer')
    assert.match(detail, /^RangeError: no answer\n +at failing .*warnings\.js/)
    assert.equal(map.getStats().errors.byCode.ERR_REFRESH_FAILED, 1)
    map.close()
  })

  it('that of a worker is one there, and not here', async () => {
    const name = newName()
    const map = TypedMap.open(name)
    const warnings = []
    const listen = warning => warnings.push(warning.message)
    process.on('warning', listen)
    const fail = async ({ TypedMap, data }) => {
      const map = TypedMap.open(data.name)
      const warned = new Promise(resolve => process.once('warning', resolve))
      await require(data.support).failRefresh({ TypedMap, map })
      return (await warned).message
    }
    const message = await inWorker(fail, { name, support: SUPPORT })
    assert.equal(message, `the map '${name}': a refresh in the background failed: no answer`)
    await turn()
    process.off('warning', listen)
    assert.deepEqual(warnings, [])
    map.close()
  })

  it('a recovery that fails by itself is one', async () => {
    const name = newName()
    const map = TypedMap.open(name, { autoRecovery: { attempts: 1, timeout: 1 } })
    // More than a millisecond's work.
    map.setMany(Array.from({ length: 100_000 }, (_, n) => [n, n]))
    const [{ message }] = await collectWarnings('ERR_TIMEOUT', () =>
      withOpen(name, id => throwsTyped(() => binding.panicForTest(id), 'ERR_BROKEN'))
    )
    assert.equal(message, `the map '${name}': the map was not recovered within 1 millisecond`)
    await map.recover()
    map.close()
  })

  it('a map whose expired entries no thread removes is one, in the thread that has it open longest', async () => {
    const name = newName()
    const map = TypedMap.open(name)
    const other = TypedMap.open(name)
    const [{ message }] = await collectWarnings('ERR_EXPIRY_UNATTENDED', () =>
      withOpen(name, id => binding.leaveUnattendedForTest(id))
    )
    assert.equal(
      message,
      `the map '${name}': no thread removes expired entries: each is removed when something meets it`
    )
    assert.equal(map.getStats().errors.byCode.ERR_EXPIRY_UNATTENDED, 1)
    map.close()
    other.close()
  })

  it('a worker that has the map open longest is the one that warns', async () => {
    const name = newName()
    const worker = startWorker(async ({ TypedMap, data, port }) => {
      const map = TypedMap.open(data)
      const warned = new Promise(resolve => process.once('warning', resolve))
      // A warning does not keep the thread alive.
      port.once('message', () => {})
      port.postMessage('open')
      const { code } = await warned
      map.close()
      port.unref()
      return code
    }, name)
    await new Promise(resolve => worker.once('message', resolve))
    const map = TypedMap.open(name)
    withOpen(name, id => binding.leaveUnattendedForTest(id))
    assert.equal(await worker.result, 'ERR_EXPIRY_UNATTENDED')
    map.close()
  })
})

describe('with a listener', () => {
  /** What the listener of a map hears while `cause` runs; a warning is a failure. */
  async function heard(map, code, cause) {
    const warnings = []
    const listen = warning => warnings.push(warning.message)
    process.on('warning', listen)
    // No listener keeps the process alive.
    const alive = setInterval(() => {}, 1_000)
    const error = await new Promise((resolve, reject) => {
      map.onError(error => error.code === code && resolve(error))
      Promise.resolve(cause()).catch(reject)
    })
    await turn()
    clearInterval(alive)
    process.off('warning', listen)
    assert.deepEqual(warnings, [])
    return error
  }

  it('it hears of a refresh, and what its loader threw is the cause', async () => {
    const map = new TypedMap()
    const error = await heard(map, 'ERR_REFRESH_FAILED', () => failRefresh({ TypedMap, map }))
    isTyped(error, 'ERR_REFRESH_FAILED', { kind: TypedMapError, says: [/no answer/] })
    const { cause, details } = error
    assert.deepEqual(details, { operation: 'getOrLoad' })
    assert.ok(cause instanceof RangeError)
    assert.deepEqual([cause.message, cause.code], ['no answer', 'ECONNRESET'])
    assert.match(cause.stack, /^RangeError: no answer\n +at failing .*warnings\.js/)
    map.close()
  })

  for (const [what, thrownOf] of Object.entries(ODD_ERRORS)) {
    it(`it hears of a refresh whose loader threw ${what}`, async () => {
      const map = new TypedMap()
      const error = await heard(map, 'ERR_REFRESH_FAILED', () => failRefresh({ TypedMap, map, thrownOf }))
      assert.ok(Object.hasOwn(error, 'cause'))
      assert.equal(map.getStats().loads.underWay, 0)
      map.close()
    })

    it(`without one there is a warning of ${what}`, () => {
      const given = []
      const warnings = new Warnings(
        text => given.push(text),
        () => {}
      )
      warnings.warn(refreshFailed(thrownOf()), 'prices')
      assert.equal(given.length, 1)
      assert.match(given[0], /^the map 'prices': a refresh in the background failed: /)
    })
  }

  it('one of another thread hears of it, and the thread of the loader is not warned', async () => {
    const name = newName()
    const map = TypedMap.open(name)
    const fail = async ({ TypedMap, data }) => {
      const warnings = []
      process.on('warning', warning => warnings.push(warning.message))
      await require(data.support).failRefresh({ TypedMap, map: TypedMap.open(data.name) })
      await new Promise(resolve => setImmediate(resolve))
      return warnings
    }
    let warnings
    const error = await heard(map, 'ERR_REFRESH_FAILED', async () => {
      warnings = await inWorker(fail, { name, support: SUPPORT })
    })
    assert.equal(error.cause.message, 'no answer')
    while (warnings === undefined) await turn()
    assert.deepEqual(warnings, [])
    map.close()
  })

  it('it hears of a recovery that fails, and of expired entries that no thread removes', async () => {
    const name = newName()
    const map = TypedMap.open(name, { autoRecovery: { attempts: 1, timeout: 1 } })
    map.setMany(Array.from({ length: 100_000 }, (_, n) => [n, n]))
    const unattended = await heard(map, 'ERR_EXPIRY_UNATTENDED', () =>
      withOpen(name, id => binding.leaveUnattendedForTest(id))
    )
    assert.equal(unattended.details.operation, 'expire')
    const failed = await heard(map, 'ERR_TIMEOUT', () =>
      withOpen(name, id => throwsTyped(() => binding.panicForTest(id), 'ERR_BROKEN'))
    )
    assert.equal(failed.details.operation, 'recover')
    await map.recover()
    map.close()
  })
})

describe('warnings', () => {
  it('are no flood: one of each code a minute, and one that says how many more there were', () => {
    const [given, timers] = [[], []]
    const warnings = new Warnings(
      (text, { code }) => given.push([code, text]),
      (callback, ms) => timers.push({ callback, ms })
    )
    const error = (code, message) => Object.assign(new Error(message), { code })
    warnings.warn(error('ERR_A', 'first'), 'm')
    for (let n = 0; n < 1_999; n++) warnings.warn(error('ERR_A', 'second'), 'm')
    warnings.warn(error('ERR_A', 'last'), null)
    warnings.warn(error('ERR_B', 'other'), undefined, 3)
    assert.deepEqual(given.splice(0), [
      ['ERR_A', "the map 'm': first"],
      ['ERR_B', 'a map: other (3 times since the last warning)']
    ])
    assert.deepEqual(
      timers.map(({ ms }) => ms),
      [60_000, 60_000]
    )
    for (const { callback } of timers.splice(0)) callback()
    assert.deepEqual(given.splice(0), [['ERR_A', 'a map without a name: last (2,000 times since the last warning)']])
    // That is a warning, too, and B is silent since a minute.
    warnings.warn(error('ERR_A', 'again'), 'm')
    warnings.warn(error('ERR_B', 'again'), 'm')
    assert.deepEqual(given.splice(0), [['ERR_B', "the map 'm': again"]])
    assert.equal(timers.length, 2)
  })
})
