'use strict'

// What is served where.

const { readFileSync } = process.getBuiltinModule('node:fs')
const path = process.getBuiltinModule('node:path')
const { TypedMap } = require('../map.js')
const { KEY_TYPES, describeEntry, findKeys } = require('./entry.js')
const { plain } = require('./server.js')
const { GONE } = require('./watch.js')

const PAGE = path.join(__dirname, 'page')

const SCRIPT = 'text/javascript; charset=utf-8'
const STYLE = 'text/css; charset=utf-8'

/** The files of the page, by the path that they are served as. No other path is looked for on a disk. */
const FILES = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/icon.svg': ['icon.svg', 'image/svg+xml'],
  '/theme.js': ['theme.js', SCRIPT],
  '/main.mjs': ['main.mjs', SCRIPT],
  '/charts.mjs': ['charts.mjs', SCRIPT],
  '/elements.mjs': ['elements.mjs', SCRIPT],
  '/findings.mjs': ['findings.mjs', SCRIPT],
  '/format.mjs': ['format.mjs', SCRIPT],
  '/panels.mjs': ['panels.mjs', SCRIPT],
  '/search.mjs': ['search.mjs', SCRIPT],
  '/series.mjs': ['series.mjs', SCRIPT],
  '/tables.mjs': ['tables.mjs', SCRIPT],
  '/page.css': ['page.css', STYLE],
  '/uplot.js': ['vendor/uPlot.iife.min.js', SCRIPT],
  '/uplot.css': ['vendor/uPlot.min.css', STYLE]
}

/** What Prometheus tells the form by. */
const OPEN_METRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8'

/** @param {unknown} value @param {number} [status] */
const json = (value, status = 200) => ({
  status,
  type: 'application/json; charset=utf-8',
  body: `${JSON.stringify(value)}\n`
})

/**
 * @param {object} parts
 * @param {import('./collector.js').Collector} parts.collector
 * @param {import('./asked.js').Asked} parts.asked
 * @param {import('./guard.js').Guard} parts.guard
 * @param {import('./options.js').Options} parts.options
 * @param {() => object} parts.aboutProcess
 */
function makeRoutes({ collector, asked, guard, options, aboutProcess }) {
  /** @type {Record<string, any>} */
  const files = {}
  for (const [at, [file, type]] of Object.entries(FILES)) {
    files[at] = { type, body: readFileSync(path.join(PAGE, file)) }
  }
  const page = { ...files['/'], headers: { 'Set-Cookie': guard.cookieHeader() } }

  /** @param {URLSearchParams} query */
  const linesAfter = query => collector.lines.after(Number(query.get('after') ?? 0) || 0)

  /** @param {URLSearchParams} query */
  const state = query => {
    const time = Date.now()
    const name = query.get('map')
    const shown = name === null ? undefined : collector.find(name)
    if (shown !== undefined) shown.shownAt = time
    return json({
      time,
      intervalMs: options.interval,
      process: aboutProcess(),
      unwatched: collector.unwatched,
      maps: collector.all().map(summaryOf),
      map: shown && detailsOf(shown, query),
      threads: asked.all(time),
      lines: linesAfter(query)
    })
  }

  const stats = () => {
    const time = Date.now()
    const maps = Object.fromEntries(collector.all().map(({ watch, stats }) => [watch.name, stats]))
    return json({ time, process: aboutProcess(), unwatched: collector.unwatched, maps, threads: asked.all(time) })
  }

  /** When the metrics were read last, and what they were. */
  let read = { time: 0, body: '' }
  const metrics = () => {
    const time = Date.now()
    // As often as the maps are looked at, however many requests there are.
    if (Math.abs(time - read.time) >= options.interval) read = { time, body: TypedMap.metrics() }
    return { type: OPEN_METRICS, body: read.body }
  }

  /** @param {URLSearchParams} query @param {(map: any, seen: any) => object} look */
  const within = (query, look) => {
    const seen = collector.find(query.get('map') ?? '')
    if (seen === undefined) return json({ error: 'there is no such map' }, 404)
    if (seen.watch.isSecret) return json({ error: 'the map has a secret: nothing of its entries is shown' }, 403)
    const found = seen.watch.visit(map => look(map, seen))
    return found === GONE ? json({ error: 'there is no such map' }, 404) : json(found)
  }

  /** @param {URLSearchParams} query */
  const entry = query => {
    const type = query.get('type') ?? 'string'
    const read = Object.hasOwn(KEY_TYPES, type) ? KEY_TYPES[type] : undefined
    const key = read?.(query.get('key') ?? '')
    if (key === undefined) return json({ error: `this is no key of type ${type.slice(0, 20)}` }, 400)
    return within(query, (map, { watch }) => {
      const hasCodec = (watch.options.codec ?? 'json') !== 'json'
      return describeEntry(map, key, { showsValues: options.values, hasCodec })
    })
  }

  /** @type {Record<string, (query: URLSearchParams) => any>} */
  const routes = {
    '/state': state,
    '/stats': stats,
    '/log': query => json({ time: Date.now(), lines: linesAfter(query) }),
    '/metrics': metrics,
    '/entry': entry,
    '/keys': query => within(query, map => findKeys(map, query.get('match') ?? ''))
  }

  /** @param {string} at @param {URLSearchParams} query */
  return (at, query) => {
    if (at === '/') return page
    if (Object.hasOwn(files, at)) return files[at]
    return Object.hasOwn(routes, at) ? routes[at](query) : plain(404, 'there is nothing here')
  }
}

/** @param {any} seen */
function summaryOf({ watch, stats }) {
  const { name, instance, isSecret } = watch
  const { entries, memoryBytes, limits, cacheHitRate, opsPerSecond, threads } = stats
  return { name, instance, isSecret, entries, memoryBytes, limits, cacheHitRate, opsPerSecond, threads }
}

/** @param {any} seen @param {URLSearchParams} query */
function detailsOf({ watch, stats, history, hotKeys, failure, eachShard, advice }, query) {
  const { name, instance, isSecret, options } = watch
  if (isSecret) return { name, instance, isSecret, stats }
  const range = query.get('range') === 'long' ? 'long' : 'short'
  // The page has what came before; of another map of this name it has nothing.
  const since = query.get('instance') === String(instance) ? Number(query.get('since') ?? 0) || 0 : 0
  return {
    name,
    instance,
    isSecret,
    stats,
    eachShard,
    advice,
    failure,
    options,
    range,
    hotKeys,
    history: history.since(range, since)
  }
}

module.exports = { makeRoutes }
