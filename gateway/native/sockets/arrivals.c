/*
 * What of a connection's output has reached its peer's machine.
 *
 * A job that is given to a worker may be given to another one as long as nothing of it has arrived. So what has must be known when
 * it matters most: when the connection has gone. uSockets closes a socket before it tells of that, and its number belongs to
 * the next connection at once. So the last moment at which the kernel can be asked is the call that closes it. A connection
 * whose end has been sent is kept by another descriptor instead, until all of it has arrived: uWebSockets closes some at once.
 *
 * The kernel goes on sending what a closed socket has left behind, for minutes. A worker whose network comes back would get a job
 * that another one has done. So a connection on which nothing has arrived is closed by a reset, which drops what is on its way.
 */
#include "arrivals.h"
#include "common.h"
#include "hand-over.h"
#include "peers.h"
#include "reads.h"
#include "secure.h"
#include "sockets.h"
#include "writes.h"
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* netinet/tcp.h names these, but its tcp_info is an old one, and it cannot stand beside the kernel's. */
enum { FIN_WAIT1 = 4, CLOSED = 7, LAST_ACK = 9, CLOSING = 11 };

struct arrival {
  int fd;
  bool used;
  bool open;
  /* The descriptor is one of our own. */
  bool is_kept;
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
static bool ask(int fd, struct tcp_info *tcp) {
  socklen_t length = sizeof *tcp;
  memset(tcp, 0, sizeof *tcp);
  return getsockopt(fd, IPPROTO_TCP, TCP_INFO, tcp, &length) == 0;
}

static void look(struct arrival *arrival) {
  struct tcp_info tcp;
  if (!arrival->open || !ask(arrival->fd, &tcp)) return;
  /* Of what was sent again only the first time counts. */
  arrival->written = tcp.tcpi_bytes_sent - tcp.tcpi_bytes_retrans + tcp.tcpi_notsent_bytes + kept_bytes(arrival->fd);
  arrival->acknowledged = tcp.tcpi_bytes_acked;
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

/* Whoever has closed its side and is still there has acknowledged what it was asked then, and whoever is not resets. */
bool client_is_here(int fd) {
  if (!peer_is_gone(fd)) return true;
  return client_has_ended(fd) && may_send_interim(fd) && peer_only_closed_its_side(fd) && queued_bytes(fd) == 0;
}

int follow(int fd) {
  struct tcp_info tcp;
  if (fd < 0 || fd >= MOST_SOCKETS || !ask(fd, &tcp)) return 0;
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
  if (arrival->is_kept) close(arrival->fd);
  *arrival = (struct arrival){.next = free_ones};
  free_ones = id;
}

/* What is known now is all that will ever be. */
static void close_arrival(struct arrival *arrival) {
  look(arrival);
  arrival->open = false;
}

static bool arrives(const struct arrival *arrival) { return arrival->acknowledged > arrival->start; }

/* Its end has been sent, and is on its way behind the rest. */
static bool is_ending(int fd) {
  struct tcp_info tcp;
  return ask(fd, &tcp) && (tcp.tcpi_state == FIN_WAIT1 || tcp.tcpi_state == CLOSING || tcp.tcpi_state == LAST_ACK);
}

static bool keep(struct arrival *arrival) {
  int fd = fcntl(arrival->fd, F_DUPFD_CLOEXEC, 0);
  if (fd < 0) return false;
  /* Nothing of it waits anywhere else. */
  forget_writes(fd);
  forget_peer(fd);
  arrival->fd = fd;
  arrival->is_kept = true;
  return true;
}

/* The connection goes on elsewhere, and what is followed of it is followed by descriptors of its own. */
static void keep_all(int fd) {
  for (int id = followed[fd], next; id != 0; id = next) {
    next = arrivals[id].next;
    if (!keep(&arrivals[id])) close_arrival(&arrivals[id]);
  }
  followed[fd] = 0;
}

int helped_close(int fd) {
  if (is_parting(fd)) {
    keep_all(fd);
    hand_over(fd);
    return 0;
  }
  /* Between two requests nothing is missing. */
  if (is_secured(fd) && is_between_requests(fd)) wire_end(fd);
  drop_unread(fd);
  forget_secure(fd);
  if (fd < 0 || fd >= MOST_SOCKETS || followed[fd] == 0) return close(fd);
  bool ends = is_ending(fd);
  bool is_lost = false;
  for (int id = followed[fd], next; id != 0; id = next) {
    next = arrivals[id].next;
    if (ends && keep(&arrivals[id])) continue;
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

int followed_by(int id) {
  struct arrival *arrival = arrival_of(id);
  struct tcp_info tcp;
  if (arrival == NULL || !arrival->open) return -1;
  /* Nobody else would tell. */
  if (arrival->is_kept && ask(arrival->fd, &tcp) && tcp.tcpi_state == CLOSED) close_arrival(arrival);
  return arrival->open ? arrival->fd : -1;
}

void abandon(int id) {
  struct arrival *arrival = arrival_of(id);
  static const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
  if (arrival == NULL || !arrival->open) return;
  int fd = arrival->fd;
  if (arrival->is_kept) {
    close_arrival(arrival);
  } else {
    for (int each = followed[fd]; each != 0; each = arrivals[each].next) close_arrival(&arrivals[each]);
    followed[fd] = 0;
  }
  /* What is on its way is dropped, and the peer is told by a reset. uSockets finds the connection at its end. */
  if (!arrives(arrival)) connect(fd, &nobody, sizeof nobody);
}
