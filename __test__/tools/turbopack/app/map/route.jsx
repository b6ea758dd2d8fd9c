import { TypedMap } from 'typed-superdashmap'

export const dynamic = 'force-dynamic'

export function GET() {
  const map = TypedMap.open('bundled')
  map.set('a', { b: 1 })
  map.set('seen', { seen: map.get('a').b })
  return new Response(`${JSON.stringify(map.get('a'))} ${JSON.stringify(map.get('seen'))}`)
}
