/*
 * What uWebSockets.js cannot be asked for in JavaScript, done to the sockets below it: shared by the files of this folder.
 *
 * A loaded shared object calls recv(), send() and accept4() through slots of its global offset table, which the dynamic
 * linker fills. slots.c finds them and points them at the functions of reads.c and writes.c. Only that one object is changed;
 * every other caller in the process keeps the C library's functions.
 *
 * Linux with glibc, 64 bit, x86-64 and arm64. Node-API only, so one binary serves every version of Node.
 */
#ifndef PIPEGATE_SOCKETS_H
#define PIPEGATE_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

/*
 * Sockets beyond this number are served, but without the help that needs a memory of what they did. Such memory is written
 * and read by the thread that owns the socket.
 */
#define MOST_SOCKETS 65536

/* The value of a digit of a chunk's size; -1: it is none. */
static inline int hex(unsigned char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c |= 0x20;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A function that takes the place of another one. */
struct replacement {
  const char *name;
  void *by;
};

/* slots.c: points the calls of the loaded object at other functions. False: one of them is never called there. */
bool replace_calls(const char *object, const struct replacement *replacements, size_t count);

/*
 * memory-file.c: the descriptor of a file in memory with these bytes. There is one for the whole process: who comes later gets
 * the same, whatever its bytes. -1: none can be had.
 */
int only_memory_file(const char *name, const unsigned char *bytes, size_t length);

/* reads.c */
extern size_t usual_read;
extern size_t bulk_read;
ssize_t helped_recv(int fd, void *buffer, size_t length, int flags);
/* The socket that this thread read last: the one whose request is being handled. -1: none. */
int socket_read_last(void);
void forget_reads(int fd);
/* Whatever the peer sends ends the connection. */
void mute_reads(int fd, bool on);
/* The last request of this connection has been answered: what comes behind it is none. */
void spend(int fd);
bool is_spent(int fd);
/* Large reads are worth it, and harmless: each will cause one callback. */
void expect_bulk(int fd, bool on);
/* In the handler of a request with a chunked body. */
void watch_chunks(int fd);
/* In each onData of it: what has been read is sound so far and, with last, it has ended. */
bool chunks_are_sound(int fd, const unsigned char *data, size_t length, bool last);

/* writes.c */
ssize_t helped_send(int fd, const void *bytes, size_t length, int flags);
void forget_writes(int fd);
/* When a chunked response has been written up to a chunk's end: chunks leave by one call each. False: not now. */
bool join_chunks(int fd);
/* Bytes at the end of the chunk written last that have to be sent with send_due(), but for the very last. */
size_t bytes_due(int fd);
/* Returns how many were taken. */
size_t send_due(int fd, const unsigned char *bytes, size_t length);
/* An answer of so many bytes has been given to uWebSockets. */
void count_answer(int fd, size_t bytes);
/* Answers pile up, for the client does not read them. */
bool is_unread(int fd);
/* What waits in uWebSockets' buffer, in bytes, but for a chunk's due. Over TLS only whether it is more than 0 is known. */
size_t unsent(int fd);

#endif
