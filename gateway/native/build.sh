#!/bin/sh
# Builds prebuilt/sockets-linux-{x64,arm64}.node. Needs gcc, its arm64 cross compiler (Debian: gcc-aarch64-linux-gnu)
# and Node's headers, which stand beside Node itself or are named by NODE_INCLUDE. The results are committed: whoever
# installs the package needs no compiler.
set -eu
cd "$(dirname "$0")"
include=${NODE_INCLUDE:-$(node -p 'require("path").resolve(process.execPath, "../../include/node")')}
mkdir -p prebuilt
# The binaries say what they were built from, so that a test can tell when they are older than their sources.
sources=$(cat face.c http/*.c http/*.h sockets/*.c sockets/*.h build.sh | sha256sum | cut -d ' ' -f 1)
build() {
  "$1" -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -shared -fPIC -s -Wl,--build-id=none -Wl,-z,relro -Wl,-z,now \
    -fvisibility=hidden -DSOURCES="\"$sources\"" -I"$include" -Ihttp -Isockets face.c http/*.c sockets/*.c -o "prebuilt/sockets-linux-$2.node"
}
build x86_64-linux-gnu-gcc x64
build aarch64-linux-gnu-gcc arm64
