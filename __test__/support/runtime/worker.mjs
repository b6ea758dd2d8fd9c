import { TypedMap } from 'typed-superdashmap'

TypedMap.open('shared').set('from', 'a worker')
