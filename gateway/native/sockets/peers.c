/*
 * Clients whose machine has lost its power or its network. No FIN and no RST comes of them, and by itself the kernel goes on for
 * 11 to 15 minutes where something is on its way to them, and for ever where nothing is.
 *
 * 1. Where nothing is on its way, the kernel asks: keep-alive. It is set on the socket that listens, and what that accepts has it.
 * 2. Where something is, the kernel repeats it, or asks whether there is room, and does not run keep-alive. So all that waits for an
 *    answer is looked at here: what TCP has repeated in vain, and what it has asked in vain.
 *
 * Not TCP_USER_TIMEOUT: since Linux 5.11 it also ends a connection whose client does not read for so long, although its machine
 * answers each time that it is asked for room.
 *
 * The time since the last answer alone says nothing: a connection on which nothing happens has none, and a client that does not read
 * is asked every two minutes in the end. So it counts only while something is unanswered. Since Linux 6.15 the time between two
 * questions can be bounded, without which a client that has not read for a long time, and then vanishes, is found after six minutes.
 */
#include "peers.h"
#include "common.h"
#include "sockets.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>

/* Known since Linux 6.15. */
#ifndef TCP_RTO_MAX_MS
#define TCP_RTO_MAX_MS 44
#endif

/* Questions for room without an answer that are not bad luck: one may be lost, and the last one may still be on its way. */
#define PROBES 3
/* The kernel's own limit is behind ours, which can say why. */
#define PROBES_MOST 8

static int timeout_seconds = 0;

/* Since when a connection has had no answer, as far as it has been looked at, in milliseconds. 0: it has. */
static int64_t unanswered_since[MOST_SOCKETS];

void watch_peers(int seconds) { timeout_seconds = seconds; }

static void set(int fd, int option, int value) { setsockopt(fd, IPPROTO_TCP, option, &value, sizeof value); }

static int at_least_one(int value) { return value > 0 ? value : 1; }

static void keep_alive(int fd, int idle, int interval) {
  int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  set(fd, TCP_KEEPIDLE, idle);
  set(fd, TCP_KEEPINTVL, interval);
}

void watch_accepted(int listener) {
  int seconds = timeout_seconds;
  if (seconds <= 0) return;
  keep_alive(listener, at_least_one(seconds / 2), at_least_one(seconds / 8));
  set(listener, TCP_KEEPCNT, PROBES_MOST);
  set(listener, TCP_RTO_MAX_MS, seconds <= 8 ? 1000 : seconds * 125);
}

void forget_peer(int fd) {
  if (fd < MOST_SOCKETS) unanswered_since[fd] = 0;
}

void watch_closely(int fd) {
  if (timeout_seconds <= 0 || timeout_seconds > 20) keep_alive(fd, 10, 10);
}

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool has_vanished(int fd, int silent_ms) {
  struct tcp_info tcp = {0};
  socklen_t length = sizeof tcp;
  if (fd < 0 || fd >= MOST_SOCKETS || getsockopt(fd, IPPROTO_TCP, TCP_INFO, &tcp, &length) != 0) return false;
  int64_t *since = &unanswered_since[fd];
  bool repeats = tcp.tcpi_unacked > 0 && tcp.tcpi_retransmits > 0;
  /*
   * Keep-alive asks again and again within the time-out, but what does not leave this machine, because nobody answers for the address
   * on a local network, is not counted.
   */
  bool asks = tcp.tcpi_probes >= PROBES || (tcp.tcpi_probes > 0 && queued_bytes(fd) == 0);
  if (!repeats && !asks) {
    *since = 0;
    return false;
  }
  /* Data that brings no news of what it acknowledges counts as data only. */
  int64_t silent = tcp.tcpi_last_ack_recv < tcp.tcpi_last_data_recv ? tcp.tcpi_last_ack_recv : tcp.tcpi_last_data_recv;
  int64_t now = now_ms();
  if (*since == 0 || now - silent > *since) {
    *since = now;
    return false;
  }
  /* Questions have been asked for a while. What is repeated may have been sent just now, after a long silence. */
  return asks ? silent >= silent_ms : now - *since >= silent_ms;
}
