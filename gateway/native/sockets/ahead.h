/* ahead.c: what has been read of a connection before its time, within a budget for all connections and threads. */
#ifndef PIPEGATE_AHEAD_H
#define PIPEGATE_AHEAD_H

#include <stdbool.h>
#include <stddef.h>

/* All zero: nothing. */
struct ahead {
  unsigned char *bytes;
  size_t length;
};

/* Puts these bytes behind the others. False: there is no memory for them. */
bool keep_ahead(struct ahead *ahead, const unsigned char *bytes, size_t length);
/* Moves up to `most` bytes, and returns how many. */
size_t take_ahead(struct ahead *ahead, unsigned char *to, size_t most);
void forget_ahead(struct ahead *ahead);

#endif
