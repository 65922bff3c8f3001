/*
 * hand-over.c: connections that change hands between threads, between two of their requests.
 *
 * Each thread owns the names that owner.c gives it. It has a mailbox, which outlives it: what is put into the mailbox of a thread that
 * has died waits for the one that is started in its place.
 *
 * A descriptor is handed over when uSockets closes it, which is the first moment when nothing of the thread knows it any more: libuv has
 * taken it out of its epoll set just before.
 */
#ifndef PIPEGATE_HAND_OVER_H
#define PIPEGATE_HAND_OVER_H

#include "ahead.h"
#include "owner.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A connection, and what has come of its next request and behind it. */
struct parcel {
  struct parcel *next;
  int fd;
  unsigned to;
  size_t length;
  unsigned char octets[];
};

/* Once, before any thread joins. */
void spread_names(const struct naming *naming);
const struct naming *names_are_spread(void);
/* This thread is the one of that number from now on. `ring` is called, by any thread, when its mailbox was empty and is not any more. */
void join_threads(unsigned number, void (*ring)(void *bell), void *bell);
/* Nobody rings any more. What comes waits. */
void leave_threads(void);

/* NULL: there is no memory for it. */
struct parcel *make_parcel(int fd, const struct head *head, const struct ahead *behind);
struct parcel *make_parcel_of(int fd, unsigned to, const unsigned char *octets, size_t length);
void drop_parcel(struct parcel *parcel);
/* Its descriptor is about to be closed, and goes to its owner instead. */
void hand_over_at_close(struct parcel *parcel);
bool is_parting(int fd);
/* Call it in the place of closing it. */
void hand_over(int fd);
/* Puts it into the mailbox of its owner. */
void post(struct parcel *parcel);
/* Takes the next one out of this thread's mailbox and makes it a connection of this thread. Its descriptor; -1: there is none. */
int take_connection(void);
/* By this thread, to others. */
uint64_t connections_given(void);

#endif
