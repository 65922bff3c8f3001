/*
 * authorities.c: who vouches for the certificates of clients, and for which ones they do not any more. All certificates of a gateway, and all
 * threads, share them.
 */
#ifndef PIPEGATE_AUTHORITIES_H
#define PIPEGATE_AUTHORITIES_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether clients show a certificate. */
enum client_certificates { NEVER_ASKED, OPTIONAL, REQUIRED };

struct authorities;

/*
 * From their certificates and their lists of revoked ones, in PEM; without lists (NULL) nothing is revoked. With some, each authority has
 * to have one, for nobody could tell otherwise. NULL: they cannot be used, and `why` says so.
 */
struct authorities *new_authorities(enum client_certificates rule, const char *certificates, const char *lists, char *why, size_t room);
/* For one more, who gives it back with drop_authorities(). */
struct authorities *share_authorities(struct authorities *authorities);
void drop_authorities(struct authorities *authorities);
/* Whether both were made of the same. Either may be NULL. */
bool are_the_same(const struct authorities *one, const struct authorities *other);

enum client_certificates rule_of(const struct authorities *authorities);
/* No two of a process have the same. */
uint64_t number_of(const struct authorities *authorities);
/* Connections of this context ask for certificates. The handshake goes on whatever is shown: SSL_get_verify_result() has the outcome. */
bool ask_clients(SSL_CTX *context, const struct authorities *authorities);
/* X509_V_OK, or why it does not count. `between`: what else the client has shown, or NULL. `until`: the last second for which that holds. */
int verify_again(const struct authorities *authorities, X509 *shown, STACK_OF(X509) *between, int64_t *until);
/* Up to which second all of a chain is valid, and known not to be revoked. 1970 when there is no chain. */
int64_t good_until(const struct authorities *authorities, const STACK_OF(X509) *chain);

#endif
