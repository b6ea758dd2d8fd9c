'use strict'

// The server: which connections it has, for how long, and what every answer carries.

const { createServer } = process.getBuiltinModule('node:http')

/** A browser opens six. */
const MAX_CONNECTIONS = 64
const MAX_HEADER_BYTES = 8 * 1024
/** How long a request may take to arrive, and a connection may wait for the next. */
const REQUEST_TIMEOUT_MS = 5_000
/** How long a connection may be silent in either direction. */
const IDLE_TIMEOUT_MS = 10_000
/** How often connections are looked at for that. */
const CHECK_INTERVAL_MS = 1_000

/** No script, style, frame or form of anything but this server; and no markup made of text. */
const CONTENT_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'"
].join('; ')

const HEADERS = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': CONTENT_POLICY,
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY'
}

/** Status of what cannot be read, by the code of the error. @type {Record<string, string>} */
const UNREADABLE = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout'
}

/**
 * @typedef {object} Answer
 * @property {number} [status]
 * @property {string} type
 * @property {string | Buffer} body
 * @property {Record<string, string>} [headers]
 */

/**
 * @param {import('node:http').ServerResponse} response
 * @param {Answer} answer
 */
function send(response, { status = 200, type, body, headers = {} }) {
  response.writeHead(status, {
    ...HEADERS,
    ...headers,
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body)
  })
  response.end(body)
}

/**
 * A server that answers what the guard lets through.
 *
 * @param {import('./guard.js').Guard} guard
 * @param {(path: string, query: URLSearchParams) => Answer} answer throws for what it cannot
 */
function makeServer(guard, answer) {
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: REQUEST_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: CHECK_INTERVAL_MS,
      insecureHTTPParser: false,
      requireHostHeader: true
    },
    (request, response) => {
      const refusal = guard.refusalOf(request)
      if (refusal !== undefined) {
        const { status, reason, headers } = refusal
        // What else the connection may bring is not read.
        return send(response, { ...plain(status, reason), headers: { ...headers, Connection: 'close' } })
      }
      const [path, query = ''] = (request.url ?? '').split('?', 2)
      try {
        send(response, answer(path, new URLSearchParams(query)))
      } catch (error) {
        send(response, plain(500, `the inspector failed: ${error instanceof Error ? error.message : error}`))
      }
    }
  )
  server.maxConnections = MAX_CONNECTIONS
  server.timeout = IDLE_TIMEOUT_MS
  server.on('clientError', (error, socket) => {
    const status = UNREADABLE[/** @type {any} */ (error).code] ?? '400 Bad Request'
    if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
    else socket.destroy()
  })
  return server
}

/** @param {number} status @param {string} text @returns {Answer} */
const plain = (status, text) => ({ status, type: 'text/plain; charset=utf-8', body: `${text}\n` })

module.exports = { makeServer, plain }
