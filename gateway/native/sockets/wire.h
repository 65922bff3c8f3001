/*
 * What goes over a connection: as it is, or over TLS encrypted. secure.c; whoever calls these need not know which.
 *
 * They are as the calls of the system that they are named after, with these differences over TLS: what was sent may be kept here for a
 * while, as far as the kernel takes less than it has said, and kept_bytes() says how much; nothing more is taken before all of it has left. What was
 * received may be kept here as well, of which nobody but has_received() tells. A connection whose end was not announced
 * in TLS has been cut: ECONNRESET.
 */
#ifndef PIPEGATE_WIRE_H
#define PIPEGATE_WIRE_H

#include "common.h"
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

struct secure;
/* By descriptor; NULL: not encrypted. Written and read by the thread that owns the socket. */
extern struct secure *secured[MOST_SOCKETS];

static inline bool is_secured(int fd) { return fd >= 0 && fd < MOST_SOCKETS && secured[fd] != NULL; }

ssize_t secure_recv(int fd, void *bytes, size_t most);
ssize_t secure_send(int fd, const struct iovec *parts, int count);
int secure_shutdown(int fd);
size_t secure_kept(int fd);
bool secure_has_received(int fd);

static inline ssize_t wire_recv(int fd, void *bytes, size_t most, int flags) {
  return is_secured(fd) ? secure_recv(fd, bytes, most) : recv(fd, bytes, most, flags);
}

static inline ssize_t wire_send(int fd, const void *bytes, size_t length, int flags) {
  struct iovec part = {(void *)bytes, length};
  return is_secured(fd) ? secure_send(fd, &part, 1) : send(fd, bytes, length, flags);
}

static inline ssize_t wire_sendmsg(int fd, const struct msghdr *message, int flags) {
  return is_secured(fd) ? secure_send(fd, message->msg_iov, (int)message->msg_iovlen) : sendmsg(fd, message, flags);
}

/* No more is sent. */
static inline int wire_end(int fd) { return is_secured(fd) ? secure_shutdown(fd) : shutdown(fd, SHUT_WR); }

static inline size_t kept_bytes(int fd) { return is_secured(fd) ? secure_kept(fd) : 0; }

static inline bool has_received(int fd) { return is_secured(fd) && secure_has_received(fd); }

#endif
