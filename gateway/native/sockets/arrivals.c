/*
 * What of a connection's output has reached its peer's machine.
 *
 * A job that is given to a worker may be given to another one as long as nothing of it has arrived. So what has must be known when
 * it matters most: when the connection has gone. uSockets closes a socket before it tells of that, and its number belongs to
 * the next connection at once. So the last moment at which the kernel can be asked is the call that closes it.
 *
 * The kernel goes on sending what a closed socket has left behind, for minutes. A worker whose network comes back would get a job
 * that another one has done. So a connection on which nothing has arrived is closed by a reset, which drops what is on its way.
 */
#include "arrivals.h"
#include "common.h"
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct arrival {
  int fd;
  bool used;
  bool open;
  /* Where in the output what must not get lost begins. */
  uint64_t start;
  /* Of a connection that has gone. */
  uint64_t written;
  uint64_t acknowledged;
  /* The next one on the same connection, or the next free one. 0: none. */
  int next;
};

/* From 1 on; of this thread. */
static _Thread_local struct arrival *arrivals;
static _Thread_local int room;
static _Thread_local int free_ones;
/* The first one of each socket. */
static int followed[MOST_SOCKETS];

static struct arrival *arrival_of(int id) { return id > 0 && id < room && arrivals[id].used ? &arrivals[id] : NULL; }

/* False: nothing is known of it. */
static bool ask(int fd, uint64_t *written, uint64_t *acknowledged) {
  struct tcp_info tcp;
  socklen_t length = sizeof tcp;
  memset(&tcp, 0, sizeof tcp);
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &tcp, &length) != 0) return false;
  /* Of what was sent again only the first time counts. */
  *written = tcp.tcpi_bytes_sent - tcp.tcpi_bytes_retrans + tcp.tcpi_notsent_bytes;
  *acknowledged = tcp.tcpi_bytes_acked;
  return true;
}

static bool grow(void) {
  int more = room == 0 ? 64 : 2 * room;
  struct arrival *all = realloc(arrivals, (size_t)more * sizeof *all);
  if (all == NULL) return false;
  memset(all + room, 0, (size_t)(more - room) * sizeof *all);
  arrivals = all;
  for (int id = more - 1; id >= (room == 0 ? 1 : room); id--) {
    arrivals[id].next = free_ones;
    free_ones = id;
  }
  room = more;
  return true;
}

int follow(int fd) {
  uint64_t written;
  uint64_t acknowledged;
  if (fd < 0 || fd >= MOST_SOCKETS || !ask(fd, &written, &acknowledged)) return 0;
  if (free_ones == 0 && !grow()) return 0;
  int id = free_ones;
  free_ones = arrivals[id].next;
  arrivals[id] = (struct arrival){.fd = fd, .used = true, .open = true, .start = UINT64_MAX, .next = followed[fd]};
  followed[fd] = id;
  return id;
}

/* Takes it off the list of its socket. */
static void unlink_arrival(int id) {
  int *at = &followed[arrivals[id].fd];
  while (*at != 0 && *at != id) at = &arrivals[*at].next;
  if (*at == id) *at = arrivals[id].next;
}

void forget_arrival(int id) {
  struct arrival *arrival = arrival_of(id);
  if (arrival == NULL) return;
  if (arrival->open) unlink_arrival(id);
  *arrival = (struct arrival){.next = free_ones};
  free_ones = id;
}

/* What is known now is all that will ever be. */
static void close_arrival(struct arrival *arrival) {
  arrival->open = false;
  ask(arrival->fd, &arrival->written, &arrival->acknowledged);
}

static bool arrives(const struct arrival *arrival) { return arrival->acknowledged > arrival->start; }

int helped_close(int fd) {
  if (fd < 0 || fd >= MOST_SOCKETS || followed[fd] == 0) return close(fd);
  bool is_lost = false;
  for (int id = followed[fd]; id != 0; id = arrivals[id].next) {
    close_arrival(&arrivals[id]);
    is_lost = is_lost || !arrives(&arrivals[id]);
  }
  followed[fd] = 0;
  if (is_lost) {
    struct linger at_once = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  return close(fd);
}

static void look(struct arrival *arrival) {
  if (arrival->open) ask(arrival->fd, &arrival->written, &arrival->acknowledged);
}

uint64_t bytes_written(int id) {
  struct arrival *arrival = arrival_of(id);
  if (arrival == NULL) return 0;
  look(arrival);
  return arrival->written;
}

uint64_t bytes_acknowledged(int id) {
  struct arrival *arrival = arrival_of(id);
  if (arrival == NULL) return 0;
  look(arrival);
  return arrival->acknowledged;
}

void begins_at(int id, uint64_t offset) {
  struct arrival *arrival = arrival_of(id);
  if (arrival != NULL) arrival->start = offset;
}

bool has_arrived(int id) {
  struct arrival *arrival = arrival_of(id);
  if (arrival == NULL) return true;
  look(arrival);
  return arrives(arrival);
}

bool is_followed(int id) {
  struct arrival *arrival = arrival_of(id);
  return arrival != NULL && arrival->open;
}

void abandon(int id) {
  struct arrival *arrival = arrival_of(id);
  struct sockaddr nobody = {.sa_family = AF_UNSPEC};
  if (arrival == NULL || !arrival->open) return;
  int fd = arrival->fd;
  for (int each = followed[fd]; each != 0; each = arrivals[each].next) close_arrival(&arrivals[each]);
  followed[fd] = 0;
  /* What is on its way is dropped, and the peer is told by a reset. uSockets finds the connection at its end. */
  if (!arrives(arrival)) connect(fd, &nobody, sizeof nobody);
}
