'use strict'

/**
 * Runs `cause`, and waits for a warning of the process with this code. Returns all that come until then, and in the
 * turn of the event loop after it.
 */
async function collectWarnings(code, cause) {
  const warnings = []
  let heard
  const first = new Promise(resolve => {
    heard = resolve
  })
  const listen = warning => {
    warnings.push(warning)
    if (warning.code === code) heard()
  }
  process.on('warning', listen)
  // Nothing that a warning comes from keeps the process alive.
  const alive = setInterval(() => {}, 1_000)
  await cause()
  await first
  await new Promise(resolve => setImmediate(resolve))
  clearInterval(alive)
  process.off('warning', listen)
  return warnings
}

/** Has a refresh of a map in the background fail. */
async function failRefresh({ TypedMap, map, thrownOf }) {
  const clock = TypedMap.setClock()
  const options = { refreshAfter: 100 }
  await map.getOrLoad('a', () => 1, options)
  clock.advance(100)
  const failing = () => Promise.reject(Object.assign(new RangeError('no answer'), { code: 'ECONNRESET' }))
  const loader = thrownOf === undefined ? failing : () => Promise.reject(thrownOf())
  if ((await map.getOrLoad('a', loader, options)) !== 1) throw new Error('the value is not there')
  clock.restore()
}

module.exports = { collectWarnings, failRefresh }
