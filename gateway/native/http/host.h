/* host.c: what stands in Host, and in a URI between its scheme and its path. */
#ifndef PIPEGATE_HOST_H
#define PIPEGATE_HOST_H

#include <stdbool.h>
#include <stddef.h>

#define HOST_MOST 255
/* With a colon and five digits. */
#define AUTHORITY_MOST (HOST_MOST + 6)

/* Whether this is a sound host[:port]. */
bool is_host(const char *text, size_t length);

#endif
