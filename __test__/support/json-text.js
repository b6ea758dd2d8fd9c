'use strict'

// The text that an object is stored as where it gets no shape: the way that `set` takes, with a tree that publishes
// none.

const { write } = require('../../lib/codec/fields.js')
const { ShapeTree, UNPUBLISHED } = require('../../lib/codec/shape-tree.js')

const NO_TEXTS = { first: 0, names: 0, refused: 0, large: 0, other: 0 }

/** @param {object} value */
const jsonText = value => write(value, new ShapeTree(() => UNPUBLISHED, { ...NO_TEXTS }), () => undefined)

module.exports = { jsonText }
