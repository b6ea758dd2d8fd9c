import { TypedMap } from 'typed-superdashmap'

TypedMap.open<string, string>('words').set('from', 'a worker' satisfies string)
