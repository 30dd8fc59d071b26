# The Debian packages that glimpse is built from, and how missing ones are installed. Sourced by apps/quickstart.sh and tests/run.sh.

glimpse_build_packages="g++ cmake ninja-build pkg-config libdnnl-dev libopencv-core-dev libopencv-imgproc-dev libopencv-imgcodecs-dev
  libopencv-contrib-dev libtbb-dev libboost-program-options-dev nlohmann-json3-dev libarchive-dev zlib1g-dev libwebp-dev fonts-dejavu-core"
glimpse_test_packages="libgtest-dev libgmock-dev libbenchmark-dev"

# glimpse_say TEXT: what is going on, set off from what the tools print.
glimpse_say() { printf '\n== %s\n' "$*"; }

# glimpse_fail TEXT: why it cannot go on.
glimpse_fail() {
  printf '\nglimpse: error: %s\n' "$*" >&2
  exit 1
}

# glimpse_install PACKAGE...: those that are missing, with apt-get, as root or through sudo. Needs no network where all are there.
glimpse_install() {
  local package missing=() as_root=()
  if ! command -v dpkg-query > /dev/null || ! command -v apt-get > /dev/null; then
    glimpse_fail "this script installs packages with apt-get, which is not here. glimpse is made for Debian 12; it needs the like of: $*"
  fi
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2> /dev/null)" = installed ] || missing+=("$package")
  done
  if [ ${#missing[@]} -eq 0 ]; then
    glimpse_say "All packages are there"
    return
  fi
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo > /dev/null || glimpse_fail "packages are missing and there is no sudo; as root, run: apt-get install --no-install-recommends ${missing[*]}"
    as_root=(sudo)
  fi
  glimpse_say "Installing ${missing[*]}"
  "${as_root[@]}" apt-get update -q || glimpse_fail "apt-get update failed (its own message is above); is there a network?"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}" ||
    glimpse_fail "apt-get install failed (its own message is above)"
}

# glimpse_build ON|OFF: configures and builds the release preset in build/release, with or without tests. What ccache has compiled before is not
# compiled again, where it is installed.
glimpse_build() {
  local cache=()
  if command -v ccache > /dev/null; then cache=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache); fi
  glimpse_say "Configuring build/release"
  cmake --preset release -DGLIMPSE_BUILD_TESTS="$1" "${cache[@]}" || glimpse_fail "cmake could not configure build/release (its own message is above)"
  glimpse_say "Building; this takes a few minutes the first time"
  cmake --build --preset release || glimpse_fail "the build failed (the compiler's own message is above)"
}
