/* fields.c: what the fields of a head mean. */
#ifndef PIPEGATE_FIELDS_H
#define PIPEGATE_FIELDS_H

#include "head.h"
#include "words.h"

/* A field has been read whole. */
void note_field(struct head *head, struct span name, struct span value);
/* All have been: what is wrong with the head, and what it says. */
void judge_head(struct head *head);

#endif
