// The code under test: it has its own map, which tests have not in hand.
const { TypedMap } = require('typed-superdashmap')

const tokens = new TypedMap({ ttl: 60_000 })
/** @type {string[]} */
const gone = []
tokens.onEvict(({ key }) => gone.push(key))

const login = name => tokens.set(name, { name })
const isLoggedIn = name => tokens.get(name)?.name === name

module.exports = { gone, isLoggedIn, login }
