export default { build: { ssr: 'main.mjs', outDir: 'external' } }
