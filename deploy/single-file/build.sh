#!/bin/bash
# deploy/single-file/build.sh [OUT]
#
# Makes one executable of Node, the package and what it depends on, for Linux on the processor of this machine: OUT, or ./pipegate.
# It has the Node that runs this script (NODE names another one), and needs glibc 2.36 or later where it runs, as the engine does.
# The project has to be built: npm ci.
set -euo pipefail
project=$(cd "$(dirname "$0")/../.." && pwd)
out=$(realpath -m "${1:-pipegate}")
node=$(realpath "$(command -v "${NODE:-node}")")
[ "$(uname -s)" = Linux ] || { echo "build.sh: found $(uname -s), expected Linux" >&2; exit 1; }
[ -f "$project/dist/gateway/main.js" ] || { echo 'build.sh: found no dist/, run npm ci first' >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/tree
mkdir "$tree"

# As in the Dockerfile: the package, what it depends on by the lock file, and of the binaries those of this Node.
cd "$project"
npm pack --ignore-scripts --silent --pack-destination "$work" >/dev/null
tar xzf "$work"/pipegate-*.tgz -C "$tree" --strip-components=1
cp package-lock.json "$tree"
cd "$tree"
npm ci --omit=dev --ignore-scripts --prefer-offline --no-audit --no-fund --silent
rm -rf deploy docs examples package-lock.json node_modules/.bin node_modules/.package-lock.json
engine=$("$node" -p '`uws_linux_${process.arch}_${process.versions.modules}.node`')
[ -f "node_modules/uWebSockets.js/$engine" ] || { echo "build.sh: the engine has no binary for $node" >&2; exit 1; }
find node_modules/uWebSockets.js -name 'uws_*.node' ! -name "$engine" -delete
find gateway/native/prebuilt -type f ! -name "sockets-linux-$("$node" -p process.arch).node" -delete
find . -type f '(' -name '*.map' -o -name '*.ts' -o -name '*.mts' -o -name '*.cts' -o -name '*.md' ! -name 'LICENSE*' \
  -o -path '*/test/*' ')' -delete
find . -type d -empty -delete
cp "$project/deploy/single-file/start-unpacked.cjs" .

"$node" "$project/deploy/single-file/pack.js" "$tree" "$work"
cat >"$work/sea.json" <<END
{
  "main": "$project/deploy/single-file/start.cjs",
  "output": "$work/sea.blob",
  "disableExperimentalSEAWarning": true,
  "assets": { "files.json": "$work/files.json", "files.gz": "$work/files.gz" }
}
END
"$node" --experimental-sea-config "$work/sea.json" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
cp "$node" "$work/pipegate"
chmod u+w,+x "$work/pipegate"
# A third of Node is its table of symbols.
command -v strip >/dev/null && strip "$work/pipegate"
"$project/node_modules/.bin/postject" "$work/pipegate" NODE_SEA_BLOB "$work/sea.blob" \
  --sentinel-fuse NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2 >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
mkdir -p "$(dirname "$out")"
mv "$work/pipegate" "$out"
