#!/bin/sh
# Ships one order after the other.
set -u
GATEWAY=${GATEWAY:-http://127.0.0.1:8080}
while :; do
  # It waits for five minutes; then it asks again.
  if order=$(curl -fsS "$GATEWAY/shipping?queue" 2>/dev/null); then
    echo "shipping: on its way: $order"
  else
    sleep 1
  fi
done
