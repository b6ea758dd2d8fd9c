'use strict'

const { parentPort, workerData } = require('node:worker_threads')
const { TypedMap } = require('typed-superdashmap')

/** Letters with their marks, digits, and apostrophes and hyphens between them. */
const WORD = /[\p{L}\p{M}\p{N}]+(?:['’-][\p{L}\p{M}\p{N}]+)*/gu

const counts = TypedMap.open(workerData.name)

parentPort.on('message', text => {
  // One step for all threads: none is lost, however many count the same word at once.
  for (const [word] of text.normalize().toLowerCase().matchAll(WORD)) counts.increment(word)
  parentPort.postMessage('counted')
})
