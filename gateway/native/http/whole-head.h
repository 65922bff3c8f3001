/* whole-head.c: a head that has been read, as octets that can be read again. */
#ifndef PIPEGATE_WHOLE_HEAD_H
#define PIPEGATE_WHOLE_HEAD_H

#include "head.h"

/* As many octets are enough for the whole of it. */
size_t whole_head_most(const struct head *head);
/* Writes the request line and the fields of a complete head without a problem. They say what it says. Returns how many octets. */
size_t put_whole_head(const struct head *head, unsigned char *to);

#endif
