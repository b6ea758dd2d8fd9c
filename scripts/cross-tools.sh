#!/usr/bin/env bash
# Installs what `npm run build:all` and its tests need, into target/platforms/tools: zig as linker, cargo-zigbuild, and
# LIEF, which reads what was built. Needs Python 3 with venv.
# On Debian as root also, unless --no-rust is given: a Rust with the source of its standard library, which builds it
# for every platform. Elsewhere `rustup target add` has the standard libraries.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "${1:-}" != --no-rust ]; then
  apt-get update
  apt-get install --yes --no-install-recommends rustc-web cargo-web rust-web-src python3-venv
fi

python3 -m venv target/platforms/tools
target/platforms/tools/bin/pip install --quiet --disable-pip-version-check --requirement scripts/cross-tools.txt
