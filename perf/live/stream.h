/*
 * A stream whose bytes can be computed from their offset: frames of FRAME bytes, each with its number in front (8 bytes, most
 * significant first), and behind it a fixed pattern. So one comparison with memory that stays in the cache checks a frame, and a
 * byte that is missing, comes twice or belongs to another place is found.
 */
#pragma once
#include <stdint.h>
#include <string.h>
#include <time.h>

#define FRAME 65536
#define NUMBER 8

static uint8_t pattern[FRAME];

static inline void make_pattern(void) {
  uint64_t x = 0x9e3779b97f4a7c15u;
  for (int i = NUMBER; i < FRAME; i++) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    pattern[i] = (uint8_t)(x >> 32);
  }
}

static inline void put_number(uint8_t *to, uint64_t frame) {
  for (int i = 0; i < NUMBER; i++) to[i] = (uint8_t)(frame >> (56 - 8 * i));
}

/* CLOCK_MONOTONIC in nanoseconds: one clock for all processes of a machine. */
static inline int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}
