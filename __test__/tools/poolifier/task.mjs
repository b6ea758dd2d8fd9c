import { ThreadWorker } from 'poolifier'
import { TypedMap } from 'typed-superdashmap'

export default new ThreadWorker(n => {
  const map = TypedMap.open('numbers')
  map.set(n, n)
  map.set('object', { from: 'a worker' })
})
