const { TypedMap } = require('typed-superdashmap')
const workerpool = require('workerpool')

workerpool.worker({
  task(n) {
    const map = TypedMap.open('numbers')
    map.set(n, n)
    map.set('object', { from: 'a worker' })
  }
})
