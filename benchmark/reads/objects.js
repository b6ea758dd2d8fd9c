'use strict'

/*
 * What does a first read of an object cost, next to `JSON.parse` of its text alone, without finding it anywhere? And
 * what does writing one cost, next to `JSON.stringify` of it alone?
 */

const assert = require('node:assert')
const { TypedMap } = require('typed-superdashmap')
const { atMost, rowsOf } = require('../harness/question.js')
const { interleave } = require('../harness/rounds.js')
const { randomNumbers, sessionOf } = require('../harness/workload.js')

/** Objects of a kind; few, so that finding them costs little beside reading them. */
const OBJECTS = 256

const random = randomNumbers()
const text = (words, length) => {
  let made = ''
  while (made.length < length) made += `${words[Math.floor(random() * words.length)]} `
  return made.slice(0, length)
}
const WORDS = ['<p>', 'lorem', 'ipsum', 'dolor', '</p>', 'sit', 'amet,', 'consectetur']

/** What is read, how often in a round, and the target against `JSON.parse`, frozen and as a copy. */
const KINDS = {
  'session of eight fields': {
    repeats: 40,
    frozen: 0.6,
    make: n => sessionOf(n)
  },
  'twenty numbers': {
    repeats: 20,
    frozen: 0.4,
    make: n => Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`n${i}`, (n + 1) * i * 1.37]))
  },
  '1,536 numbers': {
    repeats: 1,
    frozen: 0.2,
    copied: 0.05,
    make: () => ({ vector: Array.from({ length: 1_536 }, () => Math.fround(random() - 0.5)) })
  },
  'nested, 2 KB': {
    repeats: 4,
    frozen: 0.7,
    make: n => ({
      id: n,
      customer: { name: `Bob ${n}`, address: { street: 'Main Street 1', city: 'Berlin', zip: '10115' } },
      items: Array.from({ length: 22 }, (_, i) => ({
        sku: `sku-${n}-${i}`,
        count: i,
        price: i + 0.99,
        tags: ['a', 'b']
      })),
      note: text(WORDS, 400),
      state: { paid: true, sent: null, history: [1, 2, 3] }
    })
  },
  'page of 20 KB': {
    repeats: 2,
    frozen: 1.05,
    make: n => ({ url: `https://example.com/${n}`, status: 200, title: `Page ${n}`, body: text(WORDS, 20_000) })
  }
}

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

const steps = {
  parse: (texts, n) => JSON.parse(texts[n]),
  read: (map, n) => map.get(n),
  copy: (map, n) => map.get(n, COPY),
  stringify: (objects, n) => JSON.stringify(objects[n]),
  write: ({ map, objects }, n) => map.set(n, objects[n])
}
const COPY = { copy: true }

/** The function anew, so that V8 shares what it learns of it with no other contender. */
const own = step => new Function('COPY', `return ${step}`)(COPY)

async function measure({ quick }, report) {
  const rows = []
  const targets = []
  const kinds = Object.entries(KINDS)
  for (const [i, [kind, { repeats, frozen, copied, make }]] of kinds.entries()) {
    const objects = Array.from({ length: OBJECTS }, (_, n) => make(n))
    const texts = objects.map(object => JSON.stringify(object))
    const map = new TypedMap({ nearCache: false })
    for (let round = 0; round < 2; round++) for (const [n, object] of objects.entries()) map.set(n, object)
    for (const [n, object] of objects.entries()) assert.deepStrictEqual(map.get(n), object)
    const contender = (name, title, step, given) => contenderOf(name, title, repeats, own(step), given)
    const contenders = [
      contender('parse', 'JSON.parse of the text', steps.parse, texts),
      contender('read', 'TypedMap, get', steps.read, map),
      contender('copy', 'TypedMap, get with copy', steps.copy, map),
      contender('stringify', 'JSON.stringify of the object', steps.stringify, objects),
      contender('write', 'TypedMap, set', steps.write, { map, objects })
    ]
    const options = { seconds: quick ? 1 : 6, minRounds: 7, onRound: part => report((i + part) / kinds.length) }
    const results = await interleave(contenders, options)
    map.close()
    const title = `${kind}, ${texts[0].length.toLocaleString('en-US')} characters of JSON`
    rows.push(...rowsOf(title, contenders, results))
    const against = name => results[name].median / results.parse.median
    targets.push(atMost(`first read, ${kind}: time against JSON.parse of its text alone`, frozen, against('read')))
    if (copied !== undefined) {
      targets.push(atMost(`the same with { copy: true }, ${kind}`, copied, against('copy')))
    }
  }
  return { rows, targets, chart: { unit: 'ns', scale: 'log', highlight: ['TypedMap'] } }
}

module.exports = { title: 'First reads of objects of several kinds', tasks: { measure } }
