#!/bin/sh
# A new order: everybody hears of it who listens, and shipping has to send it.
# usage: order.sh WHAT
set -u
GATEWAY=${GATEWAY:-http://127.0.0.1:8080}
# Seconds that an order may wait to be shipped.
PATIENCE=${PATIENCE:-600}
order="$1"

told=$(curl -fsS -d "$order" "$GATEWAY/orders?topic") || exit 1
echo "order \"$order\": $told"

# The answer comes when shipping has it.
if curl -fsS -o /dev/null -d "$order" "$GATEWAY/shipping?queue&reply=end&wait=$PATIENCE"; then
  echo "order \"$order\": shipping has it"
else
  echo "order \"$order\": NOT taken by shipping" >&2
  exit 1
fi
