// Elements of the page. Text is set as text: what maps and programs name is never read as markup.

/** @param {string} id */
export const byId = id => /** @type {HTMLElement} */ (document.getElementById(id))

/**
 * Makes an element.
 *
 * @param {string} tag
 * @param {Record<string, string | undefined>} [attributes]
 * @param {(Node | string)[]} children
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined) element.setAttribute(name, value)
  element.append(...children)
  return element
}

const SVG = 'http://www.w3.org/2000/svg'

/** @param {string} tag @param {Record<string, string | number>} attributes @param {Node[]} children */
export function makeSvg(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value))
  element.append(...children)
  return element
}

/** Sets a text, if it is another: a selection in it stays. @param {Element} element @param {string} text */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text
}

/**
 * Has a child for each item, in their order. Children of items that stay are kept, with focus and selection. Items may
 * have one key: the first of them has the first child with it.
 *
 * @template T
 * @param {Element} parent
 * @param {T[]} items
 * @param {(item: T) => string} keyOf
 * @param {(item: T) => HTMLElement} create
 * @param {(element: HTMLElement, item: T) => void} update
 */
export function keep(parent, items, keyOf, create, update) {
  /** @type {Map<string | undefined, HTMLElement[]>} */
  const known = new Map()
  for (const child of /** @type {Iterable<HTMLElement>} */ (parent.children)) {
    const { key } = child.dataset
    known.set(key, [...(known.get(key) ?? []), child])
  }
  let at = parent.firstElementChild
  for (const item of items) {
    const key = keyOf(item)
    let child = known.get(key)?.shift()
    if (child === undefined) {
      child = create(item)
      child.dataset.key = key
    }
    if (child === at) at = at.nextElementSibling
    else parent.insertBefore(child, at)
    update(child, item)
  }
  for (const children of known.values()) for (const child of children) child.remove()
}

/**
 * Shows a table of texts in an element, or a note where there is nothing to show.
 *
 * @param {HTMLElement} parent
 * @param {{ caption: string, head: string[], rows: string[][], note?: string }} table a first cell that another row
 *   has too is no key, so rows are kept by their place
 */
export function showTable(parent, { caption, head, rows, note }) {
  if (rows.length === 0) return showNote(parent, note ?? '')
  let table = parent.querySelector('table')
  if (table === null || table.tHead?.rows[0].cells.length !== head.length) {
    const cells = head.map(text => make('th', { scope: 'col' }, text))
    table = /** @type {HTMLTableElement} */ (
      make('table', {}, make('caption', { class: 'unseen' }, caption), make('thead', {}, make('tr', {}, ...cells)))
    )
    table.append(make('tbody'))
    parent.replaceChildren(table)
  }
  keep(
    table.tBodies[0],
    rows.map((cells, at) => ({ cells, at })),
    ({ at }) => String(at),
    () => make('tr', {}, ...head.map((_, at) => (at === 0 ? make('th', { scope: 'row' }) : make('td')))),
    (row, { cells }) => {
      for (const [at, text] of cells.entries()) say(row.children[at], text)
    }
  )
}

/** @param {HTMLElement} parent @param {string} text */
export function showNote(parent, text) {
  const note = parent.querySelector(':scope > .note') ?? make('p', { class: 'note' })
  if (parent.children.length !== 1 || note.parentElement !== parent) parent.replaceChildren(note)
  say(note, text)
}

/** The colour of a variable of the style sheet, as the canvas takes it. @param {string} name */
export function colorOf(name) {
  const probe = byId('probe') ?? document.body.appendChild(make('i', { id: 'probe', hidden: '' }))
  probe.style.color = `var(--${name})`
  return getComputedStyle(probe).color
}
