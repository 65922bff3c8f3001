/* clients.c: which certificate the client of a connection has shown, and whether it counts now. */
#ifndef PIPEGATE_CLIENTS_H
#define PIPEGATE_CLIENTS_H

#include <openssl/ssl.h>
#include <stdint.h>

/* What is known of the client of one connection; all zeros at first. */
struct client {
  /* By which authorities it has been judged; 0: not yet. And up to which second that holds. */
  uint64_t judged_by;
  int64_t until;
  int64_t verdict;
  int fault;
};

/* The verdict where it is no certificate. */
enum { NOT_SHOWN = 0, SHOWN_IN_VAIN = -1, MISSED = -2 };

/*
 * The number of the certificate that it has shown and that counts now, which no other connection of the process has; or one of those above: none
 * was shown, one was shown that does not count, or none was shown where one is required.
 */
int64_t judge_client(SSL *session, struct client *client);
/* Why the one that was shown does not count, in words. */
const char *fault_of_client(const struct client *client);
/* Sessions with a certificate that does not count any more are not resumed. */
void keep_with_tickets(SSL_CTX *context);

#endif
