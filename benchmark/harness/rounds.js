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

/**
 * Rounds are calibrated with a loop that has nothing to do with what is measured. It does as much at a time as the
 * processor can, so a busy sibling processor slows it, as it slows everything that waits for no memory: a round in such
 * a window takes longer for one contender than for another, and is dropped.
 */
const CALIBRATION_STEPS = 200_000

/** A round counts if its calibration took at most so many times as long as the fastest of all. */
const MAX_SLOWDOWN = 1.1

/** Four chains of additions, none of which waits for another. */
function calibrationLoop() {
  let [first, second, third, fourth] = [1, 2, 3, 4]
  for (let step = 0; step < CALIBRATION_STEPS; step++) {
    first = (first + step) | 0
    second = (second ^ step) | 0
    third = (third - step) | 0
    fourth = (fourth + (step << 1)) | 0
  }
  return first + second + third + fourth
}

/** What the loop takes now, in ns. */
async function calibrate() {
  const [ns] = await time('calibration', calibrationLoop)
  return ns
}

/**
 * Numbers of the rounds that count, at least `least` of them.
 *
 * @param {number[]} calibrations what the loop took in each round, at most
 * @param {number} least
 */
function calmRounds(calibrations, least) {
  const fastest = Math.min(...calibrations)
  const rounds = [...calibrations.keys()].sort((a, b) => calibrations[a] - calibrations[b])
  return rounds.filter((round, place) => place < least || calibrations[round] <= fastest * MAX_SLOWDOWN)
}

/** The list, begun at another place: contender number `by` goes first. */
const rotated = (list, by) => list.map((_, i) => list[(i + by) % list.length])

/**
 * Measures contenders in turns.
 *
 * @param {{ name: string, operations: number, run: () => void, before?: () => void, after?: () => void }[]} contenders
 *   `run` does `operations` operations; `before` and `after` run outside the clock.
 * @param {{ seconds: number, minRounds?: number, warmup?: number, isCalibrated?: boolean, onRound?: (part: number) =>
 *   void }} options `isCalibrated` drops rounds in slow windows, and says in `dropped` how many
 * @returns {Promise<Record<string, ReturnType<typeof summary>>>} ns per operation, by name
 */
async function interleave(contenders, { seconds, minRounds = 5, warmup = 3, isCalibrated = false, onRound }) {
  const samples = Object.fromEntries(contenders.map(({ name }) => [name, []]))
  const calibrations = []
  let started = performance.now()
  for (let round = -warmup; ; round++) {
    if (round === 0) started = performance.now()
    const spent = (performance.now() - started) / 1000
    if (round >= minRounds && spent >= seconds) break
    if (round >= 0) onRound?.(Math.min(1, Math.max(spent / seconds, round / minRounds)))
    let slowest = 0
    for (const { name, operations, run, before, after } of rotated(contenders, Math.max(0, round))) {
      before?.()
      const [ns] = await time(name, run)
      after?.()
      if (round < 0) continue
      samples[name].push(ns / operations)
      if (isCalibrated) slowest = Math.max(slowest, await calibrate())
    }
    if (round >= 0) calibrations.push(slowest)
  }
  if (!isCalibrated) return Object.fromEntries(Object.entries(samples).map(([name, all]) => [name, summary(all)]))
  const calm = calmRounds(calibrations, minRounds)
  const dropped = calibrations.length - calm.length
  const ofCalm = all => ({ ...summary(calm.map(round => all[round])), dropped })
  return Object.fromEntries(Object.entries(samples).map(([name, all]) => [name, ofCalm(all)]))
}

module.exports = { time, median, summary, rotated, interleave }
