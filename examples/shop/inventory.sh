#!/bin/sh
# Takes from the shelf what is ordered.
set -u
GATEWAY=${GATEWAY:-http://127.0.0.1:8080}
while :; do
  curl -fsSN "$GATEWAY/orders?topic" | while read -r order; do
    echo "inventory: taken from the shelf: $order"
  done
  # The gateway was restarted, say.
  sleep 1
done
