export default { build: { ssr: 'main.mjs', outDir: 'bundled' }, ssr: { noExternal: true } }
