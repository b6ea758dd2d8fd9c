'use strict'

/*
 * The clock, and what is made of its readings. tinybench times; contenders take turns, each round in another order, so
 * that whatever happens to the machine meanwhile (frequency, neighbours) happens to all of them; the median over the
 * rounds is what counts, and the fastest and slowest round are kept beside it.
 */

/** tinybench is an ES module, which `require` cannot load on every supported Node version. */
const tinybench = import('tinybench')

const NS_PER_MS = 1e6

/** Runs `work` `times` times and returns what each took, in ns. */
async function time(name, work, times = 1) {
  const { Bench } = await tinybench
  const bench = new Bench({ iterations: times, time: 0, warmup: false, retainSamples: true, throws: true })
  // With this flag, tinybench does not run it once more to find out whether it is synchronous.
  bench.add(name, work, { async: false })
  bench.runSync()
  return bench.tasks[0].result.latency.samples.map(ms => ms * NS_PER_MS)
}

function median(numbers) {
  const sorted = Float64Array.from(numbers).sort()
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** Median, extremes and number of rounds of what was measured. */
const summary = numbers => ({
  median: median(numbers),
  fastest: Math.min(...numbers),
  slowest: Math.max(...numbers),
  rounds: numbers.length
})

/** The list, begun at another place: contender number `by` goes first. */
const rotated = (list, by) => list.map((_, i) => list[(i + by) % list.length])

/**
 * Measures contenders in turns.
 *
 * @param {{ name: string, operations: number, run: () => void, before?: () => void, after?: () => void }[]} contenders
 *   `run` does `operations` operations; `before` and `after` run outside the clock.
 * @param {{ seconds: number, minRounds?: number, warmup?: number, onRound?: (part: number) => void }} options
 * @returns {Promise<Record<string, ReturnType<typeof summary>>>} ns per operation, by name
 */
async function interleave(contenders, { seconds, minRounds = 5, warmup = 3, onRound }) {
  const samples = Object.fromEntries(contenders.map(({ name }) => [name, []]))
  let started = performance.now()
  for (let round = -warmup; ; round++) {
    if (round === 0) started = performance.now()
    const spent = (performance.now() - started) / 1000
    if (round >= minRounds && spent >= seconds) break
    if (round >= 0) onRound?.(Math.min(1, Math.max(spent / seconds, round / minRounds)))
    for (const { name, operations, run, before, after } of rotated(contenders, Math.max(0, round))) {
      before?.()
      const [ns] = await time(name, run)
      after?.()
      if (round >= 0) samples[name].push(ns / operations)
    }
  }
  return Object.fromEntries(Object.entries(samples).map(([name, numbers]) => [name, summary(numbers)]))
}

module.exports = { time, median, summary, rotated, interleave }
