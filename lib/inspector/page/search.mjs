// Looks for a key, and says what is known of its entry.

import { byId, keep, make, showNote } from './elements.mjs'
import * as format from './format.mjs'

/** After the last key stroke. */
const PAUSE_MS = 150

/** @param {string} path @param {Record<string, string>} query */
async function ask(path, query) {
  const response = await fetch(`${path}?${new URLSearchParams(query)}`)
  return response.json()
}

/** Rows of facts. @param {Record<string, any>} entry @returns {[string, string][]} */
function factsOf({ bytes, ttlMs, shard, slot, generation, explained, value }) {
  /** @type {[string, any][]} */
  const facts = [
    ['takes', format.bytes(bytes)],
    ['expires', ttlMs === null ? 'never' : `in ${format.span(ttlMs)}`],
    ['lies in', `shard ${shard}, slot ${slot}, generation ${generation}`],
    ...explainedFacts(explained)
  ]
  if (value !== undefined) facts.push(['value', value])
  return facts.map(([name, text]) => [name, String(text)])
}

/** Names of `explain` that are said already. */
const SAID = new Set(['shard', 'slot', 'generation', 'version', 'weightBytes', 'expiresInMs', 'isNear'])

/** @param {Record<string, any> | undefined} explained @param {string} [before] @returns {[string, any][]} */
function explainedFacts(explained, before = '') {
  return Object.entries(explained ?? {}).flatMap(([name, value]) => {
    if (SAID.has(name) || value === null) return []
    const words = `${before}${format.words(name)}`
    if (typeof value === 'object') return explainedFacts(value, `${words} `)
    return [/** @type {[string, any]} */ ([words, format.figure(name, value)])]
  })
}

/** @param {() => string | null} mapShown */
export function setUpSearch(mapShown) {
  const form = /** @type {HTMLFormElement} */ (byId('search'))
  const field = /** @type {HTMLInputElement} */ (byId('key'))
  const type = /** @type {HTMLSelectElement} */ (byId('type'))
  const result = byId('entry')
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer

  const suggest = async () => {
    const map = mapShown()
    if (map === null || type.value !== 'string' || field.value === '') return
    const { keys = [] } = await ask('/keys', { map, match: field.value }).catch(() => ({}))
    const texts = keys
      .filter((/** @type {any} */ key) => key.type === 'string')
      .map((/** @type {any} */ key) => key.text)
    keep(
      byId('keys'),
      texts,
      text => text,
      text => make('option', { value: text }),
      () => {}
    )
  }

  const explain = async () => {
    const map = mapShown()
    if (map === null) return
    const key = field.value
    const entry = await ask('/entry', { map, key, type: type.value }).catch(() => ({
      error: 'the process does not answer'
    }))
    if (entry.error !== undefined) return showNote(result, `No answer: ${entry.error}.`)
    if (!entry.isFound) return showNote(result, `There is no entry of the ${type.value} ${key}.`)
    const list = make('dl', { class: 'facts-of-entry' })
    for (const [name, text] of factsOf(entry)) list.append(make('div', {}, make('dt', {}, name), make('dd', {}, text)))
    result.replaceChildren(list)
  }

  field.addEventListener('input', () => {
    clearTimeout(timer)
    timer = setTimeout(suggest, PAUSE_MS)
  })
  form.addEventListener('submit', event => {
    event.preventDefault()
    explain()
  })
  /** For another map. */
  return () => {
    result.replaceChildren()
    byId('keys').replaceChildren()
  }
}
