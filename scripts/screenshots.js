'use strict'

// Takes the pictures of the inspector that the README shows: npm run screenshots. A program with three maps and two
// threads runs for a while; its figures are random, its page is the one of the package. It needs Chromium.

const { mkdirSync, writeFileSync } = require('node:fs')
const path = require('node:path')
const process = require('node:process')
const { setTimeout: sleep } = require('node:timers/promises')
const { Worker, isMainThread, workerData } = require('node:worker_threads')
const { TypedMap } = require('../index.js')
const { launchChromium } = require('./chromium.js')
const { shrink } = require('./png.js')

const [folder = path.join(__dirname, '..', 'images'), seconds = '75'] = process.argv.slice(2)

/** What is taken, and how. */
const PICTURES = [
  { file: 'inspector-light.png', colorScheme: 'light', width: 1240, height: 980 },
  { file: 'inspector-dark.png', colorScheme: 'dark', width: 1240, height: 980 },
  { file: 'inspector-phone.png', colorScheme: 'light', width: 360, height: 800 }
]

const USERS = 60_000
const TICK_MS = 20

const maps = () => ({
  users: TypedMap.open('users', { memoryLimit: '4mb', latency: true, hotKeys: true }),
  sessions: TypedMap.open('sessions', { maxEntries: 20_000, ttl: 8_000 }),
  prices: TypedMap.open('prices', { memoryLimit: '16mb' })
})

/** A user as many requests ask for it: few of them often. */
const someone = () => Math.floor(USERS * Math.random() ** 4)

/** Some work, again and again, more of it at some times than at others. */
function work() {
  const { users, sessions, prices } = maps()
  const begun = Date.now()
  setInterval(() => {
    const wave = 1 + Math.sin((Date.now() - begun) / 9_000)
    const calls = Math.round(150 + 250 * wave)
    for (let call = 0; call < calls; call++) {
      const id = someone()
      const user = users.get(`user:${id}`)
      if (user === undefined) users.set(`user:${id}`, { id, name: `Someone ${id}`, roles: ['reader'], seen: call })
      if (call % 10 === 0) sessions.set(`session:${Math.floor(30_000 * Math.random())}`, { user: id, at: call })
      if (call % 4 === 0) sessions.get(`session:${Math.floor(30_000 * Math.random())}`)
      prices.get(call % 500)
    }
    prices.set(Math.floor(500 * Math.random()), Math.round(10_000 * Math.random()) / 100)
  }, TICK_MS)
}

async function main() {
  const { registerSource, serveInspector } = require('../inspector.js')
  const { users, sessions } = maps()
  work()
  const worker = new Worker(__filename, { workerData: 'work' })
  registerSource('web server', () => ({
    openRequests: Math.round(20 + 10 * Math.random()),
    queueMs: 3,
    version: '4.2.0'
  }))
  const { url, close } = await serveInspector()
  const browser = await launchChromium()
  await sleep(1_000 * Number(seconds))
  sessions.clear()
  await sleep(2_000)
  mkdirSync(folder, { recursive: true })
  for (const { file, colorScheme, width, height } of PICTURES) {
    const page = await browser.newPage({ viewport: { width, height }, colorScheme })
    page.on('console', (/** @type {any} */ message) => console.log(message.type(), message.text()))
    page.on('pageerror', (/** @type {Error} */ error) => console.log(error.message))
    await page.goto(`${url}#map=users`)
    await sleep(4_000)
    await page.getByLabel('Key', { exact: true }).fill('user:7')
    await page.getByRole('button', { name: 'Explain' }).click()
    await page.evaluate('scrollTo(0, 0)')
    await sleep(500)
    const picture = shrink(await page.screenshot())
    writeFileSync(path.join(folder, file), picture)
    console.log(`${file}: ${Math.round(picture.length / 1_000)} kB`)
    if (process.env.FULL) await page.screenshot({ path: path.join(folder, `full-${file}`), fullPage: true })
    await page.close()
  }
  await browser.close()
  worker.postMessage('end')
  await worker.terminate()
  await close()
  users.close()
  process.exit()
}

if (isMainThread) main()
else if (workerData === 'work') work()
