'use strict'

// The figures of maps as OpenMetrics text, for a Prometheus that asks. Names are close to those that dashboards of
// caches know. No label is per key.

const PREFIX = 'typed_superdashmap'

/** What Prometheus tells the form by. */
const TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8'

/**
 * @typedef {object} Metric
 * @property {'counter' | 'gauge'} type
 * @property {string} [unit]
 * @property {string} help
 * @property {(stats: any) => Record<string, number | null | undefined>} samples by their own label, '' for none
 */

/** @type {Record<string, Metric>} */
const METRICS = {
  cache_gets: {
    type: 'counter',
    help: 'Reads, by what they found.',
    samples: ({ hits, nearHits, misses }) => ({
      'result="near_hit"': nearHits,
      'result="native_hit"': hits - nearHits,
      'result="miss"': misses
    })
  },
  cache_puts: {
    type: 'counter',
    help: 'Writes of a value.',
    samples: ({ inserts, updates }) => ({ 'operation="insert"': inserts, 'operation="update"': updates })
  },
  cache_evictions: {
    type: 'counter',
    help: 'Entries that were removed by the map, by the cause.',
    samples: ({ evictions, expirations }) => ({ 'cause="evicted"': evictions, 'cause="expired"': expirations })
  },
  cache_refusals: {
    type: 'counter',
    help: 'Writes that a limit refused.',
    samples: ({ refusals }) => ({ '': refusals })
  },
  cache_size: { type: 'gauge', help: 'Entries.', samples: ({ entries }) => ({ '': entries }) },
  cache_memory_bytes: {
    type: 'gauge',
    unit: 'bytes',
    help: 'Bytes that the map holds, everything counted.',
    samples: ({ memoryBytes }) => ({ '': memoryBytes })
  },
  cache_memory_limit_bytes: {
    type: 'gauge',
    unit: 'bytes',
    help: 'Bytes that the map may hold, where it has a limit.',
    samples: ({ limits }) => ({ '': limits.memoryLimit })
  },
  cache_opens: { type: 'gauge', help: 'Open references to the map.', samples: ({ threads }) => ({ '': threads }) },
  cache_lock_waits: {
    type: 'counter',
    help: 'Times that a write waited for another thread.',
    samples: ({ locks }) => ({ '': locks?.waits })
  }
}

/** @param {string} text */
const escaped = text => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')

/**
 * @param {string} name
 * @param {Metric} metric
 * @param {[string, any][]} maps their names and statistics
 */
function linesOf(name, { type, unit, help, samples }, maps) {
  const full = `${PREFIX}_${name}`
  const lines = maps.flatMap(([map, stats]) =>
    Object.entries(samples(stats)).flatMap(([label, value]) => {
      if (value === null || !Number.isFinite(value)) return []
      const labels = [`map="${escaped(map)}"`, ...(label === '' ? [] : [label])]
      return [`${full}${type === 'counter' ? '_total' : ''}{${labels.join(',')}} ${value}`]
    })
  )
  const head = [`# TYPE ${full} ${type}`, ...(unit === undefined ? [] : [`# UNIT ${full} ${unit}`])]
  return lines.length === 0 ? [] : [...head, `# HELP ${full} ${help}`, ...lines]
}

/** @param {[string, any][]} maps their names and statistics */
function metricsOf(maps) {
  const lines = Object.entries(METRICS).flatMap(([name, metric]) => linesOf(name, metric, maps))
  return `${[...lines, '# EOF'].join('\n')}\n`
}

module.exports = { TYPE, metricsOf }
