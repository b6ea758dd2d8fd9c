'use strict'

// A registry of packages at an address of this machine, from which package managers install as from a real one.

const { createHash } = require('node:crypto')
const { once } = require('node:events')
const { readFileSync } = require('node:fs')
const { createServer } = require('node:http')
const path = require('node:path')

/**
 * Serves packages.
 *
 * @param {{ manifest: { name: string, version: string }, tarball: string }[]} packages
 * @returns {Promise<{ url: string, close: () => Promise<unknown> }>}
 */
async function startRegistry(packages) {
  const files = new Map(packages.map(({ tarball }) => [path.basename(tarball), readFileSync(tarball)]))
  const server = createServer((request, response) => {
    const asked = decodeURIComponent(request.url.slice(1))
    const file = files.get(path.basename(asked))
    if (file) return response.end(file)
    const found = packages.find(({ manifest }) => manifest.name === asked)
    if (!found) return response.writeHead(404).end('{}')
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(documentOf(found)))
  })
  /** What a registry says of a package. */
  function documentOf({ manifest, tarball }) {
    const name = path.basename(tarball)
    const hash = (kind, encoding) => createHash(kind).update(files.get(name)).digest(encoding)
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
  const url = `http://127.0.0.1:${server.address().port}/`
  const close = () => {
    server.closeAllConnections()
    server.close()
    return once(server, 'close')
  }
  return { url, close }
}

module.exports = { startRegistry }
