#include "hand-over.h"
#include "common.h"
#include "peers.h"
#include "reads.h"
#include "whole-head.h"
#include "writes.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct mailbox {
  pthread_mutex_t lock;
  struct parcel *first;
  struct parcel *last;
  void (*ring)(void *bell);
  void *bell;
};

static struct mailbox mailboxes[THREADS_MOST];
static struct naming spread = {.threads = 1};

/* What its descriptor is handed over with. Written and read by the thread that owns the socket. */
static struct parcel *parting[MOST_SOCKETS];

static _Thread_local unsigned own_number = THREADS_MOST;
static _Thread_local uint64_t given = 0;

/* --- who has what */

static bool is_elsewhere(const struct head *head) { return owner_of_head(&spread, head) != own_number; }

void spread_names(const struct naming *naming) {
  spread = *naming;
  for (unsigned i = 0; i < THREADS_MOST; i++) pthread_mutex_init(&mailboxes[i].lock, NULL);
}

const struct naming *names_are_spread(void) { return &spread; }

void join_threads(unsigned number, void (*ring)(void *bell), void *bell) {
  struct mailbox *mailbox = &mailboxes[number];
  own_number = number;
  give_away_if(spread.threads > 1 ? is_elsewhere : NULL);
  pthread_mutex_lock(&mailbox->lock);
  mailbox->ring = ring;
  mailbox->bell = bell;
  if (mailbox->first != NULL) ring(bell);
  pthread_mutex_unlock(&mailbox->lock);
}

void leave_threads(void) {
  if (own_number == THREADS_MOST) return;
  struct mailbox *mailbox = &mailboxes[own_number];
  pthread_mutex_lock(&mailbox->lock);
  mailbox->ring = NULL;
  pthread_mutex_unlock(&mailbox->lock);
  own_number = THREADS_MOST;
  give_away_if(NULL);
}

/* --- parcels */

static struct parcel *new_parcel(int fd, unsigned to, size_t room) {
  struct parcel *parcel = malloc(sizeof *parcel + room);
  if (parcel != NULL) *parcel = (struct parcel){.fd = fd, .to = to};
  return parcel;
}

struct parcel *make_parcel(int fd, const struct head *head, const struct ahead *behind) {
  struct parcel *parcel = new_parcel(fd, owner_of_head(&spread, head), whole_head_most(head) + behind->length);
  if (parcel == NULL) return NULL;
  parcel->length = put_whole_head(head, parcel->octets);
  parcel->length += copy_ahead(behind, parcel->octets + parcel->length, behind->length);
  return parcel;
}

struct parcel *make_parcel_of(int fd, unsigned to, const unsigned char *octets, size_t length) {
  struct parcel *parcel = new_parcel(fd, to, length);
  if (parcel == NULL) return NULL;
  memcpy(parcel->octets, octets, length);
  parcel->length = length;
  return parcel;
}

void drop_parcel(struct parcel *parcel) { free(parcel); }

/* --- from hand to hand */

void hand_over_at_close(struct parcel *parcel) { parting[parcel->fd] = parcel; }

bool is_parting(int fd) { return fd >= 0 && fd < MOST_SOCKETS && parting[fd] != NULL; }

void hand_over(int fd) {
  struct parcel *parcel = parting[fd];
  parting[fd] = NULL;
  given++;
  post(parcel);
}

void post(struct parcel *parcel) {
  struct mailbox *mailbox = &mailboxes[parcel->to];
  pthread_mutex_lock(&mailbox->lock);
  bool was_empty = mailbox->first == NULL;
  if (was_empty) mailbox->first = parcel;
  else mailbox->last->next = parcel;
  mailbox->last = parcel;
  /* Inside, because the thread may leave. */
  if (was_empty && mailbox->ring != NULL) mailbox->ring(mailbox->bell);
  pthread_mutex_unlock(&mailbox->lock);
}

static struct parcel *take_parcel(struct mailbox *mailbox) {
  pthread_mutex_lock(&mailbox->lock);
  struct parcel *parcel = mailbox->first;
  if (parcel != NULL) mailbox->first = parcel->next;
  pthread_mutex_unlock(&mailbox->lock);
  return parcel;
}

int take_connection(void) {
  if (own_number == THREADS_MOST) return -1;
  struct parcel *parcel;
  while ((parcel = take_parcel(&mailboxes[own_number])) != NULL) {
    int fd = parcel->fd;
    forget_writes(fd);
    forget_peer(fd);
    bool begins = begin_with(fd, parcel->octets, parcel->length);
    drop_parcel(parcel);
    if (begins) return fd;
    close(fd);
  }
  return -1;
}

uint64_t connections_given(void) { return given; }
