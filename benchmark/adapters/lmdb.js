'use strict'

/*
 * lmdb: a database in a memory-mapped file, and the fastest store that Node.js processes and threads could share. It
 * runs without syncing to disk here, with its own default encoding (msgpack), in a directory that is removed at the
 * end.
 */

const { mkdtempSync, rmSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { join } = require('node:path')

const directories = new WeakMap()

const lmdb = {
  name: 'lmdb',
  title: 'lmdb',
  item: 'key',
  open({ directory }) {
    const path = directory ?? mkdtempSync(join(tmpdir(), 'typed-superdashmap-bench-'))
    const database = require('lmdb').open({ path: join(path, 'data'), noSync: true, compression: false })
    if (directory === undefined) directories.set(database, path)
    return database
  },
  // Writes one by one each wait for a commit; a fill is one transaction, so that it is not the writes that are compared
  // where reads are the question.
  fill(database, keys, values) {
    database.transactionSync(() => {
      for (let i = 0; i < keys.length; i++) database.put(keys[i], values[i])
    })
  },
  async close(database) {
    await database.close()
    const path = directories.get(database)
    if (path !== undefined) rmSync(path, { recursive: true, force: true })
  },
  size: database => database.getStats().entryCount,
  get: 'map.get(key)',
  has: 'map.doesExist(key)',
  insert: 'map.putSync(key, value)',
  update: 'map.putSync(key, value)',
  delete: 'map.removeSync(key)'
}

module.exports = { lmdb }
