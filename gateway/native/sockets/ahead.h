/* ahead.c: what has been read of a connection before its time, within a budget for all connections and threads. */
#ifndef PIPEGATE_AHEAD_H
#define PIPEGATE_AHEAD_H

#include <stdbool.h>
#include <stddef.h>

/* All zero: nothing. */
struct ahead {
  unsigned char *bytes;
  /* Where it starts, and what has been allocated. */
  size_t start;
  size_t length;
  size_t room;
};

/* Puts these bytes behind the others. False: there is no memory for them, and nothing has changed. */
bool keep_ahead(struct ahead *ahead, const unsigned char *bytes, size_t length);
/* Copies up to `most` bytes from the front, and returns how many. They stay until drop_ahead(). */
size_t copy_ahead(const struct ahead *ahead, unsigned char *to, size_t most);
/* Drops so many bytes from the front. */
void drop_ahead(struct ahead *ahead, size_t length);
void forget_ahead(struct ahead *ahead);

#endif
