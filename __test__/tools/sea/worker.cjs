'use strict'

const { TypedMap } = require('typed-superdashmap')

const map = TypedMap.open('bundled')
map.set('worker', { seen: map.get('main').n })
