/*
 * half-heads.c: heads of which a part has come. They are kept in memory of their own until the rest comes, within a budget for all
 * connections and threads.
 */
#ifndef PIPEGATE_HALF_HEADS_H
#define PIPEGATE_HALF_HEADS_H

#include "head.h"

/* Only as much of it is allocated as its text needs. */
struct half_head {
  size_t room;
  struct head head;
  char text[];
};

/* Sees to it that the half head has this much room, and makes one if there is none. False: there is no memory for it. */
bool make_room(struct half_head **half, size_t needed);
/* Keeps what has come of a head. False: there is no memory for it. */
bool keep_half(struct half_head **half, const struct head *head);
void drop_half(struct half_head **half);

/* The memory that half heads take, in bytes, and how much they may. */
size_t half_heads_used(void);
void limit_half_heads(size_t bytes);

#endif
