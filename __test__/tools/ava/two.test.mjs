import test from 'ava'
import { TypedMap } from 'typed-superdashmap'

test('listeners are called', async t => {
  const map = new TypedMap({ maxEntries: 1 })
  const gone = []
  map.onEvict(removal => gone.push(removal.value))
  map.set('a', { b: 1 }).set('b', 2)
  // A listener keeps no process alive, so the test waits with a timer.
  while (gone.length === 0) await new Promise(resolve => setTimeout(resolve, 1))
  t.deepEqual(gone, [{ b: 1 }])
})
