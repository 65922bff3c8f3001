#!/bin/sh
# Installs the peers that npm run perf compares with, as far as this machine can get them. piping-server comes with npm ci.
# What cannot be had is named, and its lanes go without it; this script never fails for it.
set -u
cd "$(dirname "$0")"
bin=$PWD/.peers/bin
mkdir -p "$bin"

if ! command -v socat >/dev/null 2>&1; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends socat >/dev/null
  fi
fi

if [ ! -x "$bin/go-piping-server" ] && command -v go >/dev/null 2>&1; then
  (cd / && GOBIN="$bin" go install github.com/nwtgck/go-piping-server@latest)
fi

have() { if [ "$1" = 0 ]; then echo "$2: here"; else echo "$2: not here"; fi; }
command -v socat >/dev/null 2>&1; have $? socat
[ -x "$bin/go-piping-server" ]; have $? go-piping-server
[ -e ../node_modules/piping-server ]; have $? piping-server
exit 0
