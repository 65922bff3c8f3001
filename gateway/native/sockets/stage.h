/* stage.c: sends what one read brought to many without copying it for each. */
#ifndef PIPEGATE_STAGE_H
#define PIPEGATE_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

/* A shorter send is cheaper to copy, in bytes. */
#define STAGE_LEAST ((size_t)16 * 1024)

/* As many sends of one read as pay for staging the next one. */
extern unsigned stage_from;

/*
 * What was read last does not stand there any more: the next read is about to be written over it. Returns whether it was for
 * so many that the next one of that connection should be staged.
 */
bool stage_next_read(void);
/* What lies between the bytes of a read and is not wanted: `length` octets behind the first so many, and again behind each so many. */
struct gaps {
  size_t first;
  size_t every;
  size_t length;
};

/* Takes the place of recv() or recvmsg(), and stages what it reads. */
ssize_t stage_recv(int fd, const struct iovec *pieces, int count);
/* Of what was read last so much stands here, without the gaps. */
void stage_note(const unsigned char *bytes, size_t length, struct gaps gaps);
/* `copy` says the same as these bytes of what was read last, and goes on doing so until stage_release(). */
void stage_copy(const unsigned char *bytes, const unsigned char *copy, size_t length);
/* What stands from here on may be written over from now on. */
void stage_release(const unsigned char *copy);
/* A send of these bytes counts; and whether it is for stage_send(). */
bool stage_has(const unsigned char *bytes, size_t length);
/* Takes the place of send() for bytes that are staged. */
ssize_t stage_send(int fd, const unsigned char *bytes, size_t length, int flags);
/* Bytes that this thread has sent so. */
uint64_t bytes_sent_staged(void);

#endif
