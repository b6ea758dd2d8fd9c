'use strict'

// The one number that near hits are counted down by, beside a model that counts each hit by itself.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { HITS_PER_REPORT, HitCounter } = require('../../lib/hit-counter.js')
const { seededRandom } = require('../support/random.js')

require('../support/sound.js')

const STEPS = 20_000

/** Draws gaps, and adds them up. */
class Gaps {
  /** The hit, counted from 1, at which the next is due. */
  due = 0

  constructor(random, most, now) {
    this.random = random
    this.most = most
    this.due = now()
    this.now = now
  }

  drawGap() {
    assert.equal(this.now(), this.due, 'the next is drawn when one is due')
    const gap = 1 + this.random.below(this.most)
    this.due = this.now() + gap
    return gap
  }
}

/** A counter with a sampler and a timer, and what a program does with it. */
class Subject {
  hits = 0
  taken = 0
  samples = 0
  timed = 0
  reports = 0
  sinceReport = 0

  constructor(random, isMarking) {
    this.random = random
    this.isMarking = isMarking
    const now = () => this.hits
    const sampler = new Gaps(random, 300, now)
    sampler.take = target => {
      assert.equal(target, this.hits, 'the hit that is sampled')
      this.samples++
    }
    this.sampler = sampler
    const timer = new Gaps(random, 500, now)
    timer.flush = () => {}
    timer.time = (counter, count, target) => {
      this.hits--
      this.sinceReport--
      // One read in ten finds that another thread has written, and is no hit.
      if (random.below(10) === 0) {
        counter.owe(count)
      } else {
        this.hit()
        this.timed += count
        assert.equal(this.timed, this.hits, 'a hit that is timed counts for all since the last one')
      }
      return target
    }
    this.timer = timer
    this.counter = new HitCounter(sampler)
    this.start(this.counter)
    this.counter.time(timer)
  }

  start(counter) {
    counter.onFull = () => {
      this.reports++
      assert.ok(this.sinceReport <= HITS_PER_REPORT, 'hits wait for no more than so many')
      this.sinceReport = 0
      this.take()
    }
    counter.begin(this.isMarking)
  }

  /** A read that may be timed, as the near cache and the origin have it. */
  hit() {
    const { counter } = this
    this.hits++
    this.sinceReport++
    if (--counter.left > 0) return
    if (counter.left > counter.end) return assert.ok(this.isMarking, 'a hit with nothing to do ends at once')
    const target = this.hits
    const count = counter.pass(target)
    if (count > 0) assert.equal(counter.timed(count, target), target)
  }

  /** A hit that is part of another operation. */
  countHit() {
    const { counter } = this
    this.hits++
    this.sinceReport++
    if (--counter.left <= counter.end) counter.owe(counter.pass(this.hits))
  }

  take() {
    this.taken += this.counter.takeHits()
  }

  check() {
    assert.equal(this.counter.allHits, this.hits)
    assert.equal(this.taken + this.counter.hits, this.hits)
    assert.ok(this.timed <= this.hits)
  }
}

const ACTS = {
  hits: subject => {
    for (let n = subject.random.below(400); n > 0; n--) subject.hit()
  },
  'hits of other operations': subject => {
    for (let n = subject.random.below(50); n > 0; n--) subject.countHit()
  },
  take: subject => subject.take(),
  'stop and begin': subject => {
    subject.counter.stop()
    assert.ok(!subject.counter.isCounting && subject.counter.left === 0 && subject.counter.end === 0)
    subject.check()
    subject.counter.begin(subject.isMarking)
  },
  'continue with another': subject => {
    const old = subject.counter
    const { due } = subject.sampler
    subject.sampler.due = subject.hits
    const next = new HitCounter(subject.sampler)
    subject.sampler.due = due
    subject.start(next)
    next.continue(old)
    assert.ok(!old.isCounting)
    subject.counter = next
  }
}

describe('hits that are counted down', () => {
  for (const isMarking of [false, true]) {
    it(`are reported, sampled and timed when they are due${isMarking ? ', and each is marked' : ''}`, t => {
      const random = seededRandom(t)
      const subject = new Subject(random, isMarking)
      for (let step = 0; step < STEPS; step++) {
        random.pick(Object.values(ACTS))(subject)
        subject.check()
      }
      assert.ok(subject.reports > 100 && subject.samples > 100 && subject.timed > 100, 'all of it happened')
    })
  }

  it('go on for thousands of millions, where nothing samples or times them', () => {
    const counter = new HitCounter(undefined)
    counter.begin(false)
    let hits = 0
    while (hits < 2 ** 32) {
      hits += counter.left
      counter.left = 0
      assert.equal(counter.pass('key'), 0, `none is timed after ${hits}`)
    }
    assert.equal(counter.allHits, hits)
  })

  it('counts none before it has begun', () => {
    const counter = new HitCounter(undefined)
    assert.deepEqual([counter.left, counter.end, counter.hits, counter.isCounting], [0, 0, 0, false])
  })
})
