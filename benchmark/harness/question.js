'use strict'

/*
 * The exports of a question file:
 *
 *   title      a few words, for tables and charts
 *   heapMb     heap its process needs, if more than usual
 *   tasks      { measure(parameters, report) → answer, … }; `parameters.quick` asks for a short run
 *
 * and an answer is
 *
 *   rows       what was measured: { case, contender, value, unit, fastest?, slowest?, rounds?, dropped? }
 *   targets    what it shall be: { what, got, unit, atLeast? | atMost?, note? }
 *   chart      { unit, scale?: 'log', highlight } if the rows of that unit make a picture; contenders whose names begin
 *              with one of `highlight` stand out
 *   leftOut    [{ contender, why }]
 */

/** Rows from the results of `compare`, which are ns per operation by name. */
const rowsOf = (caseName, contenders, results) =>
  contenders.map(({ name, title }) => {
    const { median: value, ...spread } = results[name]
    return { case: caseName, contender: title, value, unit: 'ns', ...spread }
  })

const atLeast = (what, limit, got, unit = '×') => ({ what, got, unit, atLeast: limit })
const atMost = (what, limit, got, unit = '×') => ({ what, got, unit, atMost: limit })

const isMet = ({ got, atLeast: low, atMost: high }) =>
  (low === undefined || got >= low) && (high === undefined || got <= high)

const entriesOf = count => `${count.toLocaleString('en-US')} entries`

module.exports = { rowsOf, atLeast, atMost, isMet, entriesOf }
