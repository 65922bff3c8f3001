/* sockets.c: what can be asked of a socket, and done to it. */
#ifndef PIPEGATE_SOCKETS_H
#define PIPEGATE_SOCKETS_H

#include "common.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Take the places of accept4() and bind(). */
int helped_accept4(int listener, struct sockaddr *address, socklen_t *length, int flags);
int helped_bind(int fd, const struct sockaddr *address, socklen_t length);
/* Over sockets that are bound from now on TLS is spoken, with the certificates in this place. 0: it is not. */
void open_for_tls(int place);
/* Connections closed unread since the start, because no descriptor was left for them. */
uint32_t connections_turned_away(void);
/* Bytes that were sent and that the peer's machine has not acknowledged. */
int queued_bytes(int fd);
/* No more than `most` bytes are on their way, and the kernel takes a few hundred more for certain. */
bool has_room(int fd, int most);
/* Over plain TCP, before the status line: 100 to a client that expects it, 102 to one that has closed its side. */
void send_interim(int fd, int status);
/* The peer has closed its side, or reset, although unread bytes may be left. */
bool peer_is_gone(int fd);
/* The peer has closed its side, and has not reset. */
bool peer_only_closed_its_side(int fd);
/* When the socket is closed its peer is told that the connection failed. */
void reset_at_close(int fd);
/* The peer's address as dotted text. False: it has no IPv4 address, or it is not known. */
bool ipv4_of_peer(int fd, char *text, size_t room);

#endif
