'use strict'

/* Numbers for people, and tables of them: aligned text for a terminal, Markdown for a page. */

/** Two or three digits are what a measurement is good for. */
function significant(number) {
  if (!Number.isFinite(number)) return String(number)
  const magnitude = Math.abs(number)
  if (magnitude >= 100) return Math.round(number).toLocaleString('en-US')
  if (magnitude >= 0.1 || magnitude === 0) return number.toFixed(magnitude >= 10 ? 1 : 2)
  return String(Number(number.toPrecision(2)))
}

const ratio = number => `${significant(number)}×`

const isNumeric = cell => /^[-<>≤≥]?\s?[\d,.]+/.test(cell)

/** Columns are as wide as their longest cell; cells that begin with a number stand at the right. */
function textTable(header, rows) {
  const all = [header, ...rows]
  const widths = header.map((_, column) => Math.max(...all.map(row => row[column].length)))
  const right = header.map((_, column) => column > 0 && rows.every(row => row[column] === '' || isNumeric(row[column])))
  const line = row =>
    row
      .map((cell, column) => (right[column] ? cell.padStart(widths[column]) : cell.padEnd(widths[column])))
      .join('  ')
      .trimEnd()
  return [line(header), widths.map(width => '─'.repeat(width)).join('  '), ...rows.map(line)].join('\n')
}

function markdownTable(header, rows) {
  const line = cells => `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n')
}

module.exports = { significant, ratio, textTable, markdownTable }
