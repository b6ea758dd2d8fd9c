'use strict'

// A registry of packages at an address of this machine, from which package managers install as from a real one.

const { createHash } = require('node:crypto')
const { once } = require('node:events')
const { existsSync, readFileSync, readdirSync, writeFileSync } = require('node:fs')
const { createServer } = require('node:http')
const path = require('node:path')
const { pack, stagePlatform } = require('../../scripts/pack.js')
const { TARGETS } = require('../../scripts/targets.js')

/** @typedef {{ manifest: { name: string, version: string }, tarball: string }} Packed */

/**
 * All that is published, out of a folder of `npm run pack:all`. A platform that was not built gets a binary of no
 * bytes, since nothing here installs it.
 *
 * @param {string} folder
 * @returns {Packed[]}
 */
function allPacked(folder) {
  const nothing = path.join(folder, 'nothing.node')
  writeFileSync(nothing, '')
  const packages = path.join(folder, 'packages')
  for (const name of Object.keys(TARGETS)) {
    const staged = path.join(packages, `binding-${name}`)
    if (existsSync(staged)) continue
    stagePlatform(name, nothing, staged)
    pack(staged, folder)
  }
  return readdirSync(packages).map(staged => {
    const manifest = JSON.parse(readFileSync(path.join(packages, staged, 'package.json'), 'utf8'))
    const tarball = `${manifest.name.replace('@', '').replace('/', '-')}-${manifest.version}.tgz`
    return { manifest, tarball: path.join(folder, tarball) }
  })
}

/**
 * Serves packages.
 *
 * @param {Packed[]} packages
 * @returns {Promise<{ url: string, close: () => Promise<unknown> }>}
 */
async function startRegistry(packages) {
  const files = new Map(packages.map(({ tarball }) => [path.basename(tarball), readFileSync(tarball)]))
  const server = createServer((request, response) => {
    const asked = decodeURIComponent((request.url ?? '/').slice(1))
    const file = files.get(path.basename(asked))
    if (file) return response.end(file)
    const found = packages.find(({ manifest }) => manifest.name === asked)
    if (!found) return response.writeHead(404).end('{}')
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(documentOf(found)))
  })
  /** What a registry says of a package. @param {Packed} packed */
  function documentOf({ manifest, tarball }) {
    const name = path.basename(tarball)
    const file = files.get(name) ?? Buffer.of()
    const hash = (/** @type {string} */ kind, /** @type {'base64' | 'hex'} */ encoding) =>
      createHash(kind).update(file).digest(encoding)
    const dist = {
      tarball: `${url}${manifest.name}/-/${name}`,
      integrity: `sha512-${hash('sha512', 'base64')}`,
      shasum: hash('sha1', 'hex')
    }
    return {
      name: manifest.name,
      'dist-tags': { latest: manifest.version },
      // Some package managers refuse what was published today.
      time: { [manifest.version]: '2020-01-01T00:00:00.000Z' },
      versions: { [manifest.version]: { ...manifest, dist } }
    }
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}/`
  const close = () => {
    server.closeAllConnections()
    server.close()
    return once(server, 'close')
  }
  return { url, close }
}

module.exports = { allPacked, startRegistry }
