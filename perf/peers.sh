#!/bin/sh
# Installs the peers that npm run perf compares with, as far as this machine can get them. piping-server comes with npm ci.
# What cannot be had is named, and the lanes go without it: this script never fails for that.
set -u
cd "$(dirname "$0")" || exit 1
bin=$PWD/.peers/bin
mkdir -p "$bin"

missing=
PATH=$PATH:/usr/sbin
for program in socat haproxy nginx redis-server nats-server icecast2 mosquitto rabbitmq-server time; do
  command -v "$program" >/dev/null 2>&1 || missing="$missing $program"
done
command -v sshd >/dev/null 2>&1 || missing="$missing openssh-server openssh-client"
command -v java >/dev/null 2>&1 || missing="$missing default-jre-headless"
command -v mvn >/dev/null 2>&1 || missing="$missing maven"
nchan=/usr/lib/nginx/modules/ngx_nchan_module.so
[ -e "$nchan" ] || missing="$missing libnginx-mod-nchan"
if [ -n "$missing" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  apt-get update -qq
  for program in $missing; do # one by one: one that this Debian does not have must not keep the others out
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$program" >/dev/null
  done
fi

if [ ! -x "$bin/go-piping-server" ] && command -v go >/dev/null 2>&1; then
  (cd / && GOBIN="$bin" go install github.com/nwtgck/go-piping-server@latest)
fi

if [ ! -x "$bin/piping-server" ] && command -v cargo >/dev/null 2>&1; then
  (cd / && cargo install --quiet --locked --git https://github.com/nwtgck/piping-server-rust --root "${bin%/bin}")
fi

if [ ! -x "$bin/croc" ] && command -v go >/dev/null 2>&1; then
  (cd / && GOBIN="$bin" go install github.com/schollz/croc/v10@latest)
fi

if [ ! -x "$bin/chisel" ] && command -v go >/dev/null 2>&1; then
  (cd / && GOBIN="$bin" go install github.com/jpillora/chisel@v1.10.1)
fi

# The clients of message systems, and the two systems that are packages. The folder has a package.json of its own, or npm would
# take the project's.
if [ ! -d .peers/node_modules/kafkajs ] && command -v npm >/dev/null 2>&1; then
  echo '{ "private": true }' >.peers/package.json
  (cd .peers && npm install --no-audit --no-fund --loglevel=error \
    zeromq@6.8.0 @grpc/grpc-js@1.14.7 amqplib@2.3.1 kafkajs@2.2.4)
fi

if [ ! -d .peers/kafka ] && command -v mvn >/dev/null 2>&1; then
  mvn -q -B -f brokers/kafka.pom.xml dependency:copy-dependencies -DincludeScope=runtime \
    -DoutputDirectory="$PWD/.peers/kafka" || rm -rf .peers/kafka
fi

say() { if "$@" >/dev/null 2>&1; then echo "here"; else echo "not here"; fi; }
for program in socat haproxy nginx redis-server nats-server icecast2 mosquitto rabbitmq-server sshd; do
  echo "$program: $(say command -v "$program")"
done
for package in zeromq @grpc/grpc-js amqplib kafkajs; do echo "$package: $(say test -e ".peers/node_modules/$package")"; done
echo "Kafka: $(say test -d .peers/kafka)"
echo "nchan: $(say test -e "$nchan")"
echo "chisel: $(say test -x "$bin/chisel")"
echo "croc: $(say test -x "$bin/croc")"
echo "go-piping-server: $(say test -x "$bin/go-piping-server")"
echo "piping-server-rust: $(say test -x "$bin/piping-server")"
echo "piping-server: $(say test -e ../node_modules/piping-server)"
