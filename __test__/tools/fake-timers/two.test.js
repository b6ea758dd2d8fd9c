test('time runs in a test file, whatever the one before left', async () => {
  const { TypedMap } = require('typed-superdashmap')
  const map = new TypedMap({ ttl: 5 })
  map.set('a', 1)
  while (map.size > 0) await new Promise(resolve => setTimeout(resolve, 1))
})
