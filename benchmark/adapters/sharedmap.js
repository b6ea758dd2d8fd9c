'use strict'

/*
 * sharedmap: a hash map over one SharedArrayBuffer. It holds strings in cells of a fixed size, so objects go through
 * JSON, and every key and value costs as much room as the longest. A worker is sent the object and gives it its
 * prototype back (`attach`).
 */

const SharedMap = require('sharedmap')

const KEY_LENGTH = 16

const sharedMap = {
  name: 'sharedmap',
  title: 'sharedmap (JSON texts)',
  item: 'key',
  open: ({ entries, textLength }) => new SharedMap(Math.ceil(entries * 1.25), KEY_LENGTH, textLength + 1),
  attach: data => Object.setPrototypeOf(data, SharedMap.prototype),
  close: map => map.clear(),
  size: map => map.length,
  get: 'JSON.parse(map.get(key))',
  has: 'map.has(key)',
  insert: 'map.set(key, JSON.stringify(value))',
  update: 'map.set(key, JSON.stringify(value))'
}

module.exports = { sharedMap }
