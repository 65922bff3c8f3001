/* Times in microseconds, to 2 %. */
#pragma once
#include <math.h>
#include <stdint.h>
#include <string.h>

#define BUCKETS 1200

struct histogram {
  uint64_t counts[BUCKETS];
  uint64_t total;
  int64_t longest;
};

static inline void count_time(struct histogram *h, int64_t us) {
  if (us < 0) us = 0;
  int at = (int)(log1p((double)us) / log(1.02));
  h->counts[at < BUCKETS ? at : BUCKETS - 1]++;
  h->total++;
  if (us > h->longest) h->longest = us;
}

/* Milliseconds that this share of all does not exceed. */
static inline double quantile_ms(const struct histogram *h, double share) {
  uint64_t left = (uint64_t)((double)h->total * share);
  for (int at = 0; at < BUCKETS; at++) {
    if (h->counts[at] > left) return (pow(1.02, at + 1) - 1) / 1000;
    left -= h->counts[at];
  }
  return (double)h->longest / 1000;
}
