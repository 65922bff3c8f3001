/*
 * records.c: between OpenSSL and a socket. What is to be decrypted comes from memory while there is some, and else from the socket. What has
 * been encrypted is collected, leaves by one call, and is kept as far as the kernel does not take it.
 */
#ifndef PIPEGATE_RECORDS_H
#define PIPEGATE_RECORDS_H

#include "clients.h"
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

/* The longest record: RFC 8446, 5.2. */
#define RECORD_MOST ((size_t)16 * 1024)
/* Encrypted at once, but for one that has not kept up the last time. */
#define BATCH (4 * RECORD_MOST)

/* A connection over TLS. */
struct secure {
  SSL *session;
  int fd;
  struct client client;
  bool is_open;
  /* The client has said that it sends no more; whether its end came without that. */
  bool has_ended;
  bool was_cut;
  /* A handshake, or what came in place of one, has failed; or OpenSSL has found a fault later. */
  bool has_failed;
  /* The last batch did not leave whole. */
  bool is_slow;
  bool ends;
  /* Encrypted, and not sent. */
  unsigned char *kept;
  size_t kept_from;
  size_t kept_length;
};

/* NULL: there is no memory. */
BIO *new_record_bio(struct secure *secure);
/* From here on, until there is nothing left or end_incoming(), OpenSSL reads these octets. */
void begin_incoming(const unsigned char *octets, size_t length);
void end_incoming(void);
/* What OpenSSL writes from here on is collected, until send_collected(). False: there is no memory. */
bool collect_outgoing(void);
/* Sends it, and keeps what the kernel does not take. False: the connection is dead. */
bool send_collected(struct secure *secure);
/* Sends what was kept. False: the connection is dead. */
bool send_kept(struct secure *secure);

#endif
