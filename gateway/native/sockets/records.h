/*
 * records.c: between OpenSSL and a socket. What is to be decrypted comes from memory while there is some, and else from the socket. What has
 * been encrypted is collected, leaves by one call, and is kept as far as the kernel does not take it.
 */
#ifndef PIPEGATE_RECORDS_H
#define PIPEGATE_RECORDS_H

#include "clients.h"
#include <netinet/in.h>
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
  /* Where its certificates are. */
  int place;
  struct client client;
  bool is_open;
  /* The client has said that it sends no more. */
  bool has_ended;
  /* A handshake, or what came in place of one, has failed, and there may be no session; or OpenSSL has found a fault later. */
  bool has_failed;
  /* It speaks HTTP, and has been told. What has been read of it since. */
  bool is_plain;
  size_t in_vain;
  /* A handshake that has begun and is not over: the ones before and behind it. */
  bool is_half;
  struct secure *older;
  struct secure *younger;
  char address[INET6_ADDRSTRLEN];
  /* What the client began with: a record's head, and that of the message in it. */
  unsigned char first_length;
  unsigned char first[9];
  /* The last batch did not leave whole. */
  bool is_slow;
  bool ends;
  /* What was read last was of records that are worth it: more is read at a time. */
  bool reads_much;
  /* What TLS itself has had to say since the handshake, in messages; and encrypted octets in both directions. */
  uint32_t talk;
  uint64_t moved;
  /* Sent since it was silent, and when that was last, in milliseconds. */
  size_t run;
  int64_t sent_at;
  /* Encrypted, and not sent. */
  unsigned char *kept;
  size_t kept_from;
  size_t kept_length;
};

/* Called by OpenSSL for each message and alert of a session whose BIO is one of these. */
void count_talk(int is_sent, int version, int kind, const void *octets, size_t length, SSL *session, void *nothing);
/* NULL: there is no memory. */
BIO *new_record_bio(struct secure *secure);
/* From here on, until there is nothing left or end_incoming(), OpenSSL reads these octets. */
void begin_incoming(const unsigned char *octets, size_t length);
void end_incoming(void);
/* What OpenSSL writes from here on is collected, until send_collected(). False: there is no memory. */
bool collect_outgoing(void);
/* Sends it, and keeps what the kernel does not take. False: the connection is dead. */
bool send_collected(struct secure *secure);
/* About as much as the kernel takes at once now; 0: it will tell when there is room. */
size_t room_of(const struct secure *secure);
/* What is kept of all connections, in bytes. */
size_t kept_of_all(void);
/* Nothing of what is kept will leave. */
void forget_kept(struct secure *secure);
/* Sends what was kept. False: the connection is dead. */
bool send_kept(struct secure *secure);

#endif
