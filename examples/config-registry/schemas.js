'use strict'

const v = require('valibot')

/** The sections of the program in index.js. What these make of a value is what threads read. */
const schemas = {
  server: v.strictObject({
    host: v.optional(v.string(), 'localhost'),
    port: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535)),
    tls: v.optional(v.boolean(), false)
  }),
  logging: v.strictObject({
    level: v.optional(v.picklist(['debug', 'info', 'warn', 'error']), 'info'),
    outputs: v.optional(v.array(v.string()), ['stderr'])
  }),
  plugins: v.strictObject({
    enabled: v.optional(v.array(v.string()), [])
  })
}

/** What can be switched while the program runs. */
const flags = { maintenance: false, verbose: false }

module.exports = { flags, schemas }
