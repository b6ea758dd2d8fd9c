'use strict'

// Where this package lies, as its ES modules know it: a bundle that is an ES module has no `__filename`.

/** @type {{ url: string | undefined }} */
module.exports = { url: undefined }
