#include "door.h"
#include "arrivals.h"
#include "hand-over.h"
#include "secure.h"
#include "sockets.h"
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 512
/* What is read of a new connection. */
#define FIRST_READ ((size_t)16 * 1024)

static int listener = -1;
static int closing = -1;
static pthread_t thread;

/* --- whose it is */

static unsigned next_thread(void) {
  static unsigned turn = 0;
  return turn++ % names_are_spread()->threads;
}

static unsigned owner_of(const unsigned char *octets, size_t length) {
  static char text[FIRST_READ];
  struct head head = {.text = text};
  head_take(&head, octets, length);
  if (!head_is_over(&head) || head.problem != PROBLEM_NONE) return next_thread();
  return owner_of_head(names_are_spread(), &head);
}

/* What is encrypted says no name: each thread in turn shakes hands, and passes on who wants another one's names. */
static void welcome(int fd) {
  static unsigned char octets[FIRST_READ];
  ssize_t got = is_secured(fd) ? 0 : recv(fd, octets, sizeof octets, MSG_DONTWAIT);
  if (got < 0 && errno != EAGAIN && errno != EINTR) {
    close(fd);
    return;
  }
  size_t length = got > 0 ? (size_t)got : 0;
  struct parcel *parcel = make_parcel_of(fd, owner_of(octets, length), octets, length);
  if (parcel == NULL) helped_close(fd);
  else post(parcel);
}

/* --- accepting */

static void accept_all(void) {
  for (;;) {
    int fd = helped_accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) welcome(fd);
    else if (errno != EINTR && errno != ECONNABORTED) return;
  }
}

static void *accept_until_closed(void *nothing) {
  struct pollfd polled[] = {{listener, POLLIN, 0}, {closing, POLLIN, 0}};
  while (polled[1].revents == 0) {
    if (poll(polled, 2, -1) < 0) continue;
    if (polled[0].revents != 0) accept_all();
  }
  return nothing;
}

/* --- opening */

static int bound(const struct addrinfo *address) {
  int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
  if (fd < 0) return -errno;
  int off = 0;
  if (address->ai_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  /* Most clients send at once: so there is something to read when they are accepted. Who does not comes a second later. */
  int seconds = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof seconds);
  if (helped_bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0) return fd;
  int error = errno;
  close(fd);
  return -error;
}

/* As uSockets does: an address of IPv6 first, which takes IPv4 as well. */
static int bound_to(const char *host, int port) {
  static const int FAMILIES[] = {AF_INET6, AF_INET};
  struct addrinfo hints = {.ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM};
  struct addrinfo *found;
  char service[16];
  snprintf(service, sizeof service, "%d", port);
  if (getaddrinfo(host, service, &hints, &found) != 0) return -EADDRNOTAVAIL;
  int fd = -EADDRNOTAVAIL;
  for (int i = 0; i < 2; i++) {
    for (const struct addrinfo *each = found; fd < 0 && each != NULL; each = each->ai_next) {
      if (each->ai_family == FAMILIES[i]) fd = bound(each);
    }
  }
  freeaddrinfo(found);
  return fd;
}

static int port_of(int fd) {
  struct sockaddr_in6 address = {0};
  socklen_t length = sizeof address;
  /* The port is in the same place of both. */
  return getsockname(fd, (struct sockaddr *)&address, &length) == 0 ? ntohs(address.sin6_port) : -errno;
}

/* Signals are for the others. */
static int start_thread(void) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int error = pthread_create(&thread, NULL, accept_until_closed, NULL);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return error;
}

int open_door(const char *host, int port) {
  int fd = bound_to(host, port);
  if (fd < 0) return fd;
  listener = fd;
  closing = eventfd(0, EFD_CLOEXEC);
  int error = closing < 0 ? errno : start_thread();
  if (error == 0) return port_of(fd);
  if (closing >= 0) close(closing);
  close(fd);
  listener = closing = -1;
  return -error;
}

void close_door(void) {
  if (listener < 0) return;
  if (eventfd_write(closing, 1) != 0) return;
  pthread_join(thread, NULL);
  close(closing);
  close(listener);
  listener = closing = -1;
}
