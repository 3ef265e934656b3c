#!/usr/bin/env bash
# Sets up a Debian 12 machine, builds tagbench, and runs it.
#
#   ./quickstart.sh          the main job: experiments/quick.yaml on a synthetic corpus; prints one table
#   ./quickstart.sh test     every test
#   ./quickstart.sh build    packages and program only
#
# Works as root or through sudo. What is already there is not done again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

say() { printf '== %s\n' "$*" >&2; }
fail() { printf 'quickstart: %s\n' "$*" >&2; exit 2; }

build_packages=(g++ cmake ninja-build ccache pkg-config git ca-certificates
  libtorch-dev libopenblas0-openmp libopenblas-openmp-dev librubberband-dev libsamplerate0-dev libsndfile1-dev libcsv-dev libyaml-cpp-dev nlohmann-json3-dev
  libcli11-dev libspdlog-dev libboost-dev libboost-math-dev libssl-dev libxxhash-dev zlib1g-dev libfluidsynth-dev csound-soundfont libgtest-dev libgmock-dev
  libbenchmark-dev)
lint_packages=(clang-format clang-tidy)

install_packages() {
  local missing=()
  for package in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  local become=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "packages are missing (${missing[*]}); run as root, or install sudo"
    become=(sudo)
  fi
  say "installing ${#missing[@]} Debian packages: ${missing[*]}"
  "${become[@]}" apt-get update -qq
  "${become[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

build() {
  local preset=$1; shift
  say "building (preset $preset); the first time takes some minutes"
  cmake --preset "$preset" "$@" >build-configure.log 2>&1 || { cat build-configure.log >&2; rm -f build-configure.log; fail "configuration failed"; }
  rm -f build-configure.log
  cmake --build --preset "$preset" >&2
}

command -v apt-get >/dev/null || fail "this script knows Debian's package manager only; elsewhere install what its top lists, then: cmake --preset release, cmake --build --preset release"

case "${1:-run}" in
  run)
    install_packages "${build_packages[@]}"
    build release -DTAGBENCH_TESTS=OFF
    say "running experiments/quick.yaml"
    exec build/release/harness/cli/tagbench run experiments/quick.yaml
    ;;
  build)
    install_packages "${build_packages[@]}"
    build release -DTAGBENCH_TESTS=OFF
    ;;
  test)
    install_packages "${build_packages[@]}"
    build ci
    say "running every test"
    exec ctest --preset ci -j "$(nproc)"
    ;;
  lint)
    install_packages "${build_packages[@]}" "${lint_packages[@]}"
    exec .ci/lint
    ;;
  *)
    fail "unknown argument '$1'; known: run (default), build, test, lint"
    ;;
esac
