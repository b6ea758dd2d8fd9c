'use strict'

/*
 * TypedMap, in its ways of use. Each is a contender of its own: it has its own map, its own generated loops, and
 * names in `item` the argument of one step of such a loop (a key, a handle, or a batch of items).
 *
 * Options of `open`: `entries` (how many there will be), `nearCache` (as in TypedMap), `limit` (true: a bounded map
 * with room for all of them), `ttl` (ms), `name` (a shared map of that name).
 */

const { TypedMap } = require('typed-superdashmap')

const open = ({ entries, nearCache, limit = false, ttl, name }) => {
  const options = {}
  if (nearCache !== undefined) options.nearCache = nearCache
  if (limit) options.maxEntries = entries
  if (ttl !== undefined) options.ttl = ttl
  return name === undefined ? new TypedMap(options) : TypedMap.open(name, options)
}

const common = {
  open,
  close: map => map.destroy(),
  size: map => map.size,
  // The whole map is walked; handles stand in the key's place where an entry has no key.
  iterate: 'for (const [, value] of map) { if (value !== undefined) count++ }'
}

const byKey = {
  ...common,
  name: 'typed-map-key',
  title: 'TypedMap by key',
  item: 'key',
  get: 'map.get(key)',
  has: 'map.has(key)',
  insert: 'map.set(key, value)',
  update: 'map.set(key, value)',
  delete: 'map.delete(key)'
}

const byHandle = {
  ...common,
  name: 'typed-map-handle',
  title: 'TypedMap by handle',
  item: 'handle',
  get: 'map.get(handle)',
  has: 'map.has(handle)',
  insert: 'map.insert(value)',
  update: 'map.replace(handle, value)',
  delete: 'map.delete(handle)'
}

/** The same entries, each handle asked for its own. */
const byItself = {
  ...byHandle,
  name: 'typed-map-handle-get',
  title: 'TypedMap by handle.get()',
  get: 'handle.get()'
}

const byBatch = {
  ...common,
  name: 'typed-map-batch',
  title: 'TypedMap by batch of 100',
  item: 'batch',
  get: 'map.getMany(items)',
  insert: 'map.setMany(items)',
  update: 'map.updateMany(items)',
  delete: 'map.deleteMany(items)',
  iterate: undefined
}

const byHandleBatch = {
  ...common,
  name: 'typed-map-handle-batch',
  title: 'TypedMap by batch of 100 handles',
  item: 'handle-batch',
  get: 'map.getMany(items)',
  insert: 'map.insertMany(items)',
  delete: 'map.deleteMany(items)',
  iterate: undefined
}

module.exports = { byKey, byHandle, byItself, byBatch, byHandleBatch }
