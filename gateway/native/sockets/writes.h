/* writes.c: what is done to the writes of uWebSockets. */
#ifndef PIPEGATE_WRITES_H
#define PIPEGATE_WRITES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Takes the place of send(). */
ssize_t helped_send(int fd, const void *bytes, size_t length, int flags);
/* Called when all that was given to uWebSockets has been sent. */
extern void (*on_all_sent)(int fd);
/* Called when the kernel refuses to send. */
extern void (*on_send_failed)(int fd);
/* The number belongs to a new connection. */
void forget_writes(int fd);
/* A request has come. `bare`: its client knows no chunks. */
void begin_response(int fd, bool bare);
/* Bytes of the present response that have been sent. */
uint64_t sent_of_response(int fd);
/* Its response has not begun, and the client bears an interim one. */
bool may_send_interim(int fd);
/* Call it when a chunked response has been written up to a chunk's end: chunks leave by one call each. False: not now. */
bool join_chunks(int fd);
/*
 * Call it when the head of a chunked response has been written but for the field that says so: it ends here and now, and what
 * uWebSockets writes of it later is dropped. From then on chunks leave by one call each. False: not now, or never.
 */
bool end_head(int fd);
/*
 * Ends a body whose chunks leave by one call each. Nothing of what uWebSockets still sends of that response leaves. False:
 * nothing has been done, and something else has to be sent first.
 */
bool end_body(int fd);
/*
 * Sends a WebSocket's close frame, with code 1000, and nothing behind it, while uWebSockets reads on: it would drop what its client
 * says until it answers. False: nothing has been done.
 */
bool close_websocket(int fd);
/*
 * Between two chunks of a response whose chunks leave by one call each: sends a part of the next one's line, which a client that is
 * gone answers with a reset. True: that, or something else, is on its way to it. False: there is nothing that could be sent.
 */
bool ask_in_body(int fd);
/* Bytes at the end of the chunk written last that have to be sent with send_due(), except for the very last byte. */
size_t bytes_due(int fd);
/* Returns how many bytes were taken. */
size_t send_due(int fd, const unsigned char *bytes, size_t length);
/* Bytes that wait in uWebSockets' buffer, without a chunk's due. */
size_t left_with_engine(int fd);
/* The same, and what waits encrypted. */
size_t unsent(int fd);

#endif
