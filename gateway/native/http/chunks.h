/*
 * The framing of a chunked body (RFC 9112, section 7.1), followed octet by octet, however its reads are cut.
 *
 * Size lines may carry extensions, and trailers may stand behind the last chunk; both are checked and then of no interest.
 * Anything that the grammar does not have is a fault, with these choices where it leaves one:
 * - Blanks may stand where the grammar has "bad white space": around ';' and '='. Behind a size without an extension there may
 *   be none, nor at the end of a line.
 * - An extension has a name, and a value if it has a '='.
 * - A size has at most CHUNK_DIGITS_MOST digits, and is below 2^53. A size line has at most CHUNK_LINE_MOST octets, and all
 *   trailers together have TRAILERS_MOST, line breaks apart.
 */
#ifndef PIPEGATE_CHUNKS_H
#define PIPEGATE_CHUNKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHUNK_DIGITS_MOST 32
#define CHUNK_LINE_MOST 16384
#define TRAILERS_MOST 8192

/* What is wrong with a body. The names are stable, and shown. */
#define CHUNK_FAULTS(X) \
  X(BAD_CHUNK_SIZE) \
  X(CHUNK_SIZE_TOO_LARGE) \
  X(BAD_CHUNK_EXTENSION) \
  X(CHUNK_LINE_TOO_LONG) \
  X(BAD_CHUNK_LINE_BREAK) \
  X(NO_LINE_BREAK_BEHIND_CHUNK) \
  X(BAD_TRAILER) \
  X(TRAILERS_TOO_LARGE)

enum chunk_fault {
  FAULT_NONE,
#define X(name) FAULT_##name,
  CHUNK_FAULTS(X)
#undef X
};

/* Where a body is. The order matters: places before AT_SIZE_LF are in a size line. */
enum chunk_place {
  IN_SIZE,
  BEFORE_SEMICOLON,
  BEFORE_EXTENSION,
  IN_EXTENSION,
  BEHIND_EXTENSION,
  BEFORE_VALUE,
  IN_VALUE,
  IN_QUOTED,
  IN_QUOTED_PAIR,
  BEHIND_QUOTED,
  AT_SIZE_LF,
  IN_DATA,
  AT_DATA_CR,
  AT_DATA_LF,
  /* At the start of a line behind the last chunk. */
  BEFORE_TRAILER,
  IN_TRAILER_NAME,
  IN_TRAILER_VALUE,
  AT_TRAILER_LF,
  AT_LAST_LF,
  CHUNKS_COMPLETE,
  CHUNKS_BROKEN
};

/* A body. All zero: one of which nothing has come. */
struct chunks {
  /* The size that is being read, or how much of the chunk's data is still to come. */
  uint64_t size;
  /* The size of the chunk that began last, the octets of its line, and how often the same two had come in a row before it. */
  uint64_t whole;
  uint32_t line_octets;
  /* Octets of this size line, or of all trailers. */
  uint32_t octets;
  uint8_t repeats;
  uint8_t place;
  uint8_t digits;
  uint8_t fault;
};

/* Follows framing to the next data, to the end of the body, to a fault, or to `end`. Returns where it came. */
const unsigned char *chunks_follow(struct chunks *chunks, const unsigned char *at, const unsigned char *end);

/* At data: how many of `available` octets belong to this chunk. They count as taken. */
size_t chunks_take(struct chunks *chunks, size_t available);

static inline bool chunks_at_data(const struct chunks *chunks) { return chunks->place == IN_DATA; }

/* Complete or broken: nothing more of it will be read. */
static inline bool chunks_are_over(const struct chunks *chunks) { return chunks->place >= CHUNKS_COMPLETE; }

/* In upper case and with underlines; "" when there is none. */
const char *chunk_fault_name(enum chunk_fault fault);

#endif
