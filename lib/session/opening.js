'use strict'

// How `open` has a constructor make a named map: by running it, so that a derived class is initialised as by `new`.

/**
 * @typedef {object} Request
 * @property {string} name
 * @property {unknown} options as passed to `open`
 * @property {Function} type the class whose constructor runs
 * @property {import('../addon/binding.js').Opened | undefined} opened what native code reports of a map that is watched
 *   and not opened
 * @property {{ close: () => void } | undefined} open what the constructor of TypedMap has opened for it
 */

/** The request of the constructor that is about to run. @type {Request | undefined} */
let pending

/**
 * Runs the constructor of `type` with the options, and has the map that it makes be the one of this name.
 *
 * @param {Function} target TypedMap or a class derived from it
 * @param {Function} type whose prototype the map gets
 * @param {string} name
 * @param {unknown} options
 * @param {import('../addon/binding.js').Opened} [opened]
 */
function construct(target, type, name, options, opened = undefined) {
  /** @type {Request} */
  const request = { name, options, type, opened, open: undefined }
  const outer = pending
  pending = request
  try {
    return Reflect.construct(target, options === undefined ? [] : [options], type)
  } catch (error) {
    // A constructor that fails has opened nothing.
    request.open?.close()
    throw error
  } finally {
    pending = outer
  }
}

/**
 * What the constructor that runs for `type` was asked for; once, because such a constructor may make other maps.
 *
 * @param {Function | undefined} type
 */
function takeRequest(type) {
  const request = pending
  if (request === undefined || request.type !== type) return undefined
  pending = undefined
  return request
}

module.exports = { construct, takeRequest }
