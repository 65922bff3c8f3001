/*
 * Reads cases from standard input, each a line "<ways> <seed> <length>" and as many bytes, and prints what the reader makes of
 * each, as lines, and a line with a dot. It has to be the same in all ways that the bytes may be cut and answered; if it is
 * not, a line "differs" and what else came out follow.
 *
 * Ways: "every": cut at every byte (of long cases at some), byte by byte, and in all ways of answering. "some": a few cuts
 * from the seed. "poor": byte by byte, as long as half heads take no more than "seed" bytes; there is nothing to compare.
 */
#define _GNU_SOURCE
#include "drive.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct try {
  const unsigned char *bytes;
  size_t length;
  struct log expected;
  /* Something else came out once; that will do. */
  int differs;
};

static void compare(struct try *try, struct cuts cuts, enum answer answer, const char *how) {
  struct log log = {0};
  drive(try->bytes, try->length, cuts, answer, &log);
  const struct log *expected = &try->expected;
  if (!try->differs && (log.length != expected->length || memcmp(log.text, expected->text, log.length) != 0)) {
    printf("differs: %s %zu, answered %d\n%.*s", how, cuts.at, answer, (int)log.length, log.text);
    try->differs = 1;
  }
  free(log.text);
}

/* More than this are not cut at every byte, for their time grows by the square of their length. */
#define LONG 2000

static int is_cut_at(size_t at, size_t length) {
  return length <= LONG || at < 40 || at + 40 > length || at % (length / 40) == 0;
}

static void try_every(struct try *try) {
  for (int answer = 0; answer < ANSWERS; answer++) {
    compare(try, (struct cuts){.next = cut_nowhere}, (enum answer)answer, "whole");
    compare(try, (struct cuts){.next = cut_evenly, .at = 1}, (enum answer)answer, "pieces of");
    compare(try, (struct cuts){.next = cut_evenly, .at = 7}, (enum answer)answer, "pieces of");
    for (size_t at = 1; at < try->length; at++) {
      if (is_cut_at(at, try->length)) compare(try, (struct cuts){.next = cut_once, .at = at}, (enum answer)answer, "cut at");
    }
  }
}

static void try_some(struct try *try, uint64_t seed) {
  for (int answer = 0; answer < ANSWERS; answer++) {
    compare(try, (struct cuts){.next = cut_anywhere, .random = seed + (uint64_t)answer}, (enum answer)answer, "anywhere");
    compare(try, (struct cuts){.next = cut_once, .at = 1 + seed % (try->length + 1)}, (enum answer)answer, "cut at");
  }
  compare(try, (struct cuts){.next = cut_evenly, .at = 1}, LATE, "pieces of");
}

static void try_poor(const unsigned char *bytes, size_t length, size_t memory) {
  struct log log = {0};
  limit_memory(memory);
  drive(bytes, length, (struct cuts){.next = cut_evenly, .at = 1}, AT_ONCE, &log);
  printf("%.*s.\n", (int)log.length, log.text);
  free(log.text);
}

static void try_case(const unsigned char *bytes, size_t length, const char *ways, uint64_t seed) {
  struct try try = {bytes, length, {0}, 0};
  drive(bytes, length, (struct cuts){.next = cut_nowhere}, AT_ONCE, &try.expected);
  fwrite(try.expected.text, 1, try.expected.length, stdout);
  if (strcmp(ways, "every") == 0) try_every(&try);
  else try_some(&try, seed);
  printf(".\n");
  free(try.expected.text);
}

int main(void) {
  char ways[8];
  unsigned long long seed;
  size_t length;
  while (scanf("%7s %llu %zu", ways, &seed, &length) == 3 && getchar() == '\n') {
    unsigned char *bytes = malloc(length + 1);
    if (bytes == NULL || fread(bytes, 1, length, stdin) != length) return 1;
    if (strcmp(ways, "poor") == 0) try_poor(bytes, length, (size_t)seed);
    else try_case(bytes, length, ways, (uint64_t)seed);
    free(bytes);
  }
  return 0;
}
