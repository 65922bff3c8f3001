/*
 * handshake.c: how a connection over TLS begins, and who gets no further than that: in which words they are told, and what the log says of them.
 */
#ifndef PIPEGATE_HANDSHAKE_H
#define PIPEGATE_HANDSHAKE_H

#include "records.h"
#include <stdint.h>

/* Why a handshake came to nothing. gateway/serve/failed-handshakes.ts has a text for each, in this order. */
enum handshake_fault {
  FAULT_BROKEN_OFF,
  FAULT_PLAIN_HTTP,
  FAULT_NOT_TLS,
  FAULT_PROTOCOL,
  FAULT_VERSION,
  FAULT_CIPHER,
  FAULT_CERTIFICATE,
  FAULT_CROWDED,
  FAULT_OTHER,
  HANDSHAKE_FAULTS
};

/* Goes on with it. 1: it is over, and the session is open. 0 or -1 with errno: as of recv(). */
ssize_t shake_hands(struct secure *secure);
/* What the client begins with has been read. False: it asks for more than anybody needs. */
bool note_beginning(struct secure *secure, const unsigned char *octets, size_t length);
/* The connection is about to be closed. */
void end_handshake(struct secure *secure);
/* The client is told that it speaks HTTP to a port for HTTPS; what it still sends is read in vain. */
ssize_t read_plain(struct secure *secure);
/* Of handshakes in this place, since the start. */
uint32_t handshakes_failed(int place);
/* A line for each kind, with its count and the address of the last client. Returns the length of the text. */
size_t describe_failed(int place, char *text, size_t room);

#endif
