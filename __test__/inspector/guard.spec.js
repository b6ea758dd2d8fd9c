'use strict'

// What an adversary may send to the inspector, byte by byte, and that it is refused.

require('../support/sound.js')
const { after, before, describe, it } = require('node:test')
const assert = require('node:assert/strict')
const net = require('node:net')
const { TypedMap } = require('../../index.js')
const { serveInspector } = require('../../inspector.js')

const TOKEN = 'a-token-for-tests-0123456789'

/** The end of a connection, also of one that is reset. */
const closeOf = socket => new Promise(resolve => socket.once('close', resolve))

describe('requests of an adversary', () => {
  let inspector
  let map
  let port

  before(async () => {
    map = TypedMap.open('guarded')
    map.set('secret-key', 'secret-value')
    inspector = await serveInspector({
      token: TOKEN,
      interval: 100,
      allowedHosts: ['inspector.test:8443', 'bare.test', 'tls.test:443']
    })
    port = Number(new URL(inspector.url).port)
  })

  after(async () => {
    await inspector.close()
    map.close()
  })

  /** Sends bytes, and returns all that comes back before the connection ends. */
  async function send(...parts) {
    const socket = net.connect(port, '127.0.0.1')
    const chunks = []
    socket.on('data', chunk => chunks.push(chunk))
    socket.on('error', () => {})
    const closed = closeOf(socket)
    for (const part of parts) socket.write(part)
    await closed
    return Buffer.concat(chunks).toString('latin1')
  }

  const statusOf = answer => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1])

  /** A request that is right but for what is given. */
  function request({ method = 'GET', target = '/stats', version = '1.1', body = '', ...headers } = {}) {
    const all = { Host: `127.0.0.1:${port}`, Authorization: `Bearer ${TOKEN}`, Connection: 'close', ...headers }
    const given = Object.entries(all).filter(([, value]) => value !== undefined)
    const lines = given.map(([name, value]) => `${name}: ${value}\r\n`)
    return `${method} ${target} HTTP/${version}\r\n${lines.join('')}\r\n${body}`
  }

  /** Asserts that a request is refused, with nothing of the map in the answer. */
  async function refused(given, status) {
    const answer = await send(request(given))
    assert.equal(statusOf(answer), status, answer)
    assert.doesNotMatch(answer, /guarded|secret-/)
  }

  it('one that is right is answered, so that the others are refused for what they say', async () => {
    const answer = await send(request())
    assert.equal(statusOf(answer), 200)
    assert.match(answer, /"guarded"/)
  })

  describe('another host', () => {
    for (const host of [
      'evil.test',
      'localhost.evil.test',
      '127.0.0.1.evil.test',
      '10.0.0.1',
      '[::1',
      '',
      'a b',
      '..'
    ]) {
      it(`'${host}'`, () => refused({ Host: `${host}:${port}` }, 403))
    }
    it('the port of another server', () => refused({ Host: '127.0.0.1:1' }, 403))
    it('none', async () => assert.equal(statusOf(await send(request({ Host: undefined }))), 400))
    it('two of them', () => refused({ host: 'evil.test' }, 403))
    it('one that was allowed, and localhost, are answered', async () => {
      for (const Host of ['inspector.test:8443', `localhost:${port}`, `LOCALHOST:${port}`]) {
        assert.equal(statusOf(await send(request({ Host }))), 200, Host)
      }
      await refused({ Host: `inspector.test:${port}` }, 403)
    })
    it('one that was allowed without a port is answered as a proxy is asked: without one', async () => {
      for (const Host of ['bare.test', 'Bare.test', 'bare.test:80', 'bare.test:443', `bare.test:${port}`]) {
        assert.equal(statusOf(await send(request({ Host }))), 200, Host)
      }
      assert.equal(statusOf(await send(request({ Host: 'bare.test', Origin: 'https://bare.test' }))), 200)
      await refused({ Host: 'bare.test', Origin: 'https://evil.test' }, 403)
      await refused({ Host: 'bare.test:1' }, 403)
      for (const Host of ['127.0.0.1', 'localhost', 'x.bare.test', 'inspector.test']) await refused({ Host }, 403)
    })
    it('one that was allowed with the port of https is answered without it, as a browser asks', async () => {
      assert.equal(statusOf(await send(request({ Host: 'tls.test' }))), 200)
      await refused({ Host: `tls.test:${port}` }, 403)
    })
  })

  describe('another origin', () => {
    for (const origin of ['http://evil.test', 'null', 'http://127.0.0.1:1', 'http://localhost.evil.test', 'file://']) {
      it(origin, () => refused({ Origin: origin }, 403))
    }
    it('the same one is answered', async () => {
      assert.equal(statusOf(await send(request({ Origin: `http://127.0.0.1:${port}` }))), 200)
    })
    it('a script or picture of another site', () =>
      refused({ 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'no-cors' }, 403))
    it('a link of another site leads to the page, if it has the token', async () => {
      const fetched = { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate' }
      assert.equal(statusOf(await send(request({ target: '/', ...fetched }))), 200)
      await refused({ target: '/', Authorization: undefined, ...fetched }, 401)
    })
  })

  describe('the token', () => {
    const without = { Authorization: undefined }
    it('none', () => refused(without, 401))
    it('none, for each path', async () => {
      for (const target of ['/', '/state', '/metrics', '/main.mjs', '/entry?map=guarded&key=secret-key', '/nothing']) {
        await refused({ ...without, target }, 401)
      }
    })
    for (const wrong of ['', 'x', TOKEN[0], TOKEN.slice(0, -1), TOKEN.slice(1), `${TOKEN}x`, TOKEN.toUpperCase()]) {
      it(`'${wrong}' is no token as bearer, in the address, as a cookie`, async () => {
        await refused({ Authorization: `Bearer ${wrong}` }, 401)
        await refused({ ...without, target: `/stats?token=${wrong}` }, 401)
        await refused({ ...without, Cookie: `typed-superdashmap-${port}=${wrong}` }, 401)
      })
    }
    it('of another kind', () => refused({ Authorization: `Basic ${btoa(`x:${TOKEN}`)}` }, 401))
    it('twice in the address', () => refused({ ...without, target: `/stats?token=${TOKEN}&token=x` }, 401))
    it('in the address or as a bearer is answered', async () => {
      assert.equal(statusOf(await send(request({ ...without, target: `/stats?token=${TOKEN}` }))), 200)
    })
    it('is no cookie: that is another secret, for this page alone', async () => {
      await refused({ ...without, Cookie: `typed-superdashmap-${port}=${TOKEN}` }, 401)
      const page = await send(request({ target: '/' }))
      const cookie = /^Set-Cookie: (.*)\r$/m.exec(page)[1]
      assert.match(cookie, /; HttpOnly; SameSite=Strict$/)
      assert.ok(!page.includes(TOKEN))
      assert.equal(statusOf(await send(request({ ...without, Cookie: `a=b; ${cookie.split(';')[0]}` }))), 200)
    })
  })

  describe('tricks with paths', () => {
    for (const target of [
      '/../package.json',
      '/..%2fpackage.json',
      '/%2e%2e/package.json',
      '//etc/passwd',
      '/page/../../serve.js',
      '/vendor/uPlot.iife.min.js',
      '/index.html',
      '/stats/',
      '/stats%00',
      '/STATS',
      '/__proto__',
      '/constructor',
      '/toString'
    ]) {
      it(target, () => refused({ target }, 404))
    }
    for (const target of ['http://evil.test/stats', 'stats', '*', '?token=x']) {
      it(`a target that is no path: ${target}`, () => refused({ target }, 400))
    }
  })

  describe('what is too much', () => {
    it('a target', () => refused({ target: `/stats?${'x'.repeat(5_000)}` }, 414))
    it('headers', async () => {
      assert.equal(statusOf(await send(request({ 'X-Much': 'x'.repeat(20_000) }))), 431)
      const many = Object.fromEntries(Array.from({ length: 3_000 }, (_, at) => [`X-${at}`, 'x']))
      assert.equal(statusOf(await send(request(many))), 431)
    })
    it('a body', async () => {
      await refused({ 'Content-Length': '3', body: 'abc' }, 413)
      await refused({ 'Transfer-Encoding': 'chunked', body: '0\r\n\r\n' }, 413)
    })
    it('a request that is none', async () => {
      for (const bytes of ['\r\n\r\nx', 'GET\r\n\r\n', '\x16\x03\x01\x02', 'GET / HTTP/9.9\r\n\r\n']) {
        assert.ok([400, 505].includes(statusOf(await send(bytes))), bytes)
      }
    })
    it('connections: those beyond a bound are closed, and later ones are answered', async () => {
      const sockets = Array.from({ length: 100 }, () => net.connect(port, '127.0.0.1').on('error', () => {}))
      const closed = sockets.map(closeOf)
      // Which ones, the system decides.
      await Promise.race(closed)
      for (const socket of sockets) socket.destroy()
      await Promise.all(closed)
      let answer = ''
      while (answer === '') answer = await send(request())
      assert.equal(statusOf(answer), 200)
    })
    it('time: a request that does not end is ended', { timeout: 30_000 }, async () => {
      assert.equal(statusOf(await send('GET /stats HTTP/1.1\r\nHost: x\r\n')), 408)
    })
  })

  describe('another method or protocol', () => {
    for (const method of ['HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PATCH']) {
      it(method, async () => {
        const answer = await send(request({ method }))
        assert.equal(statusOf(answer), 405)
        assert.match(answer, /^Allow: GET\r$/m)
      })
    }
    it('CONNECT', async () => assert.equal(await send(request({ method: 'CONNECT', target: 'evil.test:80' })), ''))
    it('a WebSocket', () =>
      refused({ Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' }, 400))
  })

  it('every answer forbids what a page of ours does not need', async () => {
    for (const given of [{}, { target: '/' }, { target: '/nothing' }, { Authorization: undefined }]) {
      const answer = await send(request(given))
      assert.match(
        answer,
        /^Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; [^\r]*\r$/m
      )
      assert.doesNotMatch(answer, /unsafe/)
      for (const header of [
        'X-Content-Type-Options: nosniff',
        'Cache-Control: no-store',
        'Referrer-Policy: no-referrer'
      ]) {
        assert.ok(answer.includes(`${header}\r\n`), header)
      }
      assert.doesNotMatch(answer, /Access-Control/)
    }
  })
})
