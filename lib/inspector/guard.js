'use strict'

// Which requests are answered. The page is for the people who run the process: a page of another origin that their
// browser has open, or a name that another's DNS points at this address, must reach nothing.

const { createHash, randomBytes, timingSafeEqual } = process.getBuiltinModule('node:crypto')
const { isIP } = process.getBuiltinModule('node:net')

/** The longest target of a request, in characters. A search for a long key needs room. */
const MAX_TARGET = 4_096

/** The ports that a browser leaves out. What stands before this server may speak https: which of them, is not known. */
const HTTP = 80
const HTTPS = 443

/**
 * @typedef {object} Refusal
 * @property {number} status
 * @property {string} reason
 * @property {Record<string, string>} [headers]
 */

/** Compares two secrets in a time that tells nothing of them. @param {string} one @param {string} other */
function isSame(one, other) {
  const digest = (/** @type {string} */ text) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(one), digest(other))
}

/** The host and the port of a Host header. @param {string} text */
function readHost(text) {
  const found = /^(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::(\d{1,5}))?$/i.exec(text)
  if (found === null) return undefined
  const [, name, port] = found
  const hasPort = port !== undefined
  return { name: name.replaceAll(/[[\]]/g, '').toLowerCase(), port: hasPort ? Number(port) : HTTP, hasPort }
}

/** A name that is allowed, or, if it has no port, that name with each port that goes without saying. */
const withPorts = (/** @type {string} */ name) =>
  isIP(name) === 0 && /:\d+$/.test(name) ? [name] : [name, `${name}:${HTTP}`, `${name}:${HTTPS}`]

/** The value of a cookie. @param {string | undefined} header @param {string} name */
function cookieOf(header, name) {
  for (const part of header?.split(';') ?? []) {
    const at = part.indexOf('=')
    if (part.slice(0, at).trim() === name) return part.slice(at + 1).trim()
  }
  return undefined
}

class Guard {
  #token
  #hosts
  #port = 0
  /** What the cookie has in place of the token. */
  #session = randomBytes(32).toString('base64url')

  /** @param {{ token: string | false, host: string, allowedHosts: string[] }} options */
  constructor({ token, host, allowedHosts }) {
    this.#token = token
    this.#hosts = new Set([host, 'localhost', ...allowedHosts.flatMap(withPorts)].map(name => name.toLowerCase()))
  }

  /** @param {number} port that the server listens on */
  listensOn(port) {
    this.#port = port
  }

  /** Browsers send a cookie to every port of a host. */
  get #cookie() {
    return `typed-superdashmap-${this.#port}`
  }

  /** The header that gives the cookie to a browser. */
  cookieHeader() {
    return `${this.#cookie}=${this.#session}; Path=/; HttpOnly; SameSite=Strict`
  }

  /**
   * Why a request is not answered, if it is not.
   *
   * @param {import('node:http').IncomingMessage} request
   * @returns {Refusal | undefined}
   */
  refusalOf(request) {
    return this.#formRefusal(request) ?? this.#originRefusal(request) ?? this.#tokenRefusal(request)
  }

  /** @param {import('node:http').IncomingMessage} request @returns {Refusal | undefined} */
  #formRefusal({ method, url = '', headers }) {
    if (method !== 'GET') return { status: 405, reason: 'only GET is answered', headers: { Allow: 'GET' } }
    if (url.length > MAX_TARGET) return { status: 414, reason: 'the target is too long' }
    if (!url.startsWith('/')) return { status: 400, reason: 'the target is no path' }
    const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0
    if (hasBody) return { status: 413, reason: 'a GET has no body' }
    if (headers.upgrade !== undefined) return { status: 400, reason: 'no other protocol is spoken' }
    return undefined
  }

  /** @param {import('node:http').IncomingMessage} request @returns {Refusal | undefined} */
  #originRefusal({ headers, socket, rawHeaders }) {
    const isHost = (/** @type {string} */ name, /** @type {number} */ at) => at % 2 === 0 && /^host$/i.test(name)
    const host = rawHeaders.filter(isHost).length === 1 ? readHost(headers.host ?? '') : undefined
    if (host === undefined || !this.#isOurs(host, socket)) return { status: 403, reason: 'the host is another' }
    const { origin, 'sec-fetch-site': site, 'sec-fetch-mode': mode } = headers
    if (origin !== undefined && !isOriginOf(origin, host)) return { status: 403, reason: 'the origin is another' }
    // A link somewhere else may lead to the page; nothing else there may ask for anything.
    const isForeign = site !== undefined && site !== 'same-origin' && site !== 'none'
    if (isForeign && mode !== 'navigate') return { status: 403, reason: 'the request comes from another site' }
    return undefined
  }

  /**
   * A numeric address is ours if the request came to it: no DNS can point at us by that. A name has to be known.
   *
   * @param {{ name: string, port: number, hasPort: boolean }} host
   * @param {import('node:net').Socket} socket
   */
  #isOurs({ name, port, hasPort }, { localAddress = '' }) {
    if (this.#hosts.has(`${name}:${port}`) || (!hasPort && this.#hosts.has(`${name}:${HTTPS}`))) return true
    if (port !== this.#port) return false
    if (isIP(name) === 0) return this.#hosts.has(name)
    return name === localAddress.replace(/^::ffff:/, '') || this.#hosts.has(name)
  }

  /** @param {import('node:http').IncomingMessage} request @returns {Refusal | undefined} */
  #tokenRefusal({ headers, url = '' }) {
    if (this.#token === false || this.#isKnown(this.#token, headers, url)) return undefined
    const reason = 'the token is missing or wrong: open the address that serveInspector returned'
    return { status: 401, reason, headers: { 'WWW-Authenticate': 'Bearer' } }
  }

  /**
   * @param {string} token
   * @param {import('node:http').IncomingHttpHeaders} headers
   * @param {string} url
   */
  #isKnown(token, headers, url) {
    const { authorization } = headers
    if (authorization !== undefined) return /^bearer /i.test(authorization) && isSame(authorization.slice(7), token)
    const given = new URLSearchParams(url.split('?', 2)[1] ?? '').getAll('token')
    if (given.length > 0) return given.length === 1 && isSame(given[0], token)
    const cookie = cookieOf(headers.cookie, this.#cookie)
    return cookie !== undefined && isSame(cookie, this.#session)
  }
}

/** @param {string} origin @param {{ name: string, port: number }} host */
function isOriginOf(origin, host) {
  if (!origin.startsWith('http://') && !origin.startsWith('https://')) return false
  const other = readHost(origin.slice(origin.indexOf('//') + 2))
  // What stands before this server may speak https, and has no port in its origin then.
  const port = origin.startsWith('https:') && !/:\d+$/.test(origin) ? HTTPS : other?.port
  return other?.name === host.name && (port === host.port || port === HTTPS)
}

module.exports = { Guard, MAX_TARGET }
