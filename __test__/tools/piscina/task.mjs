import { TypedMap } from 'typed-superdashmap'

export default function task(n) {
  const map = TypedMap.open('numbers')
  map.set(n, n)
  map.set('object', { from: 'a worker' })
}
