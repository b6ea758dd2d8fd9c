'use strict'

/*
 * The map of the language, three times: as it is (values are shared by reference, so every reader can change them),
 * with a private copy per write or read through `structuredClone`, and with values kept as JSON text, which is what
 * programs do to get copies cheaply.
 */

const common = {
  item: 'key',
  open: () => new Map(),
  close: map => map.clear(),
  size: map => map.size,
  has: 'map.has(key)',
  delete: 'map.delete(key)',
  iterate: 'for (const [, value] of map) { if (value !== undefined) count++ }'
}

const map = {
  ...common,
  name: 'map',
  title: 'Map',
  get: 'map.get(key)',
  insert: 'map.set(key, value)',
  update: 'map.set(key, value)'
}

const cloned = {
  ...common,
  name: 'map-clone',
  title: 'Map + structuredClone',
  get: 'structuredClone(map.get(key))',
  insert: 'map.set(key, structuredClone(value))',
  update: 'map.set(key, structuredClone(value))'
}

const json = {
  ...common,
  name: 'map-json',
  title: 'Map of JSON texts',
  get: 'JSON.parse(map.get(key))',
  insert: 'map.set(key, JSON.stringify(value))',
  update: 'map.set(key, JSON.stringify(value))'
}

module.exports = { map, cloned, json }
