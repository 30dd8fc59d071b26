#!/usr/bin/env bash
# Installs what is missing, builds everything and runs all tests. Run it from anywhere: bash tests/run.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source apps/packages.sh

# shellcheck disable=SC2086  # lists of words
glimpse_install $glimpse_build_packages $glimpse_test_packages
glimpse_build ON

glimpse_say "Testing"
ctest --preset release --parallel "$(nproc)"
