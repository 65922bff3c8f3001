/* arrivals.c: what of a connection's output has reached its peer's machine, also when the connection has gone. */
#ifndef PIPEGATE_ARRIVALS_H
#define PIPEGATE_ARRIVALS_H

#include <stdbool.h>
#include <stdint.h>

/* Takes the place of close(). */
int helped_close(int fd);
/* While its response is awaited: the client is there, as far as can be told now. */
bool client_is_here(int fd);
/* Follows the connection, from now until forget_arrival(). Returns a number of this thread's own, above 0; 0: it cannot be followed. */
int follow(int fd);
void forget_arrival(int id);
/* Bytes that have been sent on the connection so far, and of these the ones that the peer's machine has acknowledged. */
uint64_t bytes_written(int id);
uint64_t bytes_acknowledged(int id);
/* What must not get lost begins behind so many bytes of the output. */
void begins_at(int id, uint64_t offset);
/* A byte of it has been acknowledged. */
bool has_arrived(int id);
/* The descriptor by which the connection is followed; -1: it is over. */
int followed_by(int id);
/* Ends the connection at once, with all that is on its way, unless a byte of that has arrived. */
void abandon(int id);

#endif
