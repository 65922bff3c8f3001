/* secure.c: connections over TLS, below uWebSockets, which sees plain ones. */
#ifndef PIPEGATE_SECURE_H
#define PIPEGATE_SECURE_H

#include "wire.h"
#include <stdint.h>

/* The descriptor is a new connection, over which TLS is spoken with the certificates in this place. False: there are none, or no memory. */
bool secure(int fd, int place);
/* It is about to be closed, or another connection's. */
void forget_secure(int fd);
/* The kernel has room again. Called by polls.c. Returns whether something is still kept. */
bool flush_secure(int fd);
/* Called when all that was kept has been sent. */
extern void (*on_flushed)(int fd);
/* Called when the kernel refuses to send what was kept. */
extern void (*on_flush_failed)(int fd);
/* Take the places of shutdown(), and of writev(), by which large messages of WebSockets leave. */
int helped_shutdown(int fd, int how);
ssize_t helped_writev(int fd, const struct iovec *parts, int count);
/* What has been agreed on, "TLSv1.3 TLS_AES_128_GCM_SHA256". False: nothing yet. */
bool secure_terms(int fd, char *text, size_t room);
/* judge_client() of this connection; NOT_SHOWN where TLS is not spoken. */
int64_t client_of(int fd);
/* The certificate that counts, in DER; NULL: none does. To be freed with free(). */
unsigned char *client_certificate(int fd, int *length);
/* Why the certificate that was shown does not count, in words; NULL: that is not so. */
const char *client_certificate_fault(int fd);

#endif
