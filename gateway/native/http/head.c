#include "head.h"
#include "fields.h"
#include "octets.h"
#include "request-line.h"
#include <string.h>

/* Where a head is. */
enum place {
  BEFORE_LINE,
  AT_EMPTY_LF,
  IN_LINE,
  AT_LINE_LF,
  BEFORE_FIELD,
  IN_NAME,
  BEFORE_FIELD_VALUE,
  IN_FIELD_VALUE,
  AT_FIELD_LF,
  AT_HEAD_LF,
  OVER
};

void append(struct head *head, const char *text, size_t length) {
  memmove(text_end(head), text, length);
  head->text_length += (uint32_t)length;
}

bool head_is_over(const struct head *head) { return head->place == OVER; }

bool head_has_begun(const struct head *head) { return head->place > AT_EMPTY_LF; }

void head_refuse(struct head *head, enum problem problem) {
  head->problem = (uint8_t)problem;
  head->place = OVER;
  /* What was read of the last line is no line. */
  head->text_length = head->line;
}

/* An octet that stands nowhere in a line. */
static void refuse_octet(struct head *head, unsigned char c) {
  head_refuse(head, c == '\n' ? PROBLEM_BARE_LF : PROBLEM_CONTROL_CHARACTER);
}

/* --- octets */

static void see_first_octet(struct head *head, unsigned char c) {
  if (c == '\r') {
    head->place = AT_EMPTY_LF;
  } else if (c == '\n') {
    head_refuse(head, PROBLEM_BARE_LF);
  } else if (is_token_octet(c)) {
    head->place = IN_LINE;
  } else if (c == 0x16 && head->empty_lines == 0) {
    /* The type of a record with a ClientHello. */
    head_refuse(head, PROBLEM_TLS_HANDSHAKE);
  } else if (c == '\0' && head->empty_lines == 2) {
    /* The PROXY protocol's second version begins with CR LF CR LF NUL. */
    head_refuse(head, PROBLEM_PROXY_PROTOCOL);
  } else {
    head_refuse(head, PROBLEM_NOT_HTTP);
  }
}

static void see_empty_lf(struct head *head, unsigned char c) {
  if (c != '\n') head_refuse(head, PROBLEM_BARE_CR);
  else if (++head->empty_lines > EMPTY_LINES_MOST) head_refuse(head, PROBLEM_TOO_MANY_EMPTY_LINES);
  else head->place = BEFORE_LINE;
}

static const unsigned char *skip_empty_lines(struct head *head, const unsigned char *at, const unsigned char *end) {
  for (; at < end && !head_has_begun(head); at++) {
    if (head->place == AT_EMPTY_LF) see_empty_lf(head, *at);
    else see_first_octet(head, *at);
    /* It is the request line's. */
    if (head->place == IN_LINE) break;
  }
  return at;
}

static const unsigned char *take_line(struct head *head, const unsigned char *at, const unsigned char *end) {
  char *out = text_end(head);
  const char *most = head->text + REQUEST_LINE_MOST;
  while (at < end && out < most && is_printable(*at)) *out++ = (char)*at++;
  head->text_length = (uint32_t)(out - head->text);
  if (at == end) return at;
  if (*at == '\r') head->place = AT_LINE_LF;
  else if (is_printable(*at)) head_refuse(head, PROBLEM_REQUEST_LINE_TOO_LONG);
  else refuse_octet(head, *at);
  return at + 1;
}

static void end_line(struct head *head, unsigned char c) {
  enum problem problem = c == '\n' ? read_request_line(head) : PROBLEM_BARE_CR;
  if (problem == PROBLEM_NONE) {
    head->line = head->text_length;
    head->place = BEFORE_FIELD;
  } else {
    head_refuse(head, problem);
  }
}

/* What can be no name's first octet, nor another one. */
static void refuse_in_name(struct head *head, unsigned char c) {
  if (is_printable(c)) head_refuse(head, PROBLEM_BAD_FIELD_NAME);
  else refuse_octet(head, c);
}

/* Returns how many octets were taken: none of a name. */
static size_t see_line_start(struct head *head, unsigned char c) {
  if (is_token_octet(c)) {
    if (++head->fields > FIELDS_MOST) head_refuse(head, PROBLEM_TOO_MANY_FIELDS);
    else head->place = IN_NAME;
    return 0;
  }
  if (c == '\r') head->place = AT_HEAD_LF;
  else if (is_blank(c)) head_refuse(head, PROBLEM_OBSOLETE_FOLDING);
  else refuse_in_name(head, c);
  return 1;
}

static const unsigned char *take_name(struct head *head, const unsigned char *at, const unsigned char *end) {
  char *out = text_end(head);
  while (at < end && is_token_octet(*at)) *out++ = (char)TOKEN_OCTETS[*at++];
  head->text_length = (uint32_t)(out - head->text);
  if (at == end) return at;
  if (*at == ':') {
    append(head, ":", 1);
    head->value = head->text_length;
    head->place = BEFORE_FIELD_VALUE;
  } else if (is_blank(*at)) {
    head_refuse(head, PROBLEM_SPACE_BEFORE_COLON);
  } else if (*at == '\r') {
    head_refuse(head, PROBLEM_NO_COLON);
  } else {
    refuse_in_name(head, *at);
  }
  return at + 1;
}

static const unsigned char *skip_blanks(struct head *head, const unsigned char *at, const unsigned char *end) {
  while (at < end && is_blank(*at)) at++;
  if (at < end) head->place = IN_FIELD_VALUE;
  return at;
}

static const unsigned char *take_value(struct head *head, const unsigned char *at, const unsigned char *end) {
  char *out = text_end(head);
  while (at < end && is_value_octet(*at)) *out++ = (char)*at++;
  head->text_length = (uint32_t)(out - head->text);
  if (at == end) return at;
  if (*at == '\r') head->place = AT_FIELD_LF;
  else refuse_octet(head, *at);
  return at + 1;
}

static void end_field(struct head *head, unsigned char c) {
  if (c != '\n') {
    head_refuse(head, PROBLEM_BARE_CR);
    return;
  }
  struct span name = {head->text + head->line, head->value - head->line - 1};
  struct span value = trimmed((struct span){head->text + head->value, head->text_length - head->value});
  note_field(head, name, value);
  if (head->has_authority && is_exactly(name, "host")) {
    head->text_length = head->line;
  } else {
    head->text_length = head->value + (uint32_t)value.length;
    append(head, "\n", 1);
  }
  head->line = head->text_length;
  head->place = BEFORE_FIELD;
}

static void complete(struct head *head) {
  head->place = OVER;
  judge_head(head);
}

static const unsigned char *take_some(struct head *head, const unsigned char *at, const unsigned char *end) {
  switch (head->place) {
    case IN_LINE: return take_line(head, at, end);
    case AT_LINE_LF: end_line(head, *at); return at + 1;
    case BEFORE_FIELD: return at + see_line_start(head, *at);
    case IN_NAME: return take_name(head, at, end);
    case BEFORE_FIELD_VALUE: return skip_blanks(head, at, end);
    case IN_FIELD_VALUE: return take_value(head, at, end);
    case AT_FIELD_LF: end_field(head, *at); return at + 1;
    default:
      if (*at == '\n') complete(head);
      else head_refuse(head, PROBLEM_BARE_CR);
      return at + 1;
  }
}

size_t head_take(struct head *head, const unsigned char *octets, size_t length) {
  const unsigned char *at = skip_empty_lines(head, octets, octets + length);
  const unsigned char *start = at;
  size_t left = length - (size_t)(start - octets);
  if (left > HEAD_MOST - head->seen) left = HEAD_MOST - head->seen;
  while (at < start + left && !head_is_over(head)) at = take_some(head, at, start + left);
  head->seen += (uint32_t)(at - start);
  if (head->seen == HEAD_MOST && !head_is_over(head)) head_refuse(head, PROBLEM_HEAD_TOO_LARGE);
  return (size_t)(at - octets);
}

/* --- problems */

const char *problem_name(enum problem problem) {
  static const char *const NAMES[] = {
    "",
#define X(name, status) #name,
    PROBLEMS(X)
#undef X
  };
  return NAMES[problem];
}

int problem_status(enum problem problem) {
  static const short STATUSES[] = {
    0,
#define X(name, status) status,
    PROBLEMS(X)
#undef X
  };
  return STATUSES[problem];
}
