'use strict'

/*
 * What is stored and in which order it is asked for. Everything is seeded, so that two runs of a command do the same
 * work, and the check of an answer can make the expected value again from its number.
 */

const SEED = 0x5eed

/** mulberry32: small, fast, and good enough to shuffle with. Returns numbers in [0, 1). */
function randomNumbers(seed = SEED) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

/** The numbers 0…count-1, shuffled. */
function shuffledOrder(count, seed = SEED) {
  const order = new Uint32Array(count)
  for (let i = 0; i < count; i++) order[i] = i
  const random = randomNumbers(seed)
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    const swapped = order[i]
    order[i] = order[j]
    order[j] = swapped
  }
  return order
}

/** `count` numbers below `entries`, each as likely as any other. */
function uniformOrder(count, entries, seed = SEED) {
  const random = randomNumbers(seed)
  return Uint32Array.from({ length: count }, () => Math.floor(random() * entries))
}

/**
 * `count` numbers below `entries` where the k-th most popular comes up in proportion to 1 / k^skew. Popularity is
 * spread over the numbers by a shuffle, so that popular entries are not also the oldest ones.
 */
function zipfOrder(count, entries, skew, seed = SEED) {
  const cumulative = new Float64Array(entries)
  let total = 0
  for (let rank = 0; rank < entries; rank++) {
    total += 1 / (rank + 1) ** skew
    cumulative[rank] = total
  }
  const numbers = shuffledOrder(entries, seed ^ 1)
  const random = randomNumbers(seed)
  return Uint32Array.from({ length: count }, () => {
    const drawn = random() * total
    let low = 0
    let high = entries - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if (cumulative[middle] < drawn) low = middle + 1
      else high = middle
    }
    return numbers[low]
  })
}

const KEYS = {
  string: { key: i => `user:${i}`, missing: i => `none:${i}` },
  integer: { key: i => i, missing: i => -1 - i }
}

const SENTENCE = 'The quick brown fox jumps over the lazy dog and comes back for more. '

/** As data arrives: each string of the result is its own, none is shared with another value. */
const parsed = value => JSON.parse(JSON.stringify(value))

/** A session of eight fields. */
const sessionOf = (i, created = i) => ({
  id: `a1b2c3d4-${i}`,
  user: 100_000 + i,
  name: `Alice Example ${i}`,
  isAdmin: i % 7 === 0,
  created: 1_700_000_000_000 + created,
  ttl: 3_600,
  address: `192.168.1.${i % 256}`,
  agent: 'Mozilla/5.0 (X11; Linux x86_64)'
})

/** Values by kind: how to make number `i` of them. `large` is 2 KB of JSON text. */
const VALUES = {
  scalar: i => i,
  small: i => ({ host: `host-${i % 1000}`, port: i }),
  large: i =>
    parsed({
      id: i,
      name: `record number ${i}`,
      active: (i & 1) === 0,
      tags: ['alpha', 'beta', 'gamma', 'delta'],
      position: { latitude: i / 1000, longitude: -i / 1000 },
      items: Array.from({ length: 12 }, (_, n) => ({
        sku: `sku-${i}-${n}`,
        price: n * 1.25,
        quantity: (i + n) % 10,
        note: SENTENCE
      })),
      comment: SENTENCE.repeat(4)
    })
}

/** An object whose JSON text has `bytes` bytes, made of one string: for questions about memory. */
const valueOfBytes = bytes => i => {
  const number = String(i)
  return parsed({ id: number, text: 'x'.repeat(bytes - '{"id":"","text":""}'.length - number.length) })
}

const make = (count, one) => {
  const all = new Array(count)
  for (let i = 0; i < count; i++) all[i] = one(i)
  return all
}

module.exports = { randomNumbers, sessionOf, shuffledOrder, uniformOrder, zipfOrder, KEYS, VALUES, valueOfBytes, make }
