/* bare.c: makes a response to HTTP/1.0 of one of HTTP/1.1. */
#ifndef PIPEGATE_BARE_H
#define PIPEGATE_BARE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum bare_place {
  BARE_VERSION,
  BARE_LINE,
  BARE_IN_LINE,
  BARE_HEAD_LF,
  BARE_BODY,
  BARE_DATA,
  /* From here on it is framing. */
  BARE_SIZE,
  BARE_SIZE_LF,
  BARE_DATA_CR,
  BARE_DATA_LF
};

/* Where a response is. All zero: at its start. */
struct bare {
  enum bare_place place;
  /* Its head says that it is chunked. */
  bool chunked;
  /* How much of the version is done, the size being read, or how much of the chunk is still to come. */
  uint64_t size;
};

/*
 * Sends the head as one of HTTP/1.0 without "Transfer-Encoding: chunked", and of the body the data only. Returns how many bytes were dealt with; -1
 * with errno when that is none.
 */
ssize_t bare_send(struct bare *bare, int fd, const unsigned char *bytes, size_t length, int flags);

#endif
