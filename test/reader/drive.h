/*
 * Drives the reader over a connection's bytes, cut in some way, and writes down what uWebSockets would have made of its
 * output: for driver.c, which the tests ask, and for fuzz.c. Whatever the reader promises in any case is checked here; a
 * broken promise ends the process.
 */
#ifndef PIPEGATE_DRIVE_H
#define PIPEGATE_DRIVE_H

#include <stddef.h>
#include <stdint.h>

/* When a response is over. */
enum answer {
  /* As soon as the request is. */
  AT_ONCE,
  /* When its head has come, so before the body. */
  EARLY,
  /* When all bytes have come: what is behind the request waits. */
  LATE,
  ANSWERS
};

/* The end of the next read, for a read that starts at `from`: more than that, and no more than `length`. */
struct cuts {
  size_t (*next)(struct cuts *cuts, size_t from, size_t length);
  size_t at;
  uint64_t random;
};

/* What came out, as lines. All zero: nothing. */
struct log {
  char *text;
  size_t length;
  size_t room;
};

void drive(const unsigned char *bytes, size_t length, struct cuts cuts, enum answer answer, struct log *log);

/* Half heads may take so much memory from here on, and drive() sees to it that they take no more. */
void limit_memory(size_t bytes);

size_t cut_nowhere(struct cuts *cuts, size_t from, size_t length);
/* At cuts.at alone. */
size_t cut_once(struct cuts *cuts, size_t from, size_t length);
/* Into pieces of cuts.at bytes. */
size_t cut_evenly(struct cuts *cuts, size_t from, size_t length);
/* Into small and large pieces, from cuts.random. */
size_t cut_anywhere(struct cuts *cuts, size_t from, size_t length);

#endif
