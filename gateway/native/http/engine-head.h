/* engine-head.c: what uWebSockets gets in the place of a client's head. All of it is written backwards, in front of a body. */
#ifndef PIPEGATE_ENGINE_HEAD_H
#define PIPEGATE_ENGINE_HEAD_H

#include "head.h"

/* Of the fields that agree on a WebSocket no more than this is handed on, but for the key. JavaScript has them all. */
#define AGREEMENT_MOST 2048

#define PUT_BEFORE(end, text) put_before(end, text, sizeof text - 1)

/* Writes that end where something else begins, from the back to the front. */
unsigned char *put_before(unsigned char *end, const char *text, size_t length);
unsigned char *put_number_before(unsigned char *end, uint64_t number);
unsigned char *put_size_before(unsigned char *end, size_t size);
unsigned char *put_head_before(unsigned char *end, const struct head *head);

#endif
