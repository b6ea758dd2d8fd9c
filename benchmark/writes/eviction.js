'use strict'

/*
 * What does a `set` cost that must evict another entry first, next to the same `set` into a map with room?
 *
 * All maps hold the same number of entries and get as many new keys. The full one is at its limit, of entries or of
 * bytes, so each `set` evicts; the roomy one has the same kind of limit, ten times as high. A roomy map grows
 * meanwhile, which is part of a `set` too; beside it stands one that has grown before: twice as many were put in and
 * half of them deleted.
 */

const assert = require('node:assert')
const { lruCache } = require('../adapters/lru-caches.js')
const { byKey } = require('../adapters/typed-map.js')
const { loopOf } = require('../harness/contender.js')
const { atMost, rowsOf } = require('../harness/question.js')
const { interleave } = require('../harness/rounds.js')
const { KEYS, VALUES, make } = require('../harness/workload.js')
const { TypedMap } = require('typed-superdashmap')

const ENTRIES = 100_000
const ROOM = 10

/** Times the time of the same `set` into a roomy map. */
const TARGET = 1.5

const VALUE_KINDS = { small: 'small objects', scalar: 'numbers' }

const POLICIES = ['lru', 'lfu', 'fifo', 'sieve', 's3-fifo']

const oldKey = i => `old:${i}`
const deletedKey = i => `deleted:${i}`

/** Bytes that a map of so many entries takes. */
function bytesOf(entries, value) {
  const map = new TypedMap()
  for (let i = 0; i < entries; i++) map.set(oldKey(i), value(i))
  const { memoryBytes } = map.getStats()
  map.destroy()
  return memoryBytes
}

/** `options` are those of the map; `most` is how many entries it may hold at the end, if it evicts. */
const contenderOf = (name, title, options, more = {}) => ({ ...byKey, name, title, options, ...more })

function contendersFor(kind, entries, value) {
  const memoryLimit = bytesOf(entries, value)
  const bounded = { maxEntries: entries }
  const roomyEntries = contenderOf(`roomy-${kind}`, 'room for entries', { maxEntries: ROOM * entries })
  const grown = contenderOf(`grown-${kind}`, 'room for entries, grown before', roomyEntries.options, { isGrown: true })
  const fullEntries = contenderOf(`full-${kind}`, 'full: maxEntries', bounded, { isFull: true })
  const roomyBytes = contenderOf(`roomy-bytes-${kind}`, 'room for bytes', { memoryLimit: ROOM * memoryLimit })
  const fullBytes = contenderOf(`full-bytes-${kind}`, 'full: memoryLimit', { memoryLimit }, { isFull: true })
  const policies = POLICIES.map(policy =>
    contenderOf(
      `full-${policy}-${kind}`,
      `full: maxEntries, '${policy}'`,
      { ...bounded, evictionStrategy: policy },
      { isFull: true }
    )
  )
  const peer = {
    ...lruCache,
    name: `full-lru-cache-${kind}`,
    title: 'full: lru-cache',
    open: () => lruCache.open({ entries }),
    isFull: true
  }
  return {
    pairs: [
      { what: 'maxEntries', full: fullEntries, roomy: roomyEntries },
      { what: 'memoryLimit', full: fullBytes, roomy: roomyBytes }
    ],
    contenders: [roomyEntries, grown, fullEntries, roomyBytes, fullBytes, ...policies, peer]
  }
}

/** A map that holds `entries` entries, made before each round, and as many new ones to put in. */
function runOf(contender, entries, keys, values) {
  const loop = loopOf(contender, 'insert')
  const life = { keys, values }
  return {
    name: contender.name,
    operations: entries,
    before() {
      const map = contender.options === undefined ? contender.open() : new TypedMap(contender.options)
      if (contender.isGrown) for (let i = 0; i < entries; i++) map.set(deletedKey(i), values[i])
      for (let i = 0; i < entries; i++) map.set(oldKey(i), values[i])
      if (contender.isGrown) for (let i = 0; i < entries; i++) map.delete(deletedKey(i))
      life.map = map
    },
    run: () => assert.strictEqual(loop(life, 0, entries), entries),
    after() {
      const size = contender.size(life.map)
      if (contender.isFull) assert(size < 1.1 * entries, `${contender.title} did not evict: ${size} entries`)
      else assert.strictEqual(size, 2 * entries, `${contender.title} lost entries`)
      contender.close(life.map)
    }
  }
}

async function measure({ quick }, report) {
  const entries = quick ? ENTRIES / 10 : ENTRIES
  const keys = make(entries, KEYS.string.key)
  const rows = []
  const targets = []
  const kinds = Object.entries(VALUE_KINDS)
  for (const [i, [kind, title]] of kinds.entries()) {
    const { contenders, pairs } = contendersFor(kind, entries, VALUES[kind])
    const values = make(entries, VALUES[kind])
    const results = await interleave(
      contenders.map(contender => runOf(contender, entries, keys, values)),
      { seconds: quick ? 1 : 30, onRound: part => report((i + part) / kinds.length) }
    )
    rows.push(...rowsOf(`set of a new key, ${title}`, contenders, results))
    const time = contender => results[contender.name].median
    for (const { what, full, roomy } of pairs) {
      targets.push(
        atMost(`set into a full map (${what}), ${title}: time against a roomy one`, TARGET, time(full) / time(roomy))
      )
    }
  }
  return { rows, targets, chart: { unit: 'ns', highlight: ['full: maxEntries', 'full: memoryLimit'] } }
}

module.exports = { title: 'Writes into a full map', tasks: { measure } }
