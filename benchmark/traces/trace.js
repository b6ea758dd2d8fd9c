'use strict'

/*
 * An access trace: which keys were asked for, one after the other, and how large each was where that is known. In
 * memory keys have numbers from 0 in the order of their first request.
 *
 * A file has one request a line: the key, and after blanks or a comma the size of its value in bytes, if the file has
 * sizes. Keys that are integers reach the map as numbers, all others as strings. Files may be packed with gzip.
 */

const { existsSync, readFileSync, readdirSync, statSync } = require('node:fs')
const { join } = require('node:path')
const { gunzipSync } = require('node:zlib')

const EXTENSION = /(\.txt|\.csv|\.trace)?(\.gz)?$/
const IS_TRACE = /\.(txt|csv|trace)(\.gz)?$/
const GZIP_MAGIC = 0x1f8b

/** Reference results of other programs, beside the traces; see benchmark/README.md. */
const ORACLES = 'oracles.json'

/** Numbers that worker threads see without a copy. */
const shared = numbers => {
  const copy = new Uint32Array(new SharedArrayBuffer(numbers.length * Uint32Array.BYTES_PER_ELEMENT))
  copy.set(numbers)
  return copy
}

/**
 * @typedef {object} Trace
 * @property {string} name
 * @property {Uint32Array} ids the number of each request's key
 * @property {(number | string)[]} keys by number
 * @property {Uint32Array} [sizes] of each request's value, in bytes
 */

/**
 * @param {string} name
 * @param {ArrayLike<number | string>} requests keys
 * @param {ArrayLike<number>} [sizes]
 * @returns {Trace}
 */
function traceOf(name, requests, sizes) {
  const numbers = new Map()
  const ids = new Uint32Array(requests.length)
  for (let i = 0; i < requests.length; i++) {
    let id = numbers.get(requests[i])
    if (id === undefined) {
      id = numbers.size
      numbers.set(requests[i], id)
    }
    ids[i] = id
  }
  return { name, ids: shared(ids), keys: [...numbers.keys()], ...(sizes === undefined ? {} : { sizes: shared(sizes) }) }
}

const keyOf = text => {
  const number = Number(text)
  return Number.isSafeInteger(number) && String(number) === text ? number : text
}

/** @param {string} file */
function readTrace(file) {
  const bytes = readFileSync(file)
  const isPacked = bytes.length > 2 && bytes.readUInt16BE(0) === GZIP_MAGIC
  const text = (isPacked ? gunzipSync(bytes) : bytes).toString()
  const requests = []
  const sizes = []
  let from = 0
  while (from < text.length) {
    const end = text.indexOf('\n', from)
    const line = text.slice(from, end < 0 ? text.length : end).trim()
    from = end < 0 ? text.length : end + 1
    if (line === '') continue
    const [key, size, more] = line.split(/[\s,]+/)
    if (more !== undefined || (size !== undefined && !/^\d+$/.test(size))) {
      throw new Error(`${file}, request ${requests.length + 1}: expected a key, or a key and a size, not '${line}'`)
    }
    requests.push(keyOf(key))
    if (size !== undefined) sizes.push(Number(size))
  }
  if (sizes.length > 0 && sizes.length < requests.length)
    throw new Error(`${file}: some requests have a size, some not`)
  const name = file.replace(/^.*[/\\]/, '').replace(EXTENSION, '')
  return traceOf(name, requests, sizes.length > 0 ? sizes : undefined)
}

/** Names, files and lengths in bytes of the traces of a directory, the smallest file first. */
function tracesIn(directory) {
  return readdirSync(directory)
    .filter(file => IS_TRACE.test(file))
    .map(file => {
      const path = join(directory, file)
      return { name: file.replace(EXTENSION, ''), file: path, bytes: statSync(path).size }
    })
    .sort((one, other) => one.bytes - other.bytes)
}

/** Reference results by trace, `{}` where the directory has none. */
function oraclesIn(directory) {
  const file = join(directory, ORACLES)
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
}

module.exports = { oraclesIn, readTrace, traceOf, tracesIn }
