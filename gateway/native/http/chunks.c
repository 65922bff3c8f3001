#include "chunks.h"
#include "octets.h"

static void fail(struct chunks *chunks, enum chunk_fault fault) {
  chunks->place = CHUNKS_BROKEN;
  chunks->fault = (uint8_t)fault;
}

/* What may stand behind a size and behind the value of an extension: another extension, or the end of the line. */
static void end_part(struct chunks *chunks, unsigned char c, enum chunk_fault fault) {
  if (c == '\r') chunks->place = AT_SIZE_LF;
  else if (c == ';') chunks->place = BEFORE_EXTENSION;
  else if (is_blank(c)) chunks->place = BEFORE_SEMICOLON;
  else fail(chunks, fault);
}

static void follow_size(struct chunks *chunks, unsigned char c) {
  int digit = hex_digit(c);
  if (digit < 0) {
    if (chunks->digits > 0) end_part(chunks, c, FAULT_BAD_CHUNK_SIZE);
    else fail(chunks, FAULT_BAD_CHUNK_SIZE);
  } else if (chunks->digits == CHUNK_DIGITS_MOST || chunks->size > MOST_COUNTED / 16) {
    fail(chunks, FAULT_CHUNK_SIZE_TOO_LARGE);
  } else {
    chunks->size = chunks->size * 16 + (uint64_t)digit;
    chunks->digits++;
  }
}

static void follow_name(struct chunks *chunks, unsigned char c) {
  if (is_token_octet(c)) return;
  if (c == '\r') chunks->place = AT_SIZE_LF;
  else if (c == ';') chunks->place = BEFORE_EXTENSION;
  else if (c == '=') chunks->place = BEFORE_VALUE;
  else if (is_blank(c)) chunks->place = BEHIND_EXTENSION;
  else fail(chunks, FAULT_BAD_CHUNK_EXTENSION);
}

/* An octet of an extension that is one of a few, or a token's; all others are a fault. */
static void follow_extension(struct chunks *chunks, unsigned char c) {
  switch (chunks->place) {
    case BEFORE_SEMICOLON:
      if (is_blank(c)) return;
      if (c == ';') chunks->place = BEFORE_EXTENSION;
      else fail(chunks, FAULT_BAD_CHUNK_EXTENSION);
      return;
    case BEFORE_EXTENSION:
      if (is_blank(c)) return;
      if (is_token_octet(c)) chunks->place = IN_EXTENSION;
      else fail(chunks, FAULT_BAD_CHUNK_EXTENSION);
      return;
    case BEHIND_EXTENSION:
      if (is_blank(c)) return;
      if (c == ';') chunks->place = BEFORE_EXTENSION;
      else if (c == '=') chunks->place = BEFORE_VALUE;
      else fail(chunks, FAULT_BAD_CHUNK_EXTENSION);
      return;
    default:
      if (is_blank(c)) return;
      if (c == '"') chunks->place = IN_QUOTED;
      else if (is_token_octet(c)) chunks->place = IN_VALUE;
      else fail(chunks, FAULT_BAD_CHUNK_EXTENSION);
  }
}

static void follow_quoted(struct chunks *chunks, unsigned char c) {
  if (c == '"') chunks->place = BEHIND_QUOTED;
  else if (c == '\\') chunks->place = IN_QUOTED_PAIR;
  else if (!is_value_octet(c)) fail(chunks, FAULT_BAD_CHUNK_EXTENSION);
}

static void follow_size_line(struct chunks *chunks, unsigned char c) {
  if (c != '\r' && ++chunks->octets > CHUNK_LINE_MOST) {
    fail(chunks, FAULT_CHUNK_LINE_TOO_LONG);
    return;
  }
  switch (chunks->place) {
    case IN_SIZE: follow_size(chunks, c); break;
    case IN_EXTENSION: follow_name(chunks, c); break;
    case IN_VALUE:
      if (!is_token_octet(c)) end_part(chunks, c, FAULT_BAD_CHUNK_EXTENSION);
      break;
    case IN_QUOTED: follow_quoted(chunks, c); break;
    case IN_QUOTED_PAIR:
      if (is_value_octet(c)) chunks->place = IN_QUOTED;
      else fail(chunks, FAULT_BAD_CHUNK_EXTENSION);
      break;
    case BEHIND_QUOTED: end_part(chunks, c, FAULT_BAD_CHUNK_EXTENSION); break;
    default: follow_extension(chunks, c); break;
  }
}

/* A field is checked as in a head: a token, at once a colon, a value without control characters, a whole line break. */
static void follow_trailer(struct chunks *chunks, unsigned char c) {
  if (c != '\r' && c != '\n' && ++chunks->octets > TRAILERS_MOST) {
    fail(chunks, FAULT_TRAILERS_TOO_LARGE);
    return;
  }
  switch (chunks->place) {
    case BEFORE_TRAILER:
      if (is_token_octet(c)) chunks->place = IN_TRAILER_NAME;
      else fail(chunks, FAULT_BAD_TRAILER);
      break;
    case IN_TRAILER_NAME:
      if (c == ':') chunks->place = IN_TRAILER_VALUE;
      else if (!is_token_octet(c)) fail(chunks, FAULT_BAD_TRAILER);
      break;
    case IN_TRAILER_VALUE:
      if (c == '\r') chunks->place = AT_TRAILER_LF;
      else if (!is_value_octet(c)) fail(chunks, FAULT_BAD_TRAILER);
      break;
    default:
      if (c == '\n') chunks->place = BEFORE_TRAILER;
      else fail(chunks, FAULT_BAD_TRAILER);
  }
}

static void remember_size(struct chunks *chunks) {
  bool again = chunks->size == chunks->whole && chunks->octets == chunks->line_octets;
  if (!again) chunks->repeats = 0;
  else if (chunks->repeats < UINT8_MAX) chunks->repeats++;
  chunks->whole = chunks->size;
  chunks->line_octets = chunks->octets;
}

static void end_size_line(struct chunks *chunks, unsigned char c) {
  if (c != '\n') {
    fail(chunks, FAULT_BAD_CHUNK_LINE_BREAK);
    return;
  }
  chunks->place = chunks->size > 0 ? IN_DATA : BEFORE_TRAILER;
  remember_size(chunks);
  chunks->octets = 0;
  chunks->digits = 0;
}

static void follow_frame(struct chunks *chunks, unsigned char c) {
  switch (chunks->place) {
    case AT_SIZE_LF: end_size_line(chunks, c); break;
    case AT_DATA_CR:
      if (c == '\r') chunks->place = AT_DATA_LF;
      else fail(chunks, FAULT_NO_LINE_BREAK_BEHIND_CHUNK);
      break;
    case AT_DATA_LF:
      /* All data has come, so the size is 0 again. */
      if (c == '\n') chunks->place = IN_SIZE;
      else fail(chunks, FAULT_NO_LINE_BREAK_BEHIND_CHUNK);
      break;
    case BEFORE_TRAILER:
      if (c == '\r') chunks->place = AT_LAST_LF;
      else follow_trailer(chunks, c);
      break;
    case AT_LAST_LF:
      if (c == '\n') chunks->place = CHUNKS_COMPLETE;
      else fail(chunks, FAULT_BAD_TRAILER);
      break;
    default:
      if (chunks->place < AT_SIZE_LF) follow_size_line(chunks, c);
      else follow_trailer(chunks, c);
  }
}

const unsigned char *chunks_follow(struct chunks *chunks, const unsigned char *at, const unsigned char *end) {
  while (at < end && !chunks_at_data(chunks) && !chunks_are_over(chunks)) follow_frame(chunks, *at++);
  return at;
}

size_t chunks_take(struct chunks *chunks, size_t available) {
  size_t taken = available < chunks->size ? available : (size_t)chunks->size;
  chunks->size -= taken;
  if (chunks->size == 0) chunks->place = AT_DATA_CR;
  return taken;
}

const char *chunk_fault_name(enum chunk_fault fault) {
  static const char *const NAMES[] = {
    "",
#define X(name) #name,
    CHUNK_FAULTS(X)
#undef X
  };
  return NAMES[fault];
}
