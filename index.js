'use strict'

const { ERROR_NUMBERS, TypedMapError } = require('./lib/errors.js')
const { Handle } = require('./lib/handle.js')
const { TypedMap } = require('./lib/map.js')

module.exports = { ERROR_NUMBERS, Handle, TypedMap, TypedMapError }
