/*
 * The head of a request (RFC 9112, sections 2 to 6), read octet by octet, however its reads are cut.
 *
 * Syntax is checked as the octets come, so whoever does not speak HTTP is told at once. What fields mean is judged when the
 * head is complete, in the order of judge() in head.c, so that an answer, and the log, know all of it.
 *
 * While it is read a head is written down as JavaScript gets it:
 *
 *   METHOD SP target SP minor-version LF, and for each field: name ":" value LF
 *
 * with names in lower case, values without the blanks around them, and all other octets as they came (Latin-1). That is never
 * longer than what was read. The target is a path with its query, or "*". Of a target that is a URI (absolute-form) it is the
 * path, and the authority stands as first field "host", in the place of what the client's own Host says (RFC 9112, 3.2.2). Of
 * CONNECT, which is refused, it is what the client wrote.
 *
 * Choices where the RFCs leave one, always the strict one:
 * - Lines end in CRLF; there is one space between the parts of a request line; no white space around a field's name.
 * - HTTP/1.2 and later are refused like HTTP/2, for nobody speaks them.
 * - URIs are of http and https. A "#" is in no target.
 * - Host is host[:port] without "," (which a reg-name might have, and two joined lines do), not empty (no http URI has an
 *   empty host), of at most 255 octets, with a port below 65536. Literals are of IPv6, without a zone.
 * - Transfer-Encoding is "chunked" or refused: as unknown (501) when it is a list of codings without "chunked" or with it at
 *   its end, as malformed (400) otherwise. An empty element is malformed. Parameters are cut at commas, quoted or not.
 * - Expect has elements "100-continue" and no other ones. HTTP/1.0 knows no Expect, and there it is not looked at.
 */
#ifndef PIPEGATE_HEAD_H
#define PIPEGATE_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* From the first octet of the request line to the last line feed. */
#define HEAD_MOST 66560
/* Without its line break. */
#define REQUEST_LINE_MOST 16384
#define FIELDS_MOST 256
/* In front of a request line. */
#define EMPTY_LINES_MOST 64
#define METHOD_MOST 64

/* Why a request is refused, and with which status. The names are stable: JavaScript has the words for them. */
#define PROBLEMS(X) \
  X(NOT_HTTP, 400) \
  X(TLS_HANDSHAKE, 400) \
  X(PROXY_PROTOCOL, 400) \
  X(HTTP2_PREFACE, 505) \
  X(TOO_MANY_EMPTY_LINES, 400) \
  X(BARE_LF, 400) \
  X(BARE_CR, 400) \
  X(CONTROL_CHARACTER, 400) \
  X(REQUEST_LINE_TOO_LONG, 414) \
  X(HEAD_TOO_LARGE, 431) \
  X(TOO_MANY_FIELDS, 431) \
  X(BAD_REQUEST_LINE, 400) \
  X(METHOD_TOO_LONG, 501) \
  X(UNSUPPORTED_VERSION, 505) \
  X(BAD_TARGET, 400) \
  X(OBSOLETE_FOLDING, 400) \
  X(BAD_FIELD_NAME, 400) \
  X(SPACE_BEFORE_COLON, 400) \
  X(NO_COLON, 400) \
  X(NO_HOST, 400) \
  X(REPEATED_HOST, 400) \
  X(BAD_HOST, 400) \
  X(REPEATED_LENGTH, 400) \
  X(BAD_LENGTH, 400) \
  X(LENGTH_AND_CODING, 400) \
  X(CODING_IN_HTTP_1_0, 400) \
  X(BAD_CODING, 400) \
  X(UNKNOWN_CODING, 501) \
  X(CONNECT_METHOD, 405) \
  X(UNKNOWN_EXPECTATION, 417) \
  X(TOO_MANY_HALF_HEADS, 503)

enum problem {
  PROBLEM_NONE,
#define X(name, status) PROBLEM_##name,
  PROBLEMS(X)
#undef X
};

/* In upper case and with underlines; "" when there is none. */
const char *problem_name(enum problem problem);
/* 0 when there is none. */
int problem_status(enum problem problem);

enum framing { NO_BODY, BODY_OF_LENGTH, BODY_IN_CHUNKS };

/* A part of a head's text. */
struct part {
  uint32_t at;
  uint32_t length;
};

/*
 * A head. All zero but for `text`: one of which nothing has come.
 *
 * `text` has to have room for text_length and all that head_take() is given, but never for more than HEAD_MOST.
 */
struct head {
  char *text;
  /* Of a head that is being read it ends somewhere; of a complete or refused one, behind the last whole line. */
  uint32_t text_length;

  /* When it is over: PROBLEM_NONE, and what it says; or why not. */
  uint8_t problem;
  /* Of HTTP/1. */
  uint8_t minor;
  bool keeps_alive;
  bool expects_continue;
  /* A sound request for a WebSocket, of version 13. */
  bool is_websocket;
  uint8_t framing;
  /* Of a BODY_OF_LENGTH. It may be 0. */
  uint64_t length;
  uint32_t method_length;
  struct part websocket_key;

  /* While it is read. */
  uint8_t place;
  /* In front of the request line. */
  uint8_t empty_lines;
  /* A URI's authority is the first field, and the client's own Host is left out. */
  bool has_authority;
  uint16_t fields;
  /* Octets from the request line on. */
  uint32_t seen;
  /* Where in the text the line that is being read starts, and behind its colon the value. */
  uint32_t line;
  uint32_t value;
  /* What fields have said so far: a set of enum said, and how many of them there were. */
  uint32_t said;
  uint16_t hosts;
  uint16_t lengths;
  uint16_t codings;
  uint16_t keys;
  uint16_t versions;
};

/* Reads on. Returns how many octets belong to the head: less than `length` only when it is over. */
size_t head_take(struct head *head, const unsigned char *octets, size_t length);

/* It is complete or refused. */
bool head_is_over(const struct head *head);

/* The first octet of its request line has come. */
bool head_has_begun(const struct head *head);

/* It is refused for a reason that does not lie in it. */
void head_refuse(struct head *head, enum problem problem);

/* Where in the text of a head the next octet is written. */
static inline char *text_end(struct head *head) { return head->text + head->text_length; }

/* Writes behind the text of a head. `text` may be a part of it. */
void append(struct head *head, const char *text, size_t length);

#endif
