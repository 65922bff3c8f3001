#include "ahead.h"
#include <stdlib.h>
#include <string.h>

/* For all connections together. */
#define MOST_AHEAD_OF_ALL ((size_t)64 * 1024 * 1024)

static size_t ahead_of_all = 0;

void forget_ahead(struct ahead *ahead) {
  __atomic_sub_fetch(&ahead_of_all, ahead->length, __ATOMIC_RELAXED);
  free(ahead->bytes);
  ahead->bytes = NULL;
  ahead->length = 0;
}

bool keep_ahead(struct ahead *ahead, const unsigned char *bytes, size_t length) {
  if (length == 0) return true;
  if (__atomic_add_fetch(&ahead_of_all, length, __ATOMIC_RELAXED) > MOST_AHEAD_OF_ALL) {
    __atomic_sub_fetch(&ahead_of_all, length, __ATOMIC_RELAXED);
    return false;
  }
  unsigned char *grown = realloc(ahead->bytes, ahead->length + length);
  if (grown == NULL) {
    __atomic_sub_fetch(&ahead_of_all, length, __ATOMIC_RELAXED);
    return false;
  }
  memcpy(grown + ahead->length, bytes, length);
  ahead->bytes = grown;
  ahead->length += length;
  return true;
}

size_t take_ahead(struct ahead *ahead, unsigned char *to, size_t most) {
  size_t length = ahead->length < most ? ahead->length : most;
  memcpy(to, ahead->bytes, length);
  if (length == ahead->length) {
    forget_ahead(ahead);
  } else {
    __atomic_sub_fetch(&ahead_of_all, length, __ATOMIC_RELAXED);
    ahead->length -= length;
    memmove(ahead->bytes, ahead->bytes + length, ahead->length);
  }
  return length;
}
