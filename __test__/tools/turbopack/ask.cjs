'use strict'

// Starts a server with the given command, prints what it answers, and ends it.

const { spawn } = require('node:child_process')
const { createServer } = require('node:net')
const { once } = require('node:events')

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  return port
}

async function main() {
  const [command, ...args] = process.argv.slice(2)
  const port = await freePort()
  const env = { ...process.env, PORT: String(port), HOSTNAME: '127.0.0.1' }
  const server = spawn(command, args, { env, stdio: ['ignore', 'ignore', 'inherit'], detached: true })
  try {
    for (;;) {
      const answer = await fetch(`http://127.0.0.1:${port}/map`).catch(() => null)
      if (answer !== null) return console.log(await answer.text())
      if (server.exitCode !== null) throw new Error(`the server ended with ${server.exitCode}`)
      await new Promise(resolve => setTimeout(resolve, 100))
    }
  } finally {
    if (server.exitCode === null) process.kill(-server.pid)
  }
}

main()
