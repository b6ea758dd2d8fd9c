'use strict'

module.exports = require('./lib/inspector/serve.js')
