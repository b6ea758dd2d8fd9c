'use strict'

/*
 * The caches people use inside one thread. All get the same bound, and an expiry if `ttl` is set and the cache has one
 * (mnemonist's LRUMap has none, and is compared without).
 */

const { LRUCache } = require('lru-cache')
const LRUMap = require('mnemonist/lru-map')

/** An ES module, which `require` cannot load on every supported version: it is loaded before the first round. */
let QuickLRU

const common = {
  item: 'key',
  close: cache => cache.clear(),
  size: cache => cache.size,
  get: 'map.get(key)',
  has: 'map.has(key)',
  insert: 'map.set(key, value)',
  update: 'map.set(key, value)',
  delete: 'map.delete(key)'
}

const lruCache = {
  ...common,
  name: 'lru-cache',
  title: 'lru-cache',
  open: ({ entries, ttl }) => new LRUCache(ttl === undefined ? { max: entries } : { max: entries, ttl })
}

const quickLru = {
  ...common,
  name: 'quick-lru',
  title: 'quick-lru',
  async prepare() {
    QuickLRU = (await import('quick-lru')).default
  },
  open: ({ entries, ttl }) => new QuickLRU(ttl === undefined ? { maxSize: entries } : { maxSize: entries, maxAge: ttl })
}

const lruMap = {
  ...common,
  name: 'mnemonist-lru-map',
  title: 'mnemonist LRUMap',
  open: ({ entries }) => new LRUMap(entries),
  delete: undefined
}

module.exports = { lruCache, quickLru, lruMap }
