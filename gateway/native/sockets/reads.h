/* reads.c: what is done to the reads of uWebSockets. */
#ifndef PIPEGATE_READS_H
#define PIPEGATE_READS_H

#include "reader.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The most that one read of this thread brings, in bytes: usually, and from a socket that expects bulk. */
extern _Thread_local size_t usual_read;
extern _Thread_local size_t bulk_read;
/*
 * Called when a client has closed its side while its response is awaited: it goes on reading, or is gone. `asked`: an interim
 * response has been sent, which it would answer with a reset if it is gone. `early`: it had done so when its request was read.
 */
extern void (*on_half_closed)(int fd, bool asked, bool early);

/* Called when the unfinished message of a WebSocket has grown or is complete, or when one is too long. */
extern void (*on_unfinished)(int fd);

/* Takes the place of recv(). */
ssize_t helped_recv(int fd, void *buffer, size_t length, int flags);
/* The socket that this thread read last, which is the one whose request is being handled. -1: none. */
int socket_read_last(void);
/* The head that the last read of this thread brought to its end; NULL: none. */
const struct reading *head_read_last(void);
/* The number belongs to a new connection. `plain`: its requests are read here, which TLS does not allow. */
void forget_reads(int fd, bool plain);
/* It is being closed: what is kept of what it has sent is of no use. The rest stays, for JavaScript asks of closed ones, too. */
void drop_unread(int fd);
/* This thread gives connections away whose next request is somebody else's: hand-over.h. NULL: it keeps all. */
void give_away_if(bool (*is_elsewhere)(const struct head *head));
/* The same as forget_reads(), of a connection over plain TCP of which so much has come. False: there is no memory for that. */
bool begin_with(int fd, const unsigned char *octets, size_t length);
/* Something has changed on which it depends whether this socket is to be read. */
void settle_reads(int fd);
/* The kernel has refused to send to it: the connection is dead. */
void send_has_failed(int fd);
/* The framing of the present body has no fault so far. */
bool body_is_sound(int fd);
/* The next request may come; or there is none, and the connection closes when the response has been sent. */
void response_is_over(int fd, bool closes);
/* What still comes of the present request, and all behind it, is dropped. */
void discard_reads(int fd);
/* The present request has become a WebSocket, whose client may send messages of so many bytes. */
void become_websocket(int fd, uint64_t most);
/* While on, nothing of what the client of a WebSocket sends is read. */
void pause_websocket(int fd, bool on);
/* How much has come of a message that is not complete; -1: it is too long, and nothing that comes is passed on. */
int64_t unfinished_message(int fd);
/* Large reads are worth it, and harmless: each will cause one callback. */
void expect_bulk(int fd, bool on);
/* Nothing of a request has come, and all of the last response has been sent. */
bool is_between_requests(int fd);
/* The client has closed its side while its response is awaited, and that has been read. */
bool client_has_ended(int fd);

#endif
