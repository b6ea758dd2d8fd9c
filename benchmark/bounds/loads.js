'use strict'

/*
 * The loads of `npm run bench:bounds`, in the order of the table; each is a file of this folder. A file exports
 *
 *   title           a few words, for the table
 *   options         those of the map
 *   threads?        how many threads work on it, one run for each number; [1, 4] by default
 *   begin?(random)  what a thread keeps between its steps
 *   step(map, { random, thread, state })   some milliseconds of work; repeated until time is up
 *   end?(map)       what is done once, in one thread, after the churn and before the second look
 *   heapMb?         MB that the heap of each thread may grow by, 4 by default
 *   clears?         false if there is nothing to clear at the end
 *   targets?(looks) more targets, from what was seen: see `run.js`
 */

const LOADS = [
  'small-entries',
  'mixed-sizes',
  'large-values',
  'fill-and-delete',
  'fill-and-clear',
  'type-names',
  'one-old-entry',
  'near-cache',
  'gone-copies',
  'small-limit',
  'clear-again'
]

module.exports = { LOADS }
