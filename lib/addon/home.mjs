// Evaluated before the addon is loaded. Undefined in a bundle that is no ES module.

import home from './home.js'

home.url = import.meta.url
