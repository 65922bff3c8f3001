#!/bin/sh
# The programs that the tests run besides Node. As root on Debian what is missing is installed; elsewhere it is named.
set -eu
PATH=$PATH:/usr/sbin
missing=
need() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }
need curl curl
need tar tar
need openssl openssl
need testssl testssl.sh
need bash bash
need zsh zsh
need zbarimg zbar-tools
need fish fish
need mandoc mandoc
need groff groff-base
need git git
need script bsdutils
need strace strace
need systemd-analyze systemd
need haproxy haproxy
need promtool prometheus
need redis-server redis-server
need chromium chromium
need chromium-headless-shell chromium-headless-shell
need unzip unzip
need wget wget
need ffmpeg ffmpeg
need faketime 'faketime libfaketime'
need prlimit util-linux
need aria2c aria2
need age age
need bsdtar libarchive-tools
need busybox busybox
need python3 python3
python3 -c 'import requests' 2>/dev/null || missing="$missing python3-requests"
needs_module() { python3 -c "import $1" 2>/dev/null || /usr/bin/python3 -c "import $1" 2>/dev/null || missing="$missing $2"; }
needs_module zmq python3-zmq
needs_module grpc python3-grpcio
need sshd openssh-server
need scp openssh-client
need nginx nginx-light
need caddy caddy
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || need initdb postgresql
if [ "${PIPEGATE_THOROUGH:-}" = 1 ]; then # for docs/replaces/rabbitmq.md and nats.md
  need amqp-consume amqp-tools
  need rabbitmq-server rabbitmq-server
  needs_module pika python3-pika
  need nats-server nats-server
  # The tool of NATS is in no Debian.
  if [ "$(id -u)" = 0 ] && ! command -v nats >/dev/null 2>&1 && command -v go >/dev/null 2>&1; then
    (cd / && GOBIN=/usr/local/bin go install github.com/nats-io/natscli/nats@v0.1.5)
  fi
  command -v nats >/dev/null 2>&1 || {
    echo 'the tests need nats, please install it: go install github.com/nats-io/natscli/nats@v0.1.5' >&2
    exit 1
  }
fi
need gcc 'gcc libc6-dev'
need clang clang
ls /usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a >/dev/null 2>&1 || missing="$missing libclang-rt-14-dev"
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "installing what the tests need:$missing"
  apt-get update -qq
  # shellcheck disable=SC2086 # one word for each package
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
else
  echo "the tests need these programs, please install them:$missing" >&2
  exit 1
fi
