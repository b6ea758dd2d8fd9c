'use strict'

const { nodeFileTrace } = require('@vercel/nft')

nodeFileTrace([process.argv[2]]).then(({ fileList, warnings }) => {
  for (const warning of warnings) console.error(warning.message)
  console.log(JSON.stringify([...fileList]))
})
