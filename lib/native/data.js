'use strict'

// Plain data of this package, which crosses to native code as JSON text. Never used for values of users.

/**
 * Plain data of this package as JSON text: options.
 *
 * @param {object} data
 */
const writeData = data => JSON.stringify(data)

/**
 * Plain data that native code wrote as JSON text: details, statistics.
 *
 * @param {string} text
 * @returns {Record<string, any>}
 */
const readData = text => JSON.parse(text)

module.exports = { readData, writeData }
