import path from 'node:path'

const standalone = { output: 'standalone', serverExternalPackages: ['typed-superdashmap'] }

export default {
  turbopack: { root: path.resolve('.') },
  ...(process.env.STANDALONE && standalone)
}
