#!/usr/bin/env bash
# Has a browser for the tests of the inspector's page: the one that is there, or else Debian's, which needs root.
set -euo pipefail
cd "$(dirname "$0")/.."

if node --eval "process.exit(require('./scripts/chromium.js').findChromium() === undefined ? 1 : 0)"; then
  exit
fi
apt-get update
apt-get install --yes --no-install-recommends chromium
