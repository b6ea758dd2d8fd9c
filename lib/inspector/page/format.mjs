// Numbers as people read them, with their units.

const UNKNOWN = '–'
const BYTE_UNITS = ['B', 'KB', 'MB', 'GB', 'TB']

/** @param {number | null | undefined} value */
const isKnown = value => value !== null && value !== undefined && Number.isFinite(value)

/** Three digits that say something. @param {number} value */
function short(value) {
  const size = Math.abs(value)
  if (size >= 99.95 || Number.isInteger(value)) return Math.round(value).toLocaleString('en-US')
  return size >= 9.995 ? value.toFixed(1) : value.toFixed(2)
}

/** @param {number | null | undefined} value */
export function count(value) {
  if (!isKnown(value)) return UNKNOWN
  const known = /** @type {number} */ (value)
  if (Math.abs(known) < 100_000) return short(known)
  if (Math.abs(known) < 999_500) return `${Math.round(known / 1_000)} k`
  return known < 999.5e6 ? `${short(known / 1e6)} M` : `${short(known / 1e9)} G`
}

/** @param {number | null | undefined} value */
export const whole = value =>
  isKnown(value) ? Math.round(/** @type {number} */ (value)).toLocaleString('en-US') : UNKNOWN

/** In units of 1,024. @param {number | null | undefined} value */
export function bytes(value) {
  if (!isKnown(value)) return UNKNOWN
  let amount = /** @type {number} */ (value)
  let unit = 0
  while (Math.abs(amount) >= 1_023.5 && unit < BYTE_UNITS.length - 1) {
    amount /= 1_024
    unit++
  }
  return `${unit === 0 ? Math.round(amount) : short(amount)} ${BYTE_UNITS[unit]}`
}

/** @param {number | null | undefined} value 0 to 100 */
export function percent(value) {
  if (!isKnown(value)) return UNKNOWN
  const known = /** @type {number} */ (value)
  // What is not all must not look like all.
  const shown = known > 99.94 && known < 100 ? 99.9 : known
  return `${Number.isInteger(shown) ? shown : shown.toFixed(1)} %`
}

/** @param {number | null | undefined} value nanoseconds */
export function nanoseconds(value) {
  if (!isKnown(value)) return UNKNOWN
  const known = /** @type {number} */ (value)
  if (known < 1_000) return `${Math.round(known)} ns`
  if (known < 1e6) return `${short(known / 1_000)} µs`
  return known < 1e9 ? `${short(known / 1e6)} ms` : `${short(known / 1e9)} s`
}

/** @param {number | null | undefined} value milliseconds */
export function span(value) {
  if (!isKnown(value)) return UNKNOWN
  const seconds = /** @type {number} */ (value) / 1_000
  if (seconds < 1) return `${Math.round(seconds * 1_000)} ms`
  if (seconds < 60) return `${Math.round(seconds)} s`
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3_600)} h`
}

/** The time of day. @param {number} time */
export const clock = time => new Date(time).toLocaleTimeString('en-GB')

/** A figure of a program, whose unit its name says. @param {string} name @param {unknown} value */
export function figure(name, value) {
  if (value === null) return UNKNOWN
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (typeof value !== 'number') return String(value)
  if (/(^b|B)ytes$/.test(name)) return bytes(value)
  if (/(^n|N)s$/.test(name)) return nanoseconds(value)
  if (/(^m|M)s$/.test(name)) return span(value)
  if (/(utilization|ratio|share)$/i.test(name)) return percent(value * 100)
  return count(value)
}

/** The words of a name; the unit goes to the value. @param {string} name */
export const words = name =>
  name
    .replace(/^is([A-Z])/, '$1')
    .replace(/(Bytes|Ns|Ms)$/, '')
    .replaceAll(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
