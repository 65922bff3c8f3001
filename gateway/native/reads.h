/* reads.c: what is done to the reads of uWebSockets. */
#ifndef PIPEGATE_READS_H
#define PIPEGATE_READS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The most that one read brings, in bytes: usually, and from a socket that expects bulk. */
extern size_t usual_read;
extern size_t bulk_read;

/* Takes the place of recv(). */
ssize_t helped_recv(int fd, void *buffer, size_t length, int flags);
/* The socket that this thread read last, which is the one whose request is being handled. -1: none. */
int socket_read_last(void);
/* The number belongs to a new connection. */
void forget_reads(int fd);
/* Whatever the peer sends ends the connection. */
void mute_reads(int fd, bool on);
/* The last request of this connection has been answered: nothing after it is a request. */
void spend(int fd);
bool is_spent(int fd);
/* Large reads are worth it, and harmless: each will cause one callback. */
void expect_bulk(int fd, bool on);
/* Call it in the handler of a request with a chunked body. */
void watch_chunks(int fd);
/* Call it in each onData of that body. True: what has been read is sound so far and, with `last`, the body has ended. */
bool chunks_are_sound(int fd, const unsigned char *data, size_t length, bool last);

#endif
