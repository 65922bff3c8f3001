/*
 * What single octets are in HTTP/1 (RFC 9110, section 5.6; RFC 9112), for all who read some: head.c and chunks.c.
 */
#ifndef PIPEGATE_OCTETS_H
#define PIPEGATE_OCTETS_H

#include <stdbool.h>
#include <stddef.h>

/* For each octet that may stand in a token: itself, a letter in lower case. 0: it may not. */
extern const unsigned char TOKEN_OCTETS[256];

static inline bool is_token_octet(unsigned char c) { return TOKEN_OCTETS[c] != 0; }

static inline bool is_blank(unsigned char c) { return c == ' ' || c == '\t'; }

/* Whether it may stand in a line of text that knows no tabs. What is above 0x7f means whatever its reader thinks it does. */
static inline bool is_printable(unsigned char c) { return c >= 0x20 && c != 0x7f; }

/* Whether it may stand in the value of a field, and in a quoted string but for its own marks. */
static inline bool is_value_octet(unsigned char c) { return is_printable(c) || c == '\t'; }

static inline bool is_digit(unsigned char c) { return c >= '0' && c <= '9'; }

static inline unsigned char lower(unsigned char c) { return c >= 'A' && c <= 'Z' ? (unsigned char)(c | 0x20) : c; }

/* The value of a hexadecimal digit; -1: it is none. */
static inline int hex_digit(unsigned char c) {
  if (is_digit(c)) return c - '0';
  c |= 0x20;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Numbers of bytes end here: JavaScript counts no further. */
#define MOST_COUNTED 0x1fffffffffffffull

#endif
