/*
 * For libFuzzer, with ASan and UBSan: whatever a client sends, and however it is cut and answered, the same comes out, and it is
 * sound (drive.c checks that). The first eight bytes of an input say how it is cut; the rest is what the client sends.
 */
#define _GNU_SOURCE
#include "drive.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void compare(const struct log *expected, const unsigned char *bytes, size_t length, struct cuts cuts, enum answer answer) {
  struct log log = {0};
  drive(bytes, length, cuts, answer, &log);
  if (log.length != expected->length || (log.length > 0 && memcmp(log.text, expected->text, log.length) != 0)) {
    fprintf(stderr, "whole:\n%.*s\ncut:\n%.*s\n", (int)expected->length, expected->text, (int)log.length, log.text);
    abort();
  }
  free(log.text);
}

/* With little memory for half heads nothing is promised but that it is kept to, and given back. */
static void starve(const unsigned char *bytes, size_t length, uint64_t random) {
  struct log log = {0};
  limit_memory((size_t)(random % 6000));
  drive(bytes, length, (struct cuts){.next = cut_anywhere, .random = random}, AT_ONCE, &log);
  limit_memory(1 << 24);
  free(log.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size) {
  uint64_t random;
  if (size < sizeof random) return 0;
  memcpy(&random, input, sizeof random);
  const unsigned char *bytes = input + sizeof random;
  size_t length = size - sizeof random;
  struct log expected = {0};
  drive(bytes, length, (struct cuts){.next = cut_nowhere}, AT_ONCE, &expected);
  compare(&expected, bytes, length, (struct cuts){.next = cut_evenly, .at = 1}, EARLY);
  compare(&expected, bytes, length, (struct cuts){.next = cut_once, .at = (size_t)(random % (length + 1))}, AT_ONCE);
  compare(&expected, bytes, length, (struct cuts){.next = cut_anywhere, .random = random}, LATE);
  compare(&expected, bytes, length, (struct cuts){.next = cut_anywhere, .random = ~random}, AT_ONCE);
  starve(bytes, length, random);
  free(expected.text);
  return 0;
}
