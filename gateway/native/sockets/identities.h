/*
 * identities.c: the certificates that TLS is spoken with, for all threads. They may be others from one moment to the next: connections
 * keep those that they began with.
 */
#ifndef PIPEGATE_IDENTITIES_H
#define PIPEGATE_IDENTITIES_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

/* For certificates of one gateway each, from 1 on. */
#define PLACES 1024

/* Whether clients show a certificate. */
enum client_certificates { NEVER_ASKED, OPTIONAL, REQUIRED };

/* Of the clients whose authorities are in `authorities`, in PEM; NULL: those are not asked. `revoked`: lists of those that do not count any more. */
struct client_rules {
  enum client_certificates rule;
  const char *authorities;
  const char *revoked;
};

struct identities;

/* Empty. NULL: there is no memory. */
struct identities *new_identities(void);
/*
 * Adds a chain and its key, in PEM. The first one is for clients that ask for no name, or for one that no certificate has. False: they cannot
 * be used, and `why` says so.
 */
bool add_identity(struct identities *identities, const char *chain, const char *key, const struct client_rules *rules, char *why, size_t room);
/* The one added last is for clients that ask for this name, in lower case. "*." stands for one label. */
bool add_name(struct identities *identities, const char *name);
void drop_identities(struct identities *identities);
/* A place for those of one gateway, of which a process may have several; 0: there is none left. */
int new_place(void);
/* From here on connections of that gateway begin with these, which are not the caller's any more. NULL: it has none any more, nor a place. */
void use_identities(int place, struct identities *identities);
/* A session of a new connection. NULL: there are none, or no memory. */
SSL *new_session(int place);
void end_session(SSL *session);

#endif
