#include "ahead.h"
#include <stdlib.h>
#include <string.h>

/* For all connections together. What is allocated counts, be it in use or not. */
#define MOST_AHEAD_OF_ALL ((size_t)64 * 1024 * 1024)
/* Less is not worth giving back before all of it is. */
#define LEAST_GIVEN_BACK ((size_t)16 * 1024)

static size_t ahead_of_all = 0;

static void give_back(size_t bytes) { __atomic_sub_fetch(&ahead_of_all, bytes, __ATOMIC_RELAXED); }

void forget_ahead(struct ahead *ahead) {
  give_back(ahead->room);
  free(ahead->bytes);
  *ahead = (struct ahead){0};
}

static void move_to_front(struct ahead *ahead) {
  if (ahead->start > 0) memmove(ahead->bytes, ahead->bytes + ahead->start, ahead->length);
  ahead->start = 0;
}

bool keep_ahead(struct ahead *ahead, const unsigned char *bytes, size_t length) {
  if (length == 0) return true;
  move_to_front(ahead);
  size_t needed = ahead->length + length;
  if (needed > ahead->room) {
    size_t more = needed - ahead->room;
    bool fits = __atomic_add_fetch(&ahead_of_all, more, __ATOMIC_RELAXED) <= MOST_AHEAD_OF_ALL;
    unsigned char *grown = fits ? realloc(ahead->bytes, needed) : NULL;
    if (grown == NULL) {
      give_back(more);
      return false;
    }
    ahead->bytes = grown;
    ahead->room = needed;
  }
  memcpy(ahead->bytes + ahead->length, bytes, length);
  ahead->length = needed;
  return true;
}

size_t copy_ahead(const struct ahead *ahead, unsigned char *to, size_t most) {
  size_t length = ahead->length < most ? ahead->length : most;
  if (length > 0) memcpy(to, ahead->bytes + ahead->start, length);
  return length;
}

/* Whenever half of the room is free: so each byte is moved once or twice at most. */
static void shrink(struct ahead *ahead) {
  if (ahead->room < LEAST_GIVEN_BACK || ahead->length > ahead->room / 2) return;
  move_to_front(ahead);
  unsigned char *shrunk = realloc(ahead->bytes, ahead->length);
  if (shrunk == NULL) return;
  give_back(ahead->room - ahead->length);
  ahead->bytes = shrunk;
  ahead->room = ahead->length;
}

void drop_ahead(struct ahead *ahead, size_t length) {
  if (length >= ahead->length) {
    forget_ahead(ahead);
    return;
  }
  ahead->start += length;
  ahead->length -= length;
  shrink(ahead);
}
