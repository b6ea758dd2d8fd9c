// What the page shows of one map beside its charts: tiles, shards, memory by use, latency.

import { byId, keep, make, makeSvg, say, showNote, showTable } from './elements.mjs'
import * as format from './format.mjs'
import { hitRate, last, rate } from './series.mjs'

/** Bars that shards are drawn as; of more shards, a bar stands for several. */
const MOST_BARS = 96
const BAR_HEIGHT = 72

/** Names of the options that say most, in this order. */
const FACT_NAMES = /** @type {Record<string, string>} */ ({ evictionStrategy: 'evicts by', oomStrategy: 'when full' })
const FACTS = ['evictionStrategy', 'oomStrategy', 'ttl', 'codec', 'hash']

/** @param {any} stats */
const shardsOf = ({ shards }) => (shards === 1 ? '1 shard' : `${shards} shards`)

/** @param {any} map */
export function showHeading({ name, stats, options, isSecret }) {
  say(byId('name'), name)
  if (isSecret) return say(byId('facts'), 'The map has a secret: only its totals are shown.')
  const facts = FACTS.filter(key => options[key] !== null && options[key] !== undefined).map(key => {
    return key === 'ttl' ? `ttl ${format.span(options.ttl)}` : `${FACT_NAMES[key] ?? key} ${options[key]}`
  })
  const opens = stats.threads === 1 ? 'opened once' : `opened ${stats.threads} times`
  say(byId('facts'), [...facts, shardsOf(stats), opens, `made ${format.span(stats.uptimeMs)} ago`].join(' · '))
}

/** @typedef {{ label: string, value: string, more: string, share?: number }} Tile */

/** @param {any} stats @param {import('./series.mjs').Columns | undefined} columns @returns {Tile[]} */
function tilesOf(stats, columns) {
  const { memoryLimit, maxEntries } = stats.limits
  const memory = {
    label: 'Memory',
    value: format.bytes(stats.memoryBytes),
    more:
      memoryLimit === null
        ? 'no limit'
        : `${format.percent((100 * stats.memoryBytes) / memoryLimit)} of ${format.bytes(memoryLimit)}`,
    ...(memoryLimit !== null && { share: stats.memoryBytes / memoryLimit })
  }
  const entries = {
    label: 'Entries',
    value: format.count(stats.entries),
    more:
      maxEntries === null
        ? 'no limit'
        : `${format.percent((100 * stats.entries) / maxEntries)} of ${format.count(maxEntries)}`,
    ...(maxEntries !== null && { share: stats.entries / maxEntries })
  }
  if (columns === undefined) return [entries, memory]
  const now = (/** @type {string} */ name) => last(rate(columns, name))
  const perSecond = (/** @type {number | null} */ value) => `${format.count(value)}${value === null ? '' : ' /s'}`
  const operations = now('operations')
  const near = now('nearHits')
  const hits = now('hits')
  const { get } = stats.latency ?? {}
  return [
    {
      label: 'Hit rate',
      value: format.percent(last(hitRate(columns))),
      more: `${format.percent(stats.cacheHitRate)} since the start`
    },
    {
      label: 'Operations',
      value: perSecond(operations),
      more: hits ? `${format.percent((100 * Number(near)) / hits)} of hits near` : 'no hits now'
    },
    entries,
    memory,
    {
      label: 'Evictions',
      value: perSecond(now('evicted')),
      more: `expired ${perSecond(now('expired'))}`
    },
    get === undefined
      ? { label: 'Get, p99', value: format.nanoseconds(null), more: 'latency: true shows it' }
      : {
          label: 'Get, p99',
          value: format.nanoseconds(last(columns.getP99Ns)),
          more: get.count === 0 ? 'no call yet' : `${format.nanoseconds(get.p99Ns)} since the start`
        }
  ]
}

/** @param {any} stats @param {import('./series.mjs').Columns | undefined} columns */
export function showTiles(stats, columns) {
  keep(
    byId('tiles'),
    tilesOf(stats, columns),
    ({ label }) => label,
    ({ label }) => make('div', {}, make('dt', {}, label), make('dd', {}), make('dd', { class: 'more' })),
    (tile, { value, more, share }) => {
      say(tile.children[1], value)
      say(tile.children[2], more)
      tile.classList.toggle('metered', share !== undefined)
      tile.classList.toggle('full', (share ?? 0) >= 0.95)
      tile.style.setProperty('--share', `${Math.min(100, 100 * (share ?? 0))}%`)
    }
  )
}

/**
 * A figure of each shard for each bar: means of neighbours where there are more shards than bars.
 *
 * @param {number[]} values
 */
export function barsOf(values) {
  const perBar = Math.ceil(values.length / MOST_BARS)
  const bars = []
  for (let from = 0; from < values.length; from += perBar) {
    const some = values.slice(from, from + perBar)
    bars.push({ from, to: from + some.length - 1, value: some.reduce((sum, one) => sum + one, 0) / some.length })
  }
  return bars
}

/** @param {string} what @param {number[]} values of each shard */
function barsFor(what, values) {
  const bars = barsOf(values)
  const most = Math.max(1, ...bars.map(({ value }) => value))
  const mean = bars.reduce((sum, { value }) => sum + value, 0) / bars.length
  const rects = bars.map(({ from, to, value }, at) => {
    const height = Math.max(value > 0 ? 1 : 0, (value / most) * BAR_HEIGHT)
    const title = makeSvg('title', {})
    title.textContent = `${from === to ? `Shard ${from}` : `Shards ${from} to ${to}`}: ${format.count(value)} ${what}`
    return makeSvg('rect', { x: at + 0.1, width: 0.8, y: BAR_HEIGHT - height, height }, title)
  })
  const y = BAR_HEIGHT - (mean / most) * BAR_HEIGHT
  const line = makeSvg('line', { x1: 0, x2: bars.length, y1: y, y2: y, 'vector-effect': 'non-scaling-stroke' })
  const name = `${what} of ${values.length} shards`
  const box = { viewBox: `0 0 ${bars.length} ${BAR_HEIGHT}`, preserveAspectRatio: 'none', role: 'img', class: 'bars' }
  const fewest = Math.min(...bars.map(({ value }) => value))
  const [least, middle, top] = [fewest, mean, most].map(format.count)
  const text = `${what}: mean ${middle}, least ${least}, most ${top}`
  return [make('p', { class: 'note' }, text), makeSvg('svg', { ...box, 'aria-label': name }, ...rects, line)]
}

/** @param {any} stats @param {any} eachShard */
export function showShards(stats, eachShard) {
  if (eachShard === undefined) return showNote(byId('shards'), shardsOf(stats))
  if (stats.shards === 1) {
    const { acquisitions, waits } = stats.locks
    const waited = `its lock was taken ${format.count(acquisitions)} times, ${format.count(waits)} times after a wait`
    return showNote(byId('shards'), `1 shard: ${waited}.`)
  }
  byId('shards').replaceChildren(
    ...barsFor('Entries', eachShard.entries),
    ...barsFor('Lock acquisitions', eachShard.locks.acquisitions),
    ...barsFor('Lock waits', eachShard.locks.waits)
  )
}

/** Sections of the statistics that are shown as they are. */
const SECTIONS = ['loads', 'transactions', 'locks', 'index', 'slow', 'errors', 'recovery']

/** @param {any} stats */
export function showSections(stats) {
  keep(
    byId('more'),
    SECTIONS.filter(name => stats[name] !== null && typeof stats[name] === 'object'),
    name => name,
    name => make('div', {}, make('h4', {}, name), make('dl')),
    (section, name) =>
      keep(
        section.children[1],
        Object.entries(stats[name]).filter(([, value]) => typeof value !== 'object'),
        ([key]) => key,
        ([key]) => make('div', {}, make('dt', {}, format.words(key)), make('dd')),
        (pair, [key, value]) => say(pair.children[1], format.figure(key, value))
      )
  )
}

/** Uses of memory with the words for them, and what they are drawn in. */
const USES = [
  ['live', 'entries', 'blue'],
  ['idle', 'free blocks', 'grey'],
  ['index', 'index', 'teal'],
  ['slab', 'slots', 'purple'],
  ['words', 'version words', 'amber'],
  ['order', 'order', 'red'],
  ['policy', 'policy', 'blue'],
  ['expiry', 'deadlines', 'teal'],
  ['shapes', 'shapes', 'purple'],
  ['types', 'types', 'amber'],
  ['fixed', 'fixed', 'grey']
]

/** The largest ones: what is left is small. */
const MOST_USES = 7

/** @param {any} stats */
export function showMemory({ memory }) {
  const amounts = /** @type {Record<string, number>} */ ({ ...memory, idle: Math.max(0, memory.entries - memory.live) })
  const uses = USES.map(([name, label, color]) => ({ label, color, bytes: amounts[name] ?? 0 }))
    .filter(({ bytes }) => bytes > 0)
    .sort((one, other) => other.bytes - one.bytes)
    .slice(0, MOST_USES)
  const total = Math.max(1, memory.total)
  const parent = byId('memory')
  let list = /** @type {HTMLElement | null} */ (parent.querySelector('ul'))
  if (list === null) {
    list = make('ul', { class: 'uses' })
    parent.replaceChildren(list)
  }
  keep(
    list,
    uses,
    ({ label }) => label,
    ({ label, color }) =>
      make('li', { class: color }, make('span', {}, label), make('b'), make('span', { class: 'share' })),
    (item, { bytes }) => {
      say(item.children[1], format.bytes(bytes))
      say(item.children[2], format.percent((100 * bytes) / total))
      item.style.setProperty('--share', `${(100 * bytes) / Math.max(1, uses[0].bytes)}%`)
    }
  )
}

/** @param {any} stats */
export function showLatency({ latency }) {
  const parent = byId('latency')
  if (!latency) return showNote(parent, 'The option latency: true shows how long each operation takes.')
  const known = Object.entries(latency).filter(([, one]) => one !== null && typeof one === 'object' && one.count > 0)
  const rows = known.map(([name, one]) => [
    name,
    format.count(one.count),
    ...['meanNs', 'p50Ns', 'p99Ns', 'p999Ns', 'maxNs'].map(column => format.nanoseconds(one[column]))
  ])
  const head = ['Operation', 'Calls', 'Mean', 'p50', 'p99', 'p99.9', 'Max']
  showTable(parent, { caption: 'Latency by operation', head, rows, note: 'No call was timed yet.' })
}
