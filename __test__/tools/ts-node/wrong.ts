import { TypedMap } from 'typed-superdashmap'

new TypedMap<string, number>().set('a', 'no number')
