'use strict'

/* What is made of the measured traces: tables, means, targets, curves. */

const { atLeast, atMost } = require('../harness/question.js')
const { textTable } = require('../harness/table.js')
const { MANY_SHARDS, MANY_SHARDS_FROM } = require('./measure.js')
const { DEFAULT_POLICY } = require('./replay.js')

/** Mean hit ratio of the default policy over the traces of the reference results. */
const TARGET_MEAN = 41.5
/** Points under exact LRU, at most. */
const TARGET_UNDER_LRU = 2
const TARGET_LRU_OFF = 0.5
const TARGET_THREADS_OFF = 0.5

/** Results of other programs that the reference file has, beside exact LRU and the optimum. */
const PEERS = { moka: 'moka', quick_cache: 'quick_cache' }

const digits = number => (number === undefined ? '' : number.toFixed(2))
const signed = number => `${number < 0 ? '-' : '+'}${Math.abs(number).toFixed(2)}`
const mean = numbers => numbers.reduce((sum, one) => sum + one, 0) / numbers.length
const count = number => number.toLocaleString('en-US')

const isOfEntries = ({ rows }) => rows[0].capacity !== undefined
const capacityText = ({ capacity, memoryLimit }) =>
  capacity === undefined ? `${(memoryLimit / 2 ** 20).toFixed(1)} MB` : count(capacity)

/** One row for each capacity of a trace. */
function traceTable({ rows }, policies) {
  const hasOptimum = rows[0].optimum !== undefined
  return textTable(
    ['capacity', 'shards', 'exact LRU', ...policies, ...(hasOptimum ? ['optimum'] : [])],
    rows.map(row => [
      capacityText(row),
      String(row.shards),
      digits(row.exactLru),
      ...policies.map(policy => digits(row.policies[policy])),
      ...(hasOptimum ? [digits(row.optimum)] : [])
    ])
  )
}

/** Rows that were measured in another way too, with the difference to the usual one. */
function otherTable(traces, policies, other) {
  const rows = traces.flatMap(({ name, rows: all }) =>
    all
      .filter(row => row[other] !== undefined)
      .map(row => [
        name,
        capacityText(row),
        ...policies.map(
          policy => `${digits(row[other][policy])} (${signed(row[other][policy] - row.policies[policy])})`
        )
      ])
  )
  return rows.length === 0 ? undefined : textTable(['trace', 'capacity', ...policies], rows)
}

/** Mean over the capacities of a trace, by column. */
function meansOf({ name, rows }, oracles) {
  const of = get => mean(rows.map(get))
  const known = oracles[name]?.rows ?? []
  const peers = Object.entries(PEERS).flatMap(([column, title]) => {
    const found = rows.map(({ capacity }) => known.find(row => row.capacity === capacity)?.[column])
    return found.every(one => one !== undefined) ? [[title, mean(found)]] : []
  })
  return {
    'exact LRU': of(row => row.exactLru),
    ...Object.fromEntries(Object.keys(rows[0].policies).map(policy => [policy, of(row => row.policies[policy])])),
    ...Object.fromEntries(peers),
    optimum: of(row => row.optimum)
  }
}

/** Means by trace and by column, and over all traces, which have equal weights. */
function meansTable(traces, oracles) {
  if (traces.length === 0) return { columns: [], rows: [], all: {} }
  const byTrace = traces.map(trace => ({ name: trace.name, ...meansOf(trace, oracles) }))
  const columns = Object.keys(byTrace[0]).filter(column => byTrace.every(one => one[column] !== undefined))
  const all = Object.fromEntries(columns.slice(1).map(column => [column, mean(byTrace.map(one => one[column]))]))
  return { columns: columns.slice(1), rows: [...byTrace, { name: 'mean', ...all }], all }
}

/** Reference results that differ from what was computed here: rows, in words. */
function oracleDifferences(traces, oracles) {
  return traces.flatMap(({ name, rows }) =>
    rows.flatMap(({ capacity, exactLru, optimum }) => {
      const known = oracles[name]?.rows.find(row => row.capacity === capacity)
      if (known === undefined) return []
      const same = digits(exactLru) === digits(known.lru) && digits(optimum) === digits(known.opt)
      return same
        ? []
        : [
            `${name} at ${capacity}: LRU ${digits(exactLru)}, not ${known.lru}; ` +
              `optimum ${digits(optimum)}, not ${known.opt}`
          ]
    })
  )
}

/** All rows with their trace's name, those with the largest `by` first. */
const worstFirst = (traces, by) =>
  traces
    .flatMap(({ name, rows }) => rows.map(row => ({ name, ...row, by: by(row) })))
    .filter(row => row.by !== undefined)
    .sort((one, other) => other.by - one.by)

const place = ({ name, capacity }) => `${name} at ${count(capacity)}`

/** `isComplete`: these are all traces of the reference results, which two of the targets are about. */
function targetsOf(traces, { policies, shards, threads }, isComplete) {
  if (traces.length === 0) return []
  const targets = []
  const worstOf = (policy, get) => worstFirst(traces, row => get(row, policy))[0]
  if (policies.includes('lru')) {
    const different = traces.flatMap(({ name, rows }) =>
      rows
        .filter(row => row.lruDiffersAt !== null)
        .map(row => `${name} at ${row.capacity}: request ${row.lruDiffersAt + 1}`)
    )
    targets.push({
      ...atMost("'lru', one shard: rows that differ from exact LRU in any request", 0, different.length, ''),
      ...(different.length > 0 ? { note: `first: ${different[0]}` } : {})
    })
    const off = worstOf('lru', row => Math.abs(row.policies.lru - row.exactLru))
    targets.push({
      ...atMost(`'lru', ${shards ?? 'default'} shards: off exact LRU, worst row`, TARGET_LRU_OFF, off.by, ' points'),
      note: place(off)
    })
  }
  if (policies.includes(DEFAULT_POLICY)) {
    const meanOver = get => mean(traces.map(({ rows }) => mean(rows.map(get))))
    const alone = meanOver(row => row.policies[DEFAULT_POLICY])
    if (isComplete) {
      const under = worstOf(DEFAULT_POLICY, row => row.exactLru - row.policies[DEFAULT_POLICY])
      targets.push(atLeast('default policy: mean hit ratio over the traces', TARGET_MEAN, alone, ' %'), {
        ...atMost('default policy: under exact LRU, worst row', TARGET_UNDER_LRU, under.by, ' points'),
        note: place(under)
      })
    }
    if (threads > 1) {
      const shared = meanOver(row => row.inThreads[DEFAULT_POLICY])
      const off = worstOf(DEFAULT_POLICY, row => Math.abs(row.inThreads[DEFAULT_POLICY] - row.policies[DEFAULT_POLICY]))
      targets.push({
        ...atMost(
          `default policy, ${threads} threads sharing the map: mean off that of one thread`,
          TARGET_THREADS_OFF,
          Math.abs(shared - alone),
          ' points'
        ),
        note: `worst row ${off.by.toFixed(2)}: ${place(off)}`
      })
    }
  }
  return targets
}

/** The sentence that says it all. */
function summaryOf(traces, { all }) {
  const under = worstFirst(traces, row => row.exactLru - row.policies[DEFAULT_POLICY])[0]
  return (
    `Default policy (${DEFAULT_POLICY}), mean over ${traces.length} traces of ` +
    `${traces[0].rows.length} capacities each, ` +
    `traces weighted equally: ${digits(all[DEFAULT_POLICY])} %; exact LRU ${digits(all['exact LRU'])}, ` +
    `optimum ${digits(all.optimum)}. Worst row against exact LRU: ${signed(-under.by)} points, ${place(under)}.`
  )
}

/** A picture of each trace: hit ratio by capacity. */
function curvesOf(traces, policies) {
  const line = (name, rows, get) => ({ name, points: rows.map(row => [row.percentage, get(row)]) })
  return traces.map(({ name, requests, distinct, rows }) => ({
    title: name,
    subtitle: `${count(requests)} requests, ${count(distinct)} keys`,
    lines: [
      ...(isOfEntries({ rows }) ? [line('optimum', rows, row => row.optimum)] : []),
      ...policies.map(policy => line(policy, rows, row => row.policies[policy])),
      line('exact LRU', rows, row => row.exactLru)
    ]
  }))
}

/** The tables of a run, as text. */
function describeTraces({ traces, policies, threads, means, oracles }) {
  const parts = traces.map(trace => {
    const { name, requests, distinct } = trace
    return `${name}: ${count(requests)} requests, ${count(distinct)} keys\n\n${traceTable(trace, policies)}`
  })
  const ofEntries = traces.filter(isOfEntries)
  const many = otherTable(ofEntries, policies, 'manyShards')
  if (many !== undefined) {
    parts.push(
      `${MANY_SHARDS} shards, capacities of ${count(MANY_SHARDS_FROM)} and more (and the difference)\n\n${many}`
    )
  }
  const shared = otherTable(ofEntries, policies, 'inThreads')
  if (shared !== undefined) parts.push(`${threads} threads sharing the map (and the difference)\n\n${shared}`)
  if (ofEntries.length > 0) {
    parts.push(
      `Mean over the capacities\n\n${textTable(
        ['trace', ...means.columns],
        means.rows.map(row => [row.name, ...means.columns.map(column => digits(row[column]))])
      )}`
    )
  }
  const wrong = oracleDifferences(ofEntries, oracles)
  if (Object.keys(oracles).length > 0) {
    parts.push(
      wrong.length === 0
        ? 'Exact LRU and the optimum, computed here, are those of the reference results.'
        : `Reference results that differ:\n${wrong.join('\n')}`
    )
  }
  return parts.join('\n\n')
}

module.exports = { curvesOf, describeTraces, isOfEntries, meansTable, summaryOf, targetsOf }
