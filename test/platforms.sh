#!/bin/bash
# npm run test:platforms [-- FOLDER]
#
# The platform, contract and chaos tests on each Node that package.json promises, on this machine and in a Debian 13 beside it,
# whose glibc needs nothing done to the engine. As root, on Debian x64 or arm64.
#
# Each Node is the package `node`, each Debian is made by debootstrap; all stands in FOLDER, where the next run finds it, or in a
# temporary one. On this machine nothing is installed but debootstrap.
set -euo pipefail
cd "$(dirname "$0")/.."
project=$PWD
folder=${1:-}
if [ -z "$folder" ]; then
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
fi
mkdir -p "$folder"
folder=$(realpath "$folder")
debian=$folder/trixie
nodes='20 22 24'

command -v debootstrap >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends debootstrap >/dev/null; }
for node in $nodes; do
  [ -x "$folder/node-$node/node_modules/node/bin/node" ] && continue
  mkdir -p "$folder/node-$node"
  npm install --silent --no-audit --no-fund --prefix "$folder/node-$node" "node@$node"
done
if [ ! -e "$debian/made" ]; then
  rm -rf "$debian"
  debootstrap --variant=minbase --include=openssl,curl,strace trixie "$debian" >"$folder/debootstrap.log"
  touch "$debian/made"
fi

npm run --silent build
mkdir -p "$debian/project/node_modules" "$debian/nodes"
tar c --exclude=./node_modules --exclude=./.git --exclude=./.tap . | tar x -C "$debian/project"

# Runs a command in there. The mounts are its own, and gone when it has ended.
inside() {
  # shellcheck disable=SC2016 # the inner shell's variables
  unshare --mount bash -c '
    project=$1 folder=$2 debian=$3
    mount --bind "$project/node_modules" "$debian/project/node_modules"
    mount --bind "$folder" "$debian/nodes"
    mount -t proc proc "$debian/proc"
    mount --rbind /dev "$debian/dev"
    mount -t tmpfs tmpfs "$debian/tmp"
    exec chroot "$debian" bash -c "cd /project && $4"' - "$project" "$folder" "$debian" "$1"
}
here() { bash -c "$1"; }

tests=$(find dist/test/platform dist/test/contract dist/test/chaos -name '*.test.js' | sort | tr '\n' ' ')
failed=0
try() {
  local where=$1 nodes_at=$2 node=$3 glibc version out total
  local path="$nodes_at/node-$node/node_modules/node/bin"
  glibc=$("$where" 'ldd --version' | sed -n '1s/.* //p')
  version=$("$where" "$path/node --version")
  out=$folder/$where-$node.txt
  "$where" "PATH=$path:\$PATH node_modules/.bin/tap --jobs=1 --timeout=300 $tests" >"$out" 2>&1 || failed=1
  total=$(grep -E '^# \{ total: ' "$out" | tail -n 1)
  echo "glibc $glibc, Node $version: ${total:-no test ran, see $out}"
  grep -E '^ +not ok .*# time' "$out" | sed 's/^ */  /' || true
}
for node in $nodes; do try here "$folder" "$node"; done
for node in $nodes; do try inside /nodes "$node"; done
exit $failed
