'use strict'

// The page in a real browser.

require('../support/sound.js')
const { after, before, describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { BroadcastChannel } = require('node:worker_threads')
const { TypedMap } = require('../../index.js')
const { registerSource, serveInspector } = require('../../inspector.js')
const { CHANNEL } = require('../../lib/inspector/sources.js')
const { launchChromium } = require('../../scripts/chromium.js')
const browsers = require('../support/browser.js')

const { PATIENCE_MS, withoutBrowser: skip } = browsers

describe('page', { skip }, () => {
  let browser
  let inspector
  let maps

  before(
    async () => {
      maps = ['page: one', 'page: two'].map(name => TypedMap.open(name, { memoryLimit: '4mb' }))
      for (let id = 0; id < 100; id++) maps[0].set(`user:${id}`, { id })
      inspector = await serveInspector({ interval: 100 })
      browser = await launchChromium()
    },
    { timeout: PATIENCE_MS }
  )

  after(async () => {
    await browser?.close()
    await inspector?.close()
    for (const map of maps ?? []) map.close()
  })

  /** Opens the page, hands it to `work`, and asserts that it complained of nothing. */
  const onPage = (options, work, address = '#map=page: one') =>
    browsers.onPage(browser, `${inspector.url}${address}`, options, async (page, context) => {
      await page.getByRole('heading', { name: /^page: / }).waitFor()
      await work(page, context)
    })

  /** Asks the page until it answers as it should. */
  const until = (page, question, argument) => page.waitForFunction(question, argument)
  const tile = (page, label) => page.locator('#tiles > div', { hasText: label }).locator('dd').first()

  it('shows the figures of a map, and shows them change', async () => {
    await onPage({}, async page => {
      await tile(page, 'Entries').getByText('100', { exact: true }).waitFor()
      maps[0].set('one more', 1)
      await tile(page, 'Entries').getByText('101', { exact: true }).waitFor()
      maps[0].delete('one more')
      maps[0].clear()
      await page.locator('#log p', { hasText: 'All entries were removed' }).first().waitFor()
      for (let id = 0; id < 100; id++) maps[0].set(`user:${id}`, { id })
      await until(page, () => document.querySelectorAll('#chart-operations canvas').length === 1)
    })
  })

  it('takes the token out of the address, and goes on by its cookie', async () => {
    await onPage({}, async (page, context) => {
      assert.doesNotMatch(page.url(), /token/)
      const [cookie] = await context.cookies()
      assert.deepEqual([cookie.httpOnly, cookie.sameSite], [true, 'Strict'])
      assert.equal(await page.evaluate(() => document.cookie), '')
      await page.reload()
      await page.getByRole('heading', { name: 'page: one' }).waitFor()
    })
  })

  it('shows another map when it is chosen, and its name as text', async () => {
    const map = TypedMap.open('<img src=x onerror=alert(1)>')
    await onPage({}, async page => {
      await page.getByRole('link', { name: 'page: two' }).click()
      await page.getByRole('heading', { name: 'page: two' }).waitFor()
      await tile(page, 'Entries').getByText('0', { exact: true }).waitFor()
      await page.getByRole('link', { name: '<img' }).click()
      await page.getByRole('heading', { name: '<img src=x onerror=alert(1)>' }).waitFor()
      map.close()
      await page.getByText('No thread has the map').waitFor()
    })
  })

  it('says of each thread that it is blocked, once, and no longer than it is', async () => {
    const channel = new BroadcastChannel(CHANNEL)
    channel.unref()
    const threads = [901, 902]
    const say = message => {
      for (const thread of threads) channel.postMessage({ thread, name: null, round: 0, figures: {}, ...message })
    }
    await onPage({}, async page => {
      const blocked = () => page.locator('#findings li', { hasText: 'is blocked' }).allInnerTexts()
      say({ kind: 'answer' })
      await page.locator('#findings li', { hasText: 'Worker 902 is blocked' }).first().waitFor()
      for (let rounds = 0; rounds < 5; rounds++) {
        const before = await page.locator('#figures').getAttribute('data-time')
        await until(page, time => document.querySelector('#figures')?.dataset.time !== time, before)
        assert.deepEqual(
          (await blocked()).map(text => text.slice(0, 'Worker 901'.length)),
          ['Worker 901', 'Worker 902']
        )
      }
      say({ kind: 'end' })
      await until(page, () => ![...document.querySelectorAll('#findings li')].some(one => /901/.test(one.textContent)))
      assert.deepEqual(await blocked(), [])
    })
    channel.close()
  })

  it('does not say of a map that is not watched that no thread has it open', async () => {
    await onPage({}, async page => {
      // Of more maps than the inspector watches.
      await page.route('**/state?*', async route => {
        const response = await route.fetch()
        await route.fulfill({ response, json: { ...(await response.json()), unwatched: 3 } })
      })
      await page.evaluate(() => {
        location.hash = '#map=page: other'
      })
      await page.locator('#findings li', { hasText: /page: other/ }).waitFor()
      assert.deepEqual(await page.locator('#findings li').allInnerTexts(), [
        'No thread has the map page: other open, or it is one of the 3 that are not watched.'
      ])
    })
  })

  it('shows all maps although the name of one is too long for an address', async () => {
    const name = `page: ${'ü'.repeat(2_000)}`
    const long = TypedMap.open(name)
    await onPage({}, async page => {
      await page.locator('#maps a', { hasText: 'üüü' }).waitFor()
      await page.evaluate(name => {
        location.hash = `#map=${encodeURIComponent(name)}`
      }, name)
      await page.locator('#findings li', { hasText: 'too long for an address' }).waitFor()
      assert.equal(await page.locator('#maps a', { hasText: /^page: (one|two)$/ }).count(), 2)
      await page.locator('#maps a', { hasText: 'page: two' }).click()
      await page.getByRole('heading', { name: 'page: two' }).waitFor()
    })
    long.close()
  })

  it('explains the entry of a key, by the keyboard alone', async () => {
    await onPage({}, async page => {
      for (let stops = 0; (await page.evaluate(() => document.activeElement?.id)) !== 'key'; stops++) {
        assert.ok(stops < 40, 'the field is reached by the Tab key')
        await page.keyboard.press('Tab')
      }
      await page.keyboard.type('user:4')
      await until(page, () => document.querySelectorAll('#keys option').length === 11)
      await page.keyboard.type('2')
      await page.keyboard.press('Enter')
      const { shard, slot } = maps[0].getHandle('user:42')
      await page.locator('#entry', { hasText: `shard ${shard}, slot ${slot}` }).waitFor()
      await page.keyboard.type('0')
      await page.keyboard.press('Enter')
      await page.locator('#entry', { hasText: 'There is no entry of the string user:420' }).waitFor()
    })
  })

  it('moves the cursor of the charts by the arrow keys, and says what is there', async () => {
    await onPage({}, async page => {
      const plot = page.locator('#chart-memory .plot')
      await until(page, () => document.querySelectorAll('#maps tr').length > 1)
      await plot.focus()
      await until(page, () => document.querySelector('#chart-memory .plot')?.ariaLabel?.includes('now'))
      await page.getByRole('button', { name: 'Pause' }).click()
      await plot.focus()
      await page.keyboard.press('Home')
      await until(page, () =>
        /, \d\d:\d\d:\d\d: in use .*B, limit 4 MB/.test(document.querySelector('#chart-memory .plot')?.ariaLabel ?? '')
      )
    })
  })

  it('has the colours of the system, or those that were chosen, also after a reload', async () => {
    const background = page => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
    await onPage({ colorScheme: 'dark' }, async page => {
      const dark = await background(page)
      await page.getByLabel('Light').check()
      const light = await background(page)
      assert.notEqual(light, dark)
      await page.reload()
      await page.getByRole('heading', { name: 'page: one' }).waitFor()
      assert.equal(await background(page), light)
      await page.getByLabel('Auto').check()
      assert.equal(await background(page), dark)
    })
    await onPage({ colorScheme: 'light' }, async page => {
      assert.equal(await background(page), 'rgb(244, 245, 247)')
    })
  })

  it('has text that stands out from what is behind it, in both schemes', async () => {
    for (const colorScheme of ['light', 'dark']) {
      await onPage({ colorScheme }, async page => {
        const least = await page.evaluate(leastContrast)
        assert.ok(least.ratio >= 4.5, `${colorScheme}: ${JSON.stringify(least)}`)
      })
    }
  })

  it('fits a phone without scrolling sideways', async () => {
    const long = TypedMap.open(`page: ${'long-'.repeat(30)}`)
    const ends = [
      registerSource('a source', () => ({ aFigureWithALongName: 'x'.repeat(200), ['n'.repeat(200)]: 1 })),
      registerSource('w'.repeat(64), () => {
        throw new Error('e'.repeat(200))
      })
    ]
    await onPage({ viewport: { width: 360, height: 740 } }, async page => {
      for (const text of ['xxx', 'nnn', 'eee']) await page.locator('#threads', { hasText: text }).waitFor()
      const wide = await page.evaluate(() => [
        document.documentElement.scrollWidth,
        ...[...document.querySelectorAll('body *')]
          .filter(
            element => element.getBoundingClientRect().right > innerWidth + 0.5 && !element.closest('.unseen, .u-wrap')
          )
          .map(element => `${element.tagName}.${element.className}`)
      ])
      assert.deepEqual(wide, [360])
    })
    for (const end of ends) end()
    long.close()
  })

  it('names all controls and landmarks', async () => {
    await onPage({}, async page => {
      const unnamed = await page.evaluate(() =>
        [...document.querySelectorAll('button, input, select, nav, section')]
          .filter(element => {
            const labelled = element.getAttribute('aria-labelledby')
            const label = labelled === null ? null : document.getElementById(labelled)
            const name = label?.textContent ?? element.getAttribute('aria-label') ?? element.labels?.[0]?.textContent
            return !(name ?? (element.tagName === 'BUTTON' ? element.textContent : ''))?.trim()
          })
          .map(element => element.outerHTML)
      )
      assert.deepEqual(unnamed, [])
      assert.equal(await page.locator('main').count(), 1)
      assert.equal(await page.locator('h1').count(), 1)
    })
  })

  it('says when the inspector has ended', async () => {
    const other = await serveInspector({ interval: 100 })
    const context = await browser.newContext()
    const page = await context.newPage()
    await page.goto(`${other.url}#map=page: one`)
    await page.getByRole('heading', { name: 'page: one' }).waitFor()
    await other.close()
    await page.getByRole('alert').getByText('The process does not answer').waitFor({ timeout: PATIENCE_MS })
    await context.close()
  })
})

/** The text with the least contrast to what is behind it, by the formula of WCAG. Runs in the page. */
function leastContrast() {
  const channels = color => color.match(/[\d.]+/g).map(Number)
  const luminance = ([red, green, blue]) => {
    const [r, g, b] = [red, green, blue].map(part => {
      const share = part / 255
      return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const behind = element => {
    for (let at = element; at !== null; at = at.parentElement) {
      const color = channels(getComputedStyle(at).backgroundColor)
      if (color[3] !== 0) return color
    }
    return [255, 255, 255]
  }
  let least = { ratio: 99 }
  for (const element of document.querySelectorAll('body *')) {
    const hasText = [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim() !== '')
    if (!hasText || element.getClientRects().length === 0 || element.closest('.unseen, .skip')) continue
    const [one, other] = [luminance(channels(getComputedStyle(element).color)), luminance(behind(element))]
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05)
    if (ratio < least.ratio) least = { ratio, text: element.textContent.slice(0, 40) }
  }
  return least
}
