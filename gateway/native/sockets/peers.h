/* peers.c: finds clients whose machine is gone. */
#ifndef PIPEGATE_PEERS_H
#define PIPEGATE_PEERS_H

#include <stdbool.h>

/* After how many seconds of silence a client's machine is gone, for ports that are opened from now on. 0: never. */
void watch_peers(int seconds);
/* The socket is about to listen: what it accepts is watched. */
void watch_accepted(int listener);
/* The number belongs to a new connection. */
void forget_peer(int fd);
/* Its client has closed its side, and may be gone: look more often. */
void watch_closely(int fd);
/*
 * The client's machine answers nothing, and has not for so many milliseconds. To be asked every few seconds, for the first time says
 * no. A client that only does not read is never one: its machine answers.
 */
bool has_vanished(int fd, int silent_ms);

#endif
