'use strict'

const { parentPort, workerData } = require('node:worker_threads')
const { TypedMap } = require('typed-superdashmap')

const map = TypedMap.open(workerData.name)

const answerTo = ({ store, scan }) => {
  if (store !== undefined) map.setMany(store)
  else return map.scan(scan.cursor, { match: scan.match, count: scan.count })
}

parentPort.on('message', question => {
  try {
    parentPort.postMessage({ answer: answerTo(question) })
  } catch (error) {
    // The code of an error would be lost on the way.
    parentPort.postMessage({ failure: { message: error.message, code: error.code } })
  }
})
