'use strict'

/*
 * What does a codec cost? A read in a map with codec `'v8'`, next to `v8.deserialize` of bytes at hand alone: so much,
 * at most, a near cache of the bytes would spare. And next to maps of JSON, whose first read decodes as well, and
 * whose later reads do not.
 */

const assert = require('node:assert')
const v8 = require('node:v8')
const { TypedMap } = require('typed-superdashmap')
const { atMost, rowsOf } = require('../harness/question.js')
const { interleave } = require('../harness/rounds.js')
const { sessionOf } = require('../harness/workload.js')

/** Objects of a kind; few, so that finding them costs little beside reading them. */
const OBJECTS = 256

/**
 * What is read, and how often in a round. Each is JSON, so that both can store it. Of a number the codec does nearly
 * nothing, and what comes in addition has no target.
 */
const KINDS = {
  number: { repeats: 80, isPlain: true, make: n => n * 1.37 },
  'session of eight fields': { repeats: 20, make: n => sessionOf(n) },
  'order of 40 rows': {
    repeats: 2,
    make: n => ({
      id: n,
      rows: Array.from({ length: 40 }, (_, i) => ({ sku: `sku-${n}-${i}`, count: i, price: i + 0.99 }))
    })
  }
}

/** A codec of the user that does little: what it costs beyond that is the way to it. */
const TEXT = { contentType: 'text/x-json', encode: value => JSON.stringify(value), decode: text => JSON.parse(text) }

/** Times what `v8.deserialize` and `v8.serialize` take. */
const READ = 2
const WRITE = 2

/** A contender whose loop V8 shares with no other. */
function contenderOf(name, title, repeats, step, given) {
  const source = `return function (given, count, step) {
    let last
    for (let repeat = 0; repeat < count; repeat++) for (let n = 0; n < ${OBJECTS}; n++) last = step(given, n)
    return last
  } //${name}`
  const loop = new Function(source)()
  return { name, title, operations: OBJECTS * repeats, run: () => assert.ok(loop(given, repeats, step) !== null) }
}

function mapOf(objects, options) {
  const map = new TypedMap(options)
  for (const [n, object] of objects.entries()) map.set(n, object)
  for (const [n, object] of objects.entries()) assert.deepStrictEqual(map.get(n), object)
  return map
}

async function measure({ quick }, report) {
  const rows = []
  const targets = []
  const kinds = Object.entries(KINDS)
  for (const [i, [kind, { repeats, make, isPlain = false }]] of kinds.entries()) {
    const objects = Array.from({ length: OBJECTS }, (_, n) => make(n))
    const encoded = objects.map(object => v8.serialize(object))
    const maps = {
      v8: mapOf(objects, { codec: 'v8' }),
      text: mapOf(objects, { codec: TEXT }),
      json: mapOf(objects, { nearCache: false }),
      near: mapOf(objects)
    }
    const read = map => (_, n) => map.get(n)
    const write = map => (_, n) => map.set(n, objects[n])
    const contender = (name, title, step) => contenderOf(name, title, repeats, step)
    const contenders = [
      contender('deserialize', 'v8.deserialize of the bytes', (_, n) => v8.deserialize(encoded[n])),
      contender('read-v8', "get, codec 'v8'", read(maps.v8)),
      contender('read-text', 'get, codec of JSON text', read(maps.text)),
      contender('read-json', 'get, JSON, first read', read(maps.json)),
      contender('read-near', 'get, JSON, from the near cache', read(maps.near)),
      contender('serialize', 'v8.serialize of the value', (_, n) => v8.serialize(objects[n])),
      contender('write-v8', "set, codec 'v8'", write(maps.v8)),
      contender('write-text', 'set, codec of JSON text', write(maps.text)),
      contender('write-json', 'set, JSON', write(maps.json))
    ]
    const options = { seconds: quick ? 1 : 6, minRounds: 7, onRound: part => report((i + part) / kinds.length) }
    const results = await interleave(contenders, options)
    for (const map of Object.values(maps)) map.close()
    rows.push(...rowsOf(kind, contenders, results))
    const ratio = (name, other) => results[name].median / results[other].median
    if (isPlain) continue
    targets.push(
      atMost(`get, codec 'v8', ${kind}: time against v8.deserialize alone`, READ, ratio('read-v8', 'deserialize')),
      atMost(`set, codec 'v8', ${kind}: time against v8.serialize alone`, WRITE, ratio('write-v8', 'serialize'))
    )
  }
  return { rows, targets, chart: { unit: 'ns', scale: 'log', highlight: ['get, codec', 'set, codec'] } }
}

module.exports = { title: 'Codecs', tasks: { measure } }
