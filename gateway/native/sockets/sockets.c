/*
 * What uWebSockets.js cannot be asked for in JavaScript, asked of the sockets below it or done to them.
 *
 * 1. Whether the peer of a socket is gone can be asked. A paused socket is not polled, so nobody would ever tell.
 * 2. An interim response can be sent. A peer that died while its body waits to be read is found out only by sending, for
 *    its own FIN stands behind that body; and before the final status nothing else may be sent.
 * 3. Whether a socket has room can be asked. A response that is ended while bytes of it are still in uWebSockets' buffer is
 *    closed after thirty seconds without progress, and nobody is told; so it is ended when there is room for its last bytes,
 *    and when the peer's machine has acknowledged nearly all that came before.
 * 4. What the peer's machine has not acknowledged can be asked. The kernel takes megabytes for a slow receiver and then says
 *    nothing until a third of them has gone, and one that reads all the time would look as if it had stalled.
 * 5. A process that has no descriptor left for a connection turns it away. uSockets leaves it in the queue, is told of it again
 *    at once, and does nothing else from then on.
 * 6. A port can be opened again at once after a restart. uSockets does not say SO_REUSEADDR for a port of its own, and connections
 *    that the gateway before has closed keep the port for a minute. Two that listen still exclude each other.
 */
#include "sockets.h"
#include "peers.h"
#include "reads.h"
#include "secure.h"
#include "writes.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Kept for turning away whoever comes when there is none left. One for each thread, for each may listen. */
static _Thread_local int spare_fd = -1;
static uint32_t turned_away = 0;

/* Where the certificates of sockets that listen from now on are, and of each; 0: those are not for TLS. */
static _Thread_local int opens_with = 0;
static int speaks_with[MOST_SOCKETS];

void open_for_tls(int place) { opens_with = place; }

uint32_t connections_turned_away(void) { return __atomic_load_n(&turned_away, __ATOMIC_RELAXED); }

/* Unread: there is nothing to serve it with. */
static int close_unread(int fd) {
  close(fd);
  __atomic_add_fetch(&turned_away, 1, __ATOMIC_RELAXED);
  errno = EAGAIN;
  return -1;
}

static int turn_away(int listener) {
  close(spare_fd);
  int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd >= 0) close_unread(fd);
  spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  errno = EAGAIN;
  return -1;
}

int helped_accept4(int listener, struct sockaddr *address, socklen_t *length, int flags) {
  if (spare_fd < 0) spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  int fd = accept4(listener, address, length, flags);
  if (fd < 0) return (errno == EMFILE || errno == ENFILE) && spare_fd >= 0 ? turn_away(listener) : fd;
  /* Nobody would remember where its requests begin. */
  if (fd >= MOST_SOCKETS) return close_unread(fd);
  forget_reads(fd, true);
  forget_secure(fd);
  int place = listener < MOST_SOCKETS ? speaks_with[listener] : 0;
  if (place > 0 && !secure(fd, place)) return close_unread(fd);
  forget_writes(fd);
  forget_peer(fd);
  return fd;
}

int helped_bind(int fd, const struct sockaddr *address, socklen_t length) {
  int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  watch_accepted(fd);
  if (fd < MOST_SOCKETS) speaks_with[fd] = opens_with;
  return bind(fd, address, length);
}

int queued_bytes(int fd) {
  int bytes = 0;
  bytes = ioctl(fd, SIOCOUTQ, &bytes) == 0 ? bytes : 0;
  return bytes + (int)kept_bytes(fd);
}

bool has_room(int fd, int most) {
  int waiting = queued_bytes(fd);
  struct pollfd polled = {fd, POLLOUT, 0};
  /* An empty buffer has room, without a second system call. */
  return waiting == 0 || (waiting <= most && poll(&polled, 1, 0) > 0);
}

void send_interim(int fd, int status) {
  const char *text = status == 100 ? "HTTP/1.1 100 Continue\r\n\r\n" : "HTTP/1.1 102 Processing\r\n\r\n";
  /* The send buffer is empty, so it is taken whole. What becomes of it is seen by peer_is_gone(). */
  wire_send(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Not known is as if nothing had happened. */
static int state_of(int fd) {
  struct tcp_info tcp;
  socklen_t length = sizeof tcp;
  return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &tcp, &length) == 0 ? tcp.tcpi_state : TCP_ESTABLISHED;
}

bool peer_is_gone(int fd) { return state_of(fd) != TCP_ESTABLISHED; }

bool peer_only_closed_its_side(int fd) { return state_of(fd) == TCP_CLOSE_WAIT; }

void reset_at_close(int fd) {
  struct linger at_once = {1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

bool ipv4_of_peer(int fd, char *text, size_t room) {
  struct sockaddr_storage peer;
  socklen_t length = sizeof peer;
  const void *address = NULL;
  if (getpeername(fd, (struct sockaddr *)&peer, &length) != 0) return false;
  if (peer.ss_family == AF_INET) address = &((struct sockaddr_in *)&peer)->sin_addr;
  if (peer.ss_family == AF_INET6) {
    const struct in6_addr *six = &((struct sockaddr_in6 *)&peer)->sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(six)) address = six->s6_addr + 12;
  }
  return address != NULL && inet_ntop(AF_INET, address, text, (socklen_t)room) != NULL;
}
