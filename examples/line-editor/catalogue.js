'use strict'

/** Plugins that come with the editor. @type {import('./plugins.js').Plugin[]} */
const CATALOGUE = [
  {
    name: 'Upcase',
    version: '1.0',
    description: 'ESC u: the word before the cursor in capitals',
    keys: { '\x1bu': 'upcase-word' },
    actions: {
      'upcase-word': editor => {
        const { before, after } = editor.line
        editor.setLine(
          before.replace(/\S+\s*$/, word => word.toUpperCase()),
          after
        )
      }
    }
  },
  {
    name: 'transpose',
    version: '1.1',
    description: '^T: the two characters before the cursor change places',
    keys: { '\x14': 'transpose-characters' },
    actions: {
      'transpose-characters': editor => {
        const { before, after } = editor.line
        editor.setLine(before.replace(/(.)(.)$/u, '$2$1'), after)
      }
    }
  },
  {
    name: 'Arrows',
    version: '0.9',
    description: 'ESC [ 1 ; 5 C and D: a word to the right and to the left',
    keys: { '\x1b[1;5C': 'word-right', '\x1b[1;5D': 'word-left' },
    actions: {}
  }
]

module.exports = { CATALOGUE }
