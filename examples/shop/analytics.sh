#!/bin/sh
# Counts orders.
set -u
GATEWAY=${GATEWAY:-http://127.0.0.1:8080}
count=0
while :; do
  curl -fsSN "$GATEWAY/orders?topic" | while read -r order; do
    count=$((count + 1))
    echo "analytics: order $count since I listen: $order"
  done
  sleep 1
done
