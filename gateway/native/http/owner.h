/*
 * owner.c: which of several threads has the name that a request asks for.
 *
 * Two targets that refer to the same name have the same owner: prefix and bare form, escapes in either case, raw UTF-8 or escaped,
 * any query. gateway/http/address.ts says what a name is; a test compares the two.
 */
#ifndef PIPEGATE_OWNER_H
#define PIPEGATE_OWNER_H

#include "head.h"

#define PREFIX_MOST 1024
#define THREADS_MOST 64

/* How names are found in targets, and how many threads they are spread over. */
struct naming {
  char prefix[PREFIX_MOST];
  size_t prefix_length;
  unsigned threads;
};

unsigned owner_of_target(const struct naming *naming, const char *target, size_t length);
/* Of a complete head without a problem. */
unsigned owner_of_head(const struct naming *naming, const struct head *head);

#endif
