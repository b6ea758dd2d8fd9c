// Lists: maps, hot keys, threads with the figures of the program, and the log.

import { byId, keep, make, say, showNote, showTable } from './elements.mjs'
import { threadName } from './findings.mjs'
import * as format from './format.mjs'

/** Lines of the log that the page keeps. */
const MOST_LINES = 300

/** Hot keys that are shown: those after them are hardly hot. */
const SHOWN_KEYS = 10

/** @param {any[]} maps @param {string | null} shown @param {number} unwatched */
export function showMaps(maps, shown, unwatched) {
  keep(
    byId('maps'),
    maps,
    ({ name, instance }) => `${instance} ${name}`,
    ({ name }) => {
      const link = make('a', { href: `#map=${encodeURIComponent(name)}` }, name)
      return make('tr', {}, make('th', { scope: 'row' }, link), make('td'), make('td'), make('td'))
    },
    (row, { name, isSecret, cacheHitRate, opsPerSecond, memoryBytes, limits }) => {
      const link = /** @type {HTMLElement} */ (row.firstElementChild?.firstElementChild)
      if (name === shown) link.setAttribute('aria-current', 'true')
      else link.removeAttribute('aria-current')
      row.classList.toggle('shown', name === shown)
      say(row.children[1], isSecret ? 'secret' : format.percent(cacheHitRate))
      say(row.children[2], isSecret ? '' : format.count(opsPerSecond))
      say(row.children[3], format.bytes(memoryBytes))
      const limit = limits?.memoryLimit ?? null
      row.style.setProperty('--share', limit === null ? '0%' : `${Math.min(100, (100 * memoryBytes) / limit)}%`)
    }
  )
  const note =
    maps.length === 0 ? 'No thread has a named map open.' : unwatched > 0 ? `${unwatched} more are not watched.` : ''
  say(byId('maps-note'), note)
}

/** @param {{ type: string, text: string, hits: number, errorHits: number }[] | undefined} hotKeys */
export function showHotKeys(hotKeys) {
  if (hotKeys === undefined) return showNote(byId('hot'), 'The option hotKeys: true shows which keys are read most.')
  const rows = hotKeys
    .slice(0, SHOWN_KEYS)
    .map(({ type, text, hits, errorHits }) => [
      type === 'string' ? text : `${text} (${type})`,
      format.count(hits),
      `± ${format.count(errorHits)}`
    ])
  const head = ['Key', 'Reads', 'Error']
  showTable(byId('hot'), { caption: 'Hot keys', head, rows, note: 'No key stands out yet.' })
}

/** @param {any[]} threads */
export function showThreads(threads) {
  const parent = byId('threads')
  if (threads.length === 0) return showNote(parent, 'No thread has answered yet.')
  let list = /** @type {HTMLElement | null} */ (parent.querySelector('ul'))
  if (list === null) {
    list = make('ul', { class: 'sources' })
    parent.replaceChildren(list)
  }
  keep(
    list,
    threads,
    ({ thread, name }) => `${thread} ${name ?? ''}`,
    () => make('li', {}, make('b'), make('span', { class: 'state' }), make('dl')),
    (item, one) => {
      const { thread, name, figures = {}, error, agoMs, delayMs, isSilent } = one
      say(item.children[0], name === null ? threadName(thread) : `${name} (${threadName(thread)})`)
      say(
        item.children[1],
        isSilent
          ? `no answer for ${format.span(agoMs)}`
          : error
            ? `failed: ${error}`
            : `answers in ${format.span(delayMs)}`
      )
      item.classList.toggle('silent', isSilent || error !== undefined)
      keep(
        item.children[2],
        Object.entries(figures),
        ([key]) => key,
        ([key]) => make('div', {}, make('dt', {}, format.words(key)), make('dd')),
        (pair, [key, value]) => say(pair.children[1], format.figure(key, value))
      )
    }
  )
}

/** @param {any[]} lines newer ones */
export function addLines(lines) {
  const parent = byId('log')
  if (parent.childElementCount === 0 && lines.length === 0) return showNote(parent, 'Nothing was logged yet.')
  if (lines.length === 0) return
  parent.querySelector(':scope > .note')?.remove()
  const isAtEnd = parent.scrollTop + parent.clientHeight >= parent.scrollHeight - 8
  for (const { time, level, map, code, details, message } of lines) {
    const shown = Object.entries(details ?? {}).filter(([name, value]) => name !== 'leftOut' || value > 0)
    const fields = shown.map(([name, value]) => `${name}=${format.figure(name, value)}`)
    const text = message ? `${message}: ${fields.join(', ')}`.replace(/: $/, '') : fields.join(', ')
    parent.append(
      make(
        'p',
        { class: level },
        make('time', {}, format.clock(time)),
        make('b', {}, level),
        make('i', {}, map ?? ''),
        make('span', {}, make('code', {}, code), ' ', text)
      )
    )
  }
  while (parent.childElementCount > MOST_LINES) parent.firstElementChild?.remove()
  if (isAtEnd) parent.scrollTop = parent.scrollHeight
}
