/*
 * identities.c: the certificates that TLS is spoken with, for all threads. They may be others from one moment to the next: connections
 * keep those that they began with.
 */
#ifndef PIPEGATE_IDENTITIES_H
#define PIPEGATE_IDENTITIES_H

#include "authorities.h"
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* For certificates of one gateway each, from 1 on. */
#define PLACES 1024

struct identities;

/* Empty, and the authorities are theirs from here on; NULL: clients are not asked for a certificate. NULL: there is no memory. */
struct identities *new_identities(struct authorities *authorities);
/*
 * Adds a chain and its key, in PEM. The first one is for clients that ask for no name, or for one that no certificate has. False: they cannot
 * be used, and `why` says so.
 */
bool add_identity(struct identities *identities, const char *chain, const char *key, char *why, size_t room);
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
/* Who vouches for the clients of the gateway of this session: when it began, and now, to be given back. NULL: clients are not asked. */
struct authorities *authorities_of(const SSL *session);
struct authorities *take_authorities(const SSL *session);
/* number_of() those now; 0: clients are not asked. */
uint64_t rules_now(const SSL *session);

#endif
