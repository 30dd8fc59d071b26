#!/usr/bin/env bash
# From a fresh Debian 12 to captions: installs what is missing, builds, captions the sample photos and draws where the model looked.
# Run it from anywhere, as often as you like: bash apps/quickstart.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source apps/packages.sh

# shellcheck disable=SC2086  # a list of words
glimpse_install $glimpse_build_packages
glimpse_build OFF

glimpse_say "Captions of the photos in assets/photos"
mkdir -p out
build/release/glimpse overlay --output out assets/photos | tee out/captions.txt || glimpse_fail "captioning failed (the message is above)"

glimpse_say "Done: $(wc -l < out/captions.txt) photos"
cat << EOF
captions      out/captions.txt (path, caption, overlay)
overlays      out/*.glimpses.png: where the model looked at each word
your own      build/release/glimpse caption YOUR_PHOTO.jpg
everything    build/release/glimpse --help, README.md
EOF
