#include "head.h"
#include "octets.h"
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

/* What fields have said. */
enum said {
  CLOSES = 1 << 0,
  KEEPS_ALIVE = 1 << 1,
  UPGRADES = 1 << 2,
  TO_WEBSOCKET = 1 << 3,
  OF_VERSION_13 = 1 << 4,
  HAS_BAD_HOST = 1 << 5,
  HAS_BAD_LENGTH = 1 << 6,
  IS_CHUNKED = 1 << 7,
  HAS_OTHER_CODING = 1 << 8,
  HAS_BAD_CODING = 1 << 9,
  CONTINUES = 1 << 10,
  HAS_OTHER_EXPECTATION = 1 << 11
};

/* Some text that somebody else owns. */
struct span {
  const char *text;
  size_t length;
};

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

/* --- words */

static bool is_word(struct span span, const char *word) {
  for (size_t i = 0; i < span.length; i++) {
    if (word[i] == '\0' || lower((unsigned char)span.text[i]) != (unsigned char)word[i]) return false;
  }
  return word[span.length] == '\0';
}

static bool starts_with(struct span span, const char *start) {
  size_t length = strlen(start);
  return span.length >= length && memcmp(span.text, start, length) == 0;
}

static bool is_exactly(struct span span, const char *text) {
  return span.length == strlen(text) && starts_with(span, text);
}

static bool is_token(struct span span) {
  for (size_t i = 0; i < span.length; i++) {
    if (!is_token_octet((unsigned char)span.text[i])) return false;
  }
  return span.length > 0;
}

static struct span trimmed(struct span span) {
  while (span.length > 0 && is_blank((unsigned char)span.text[0])) {
    span.text++;
    span.length--;
  }
  while (span.length > 0 && is_blank((unsigned char)span.text[span.length - 1])) span.length--;
  return span;
}

/* Takes the first element off a list. There always is one, be it empty. False: it was the last one. */
static bool next_element(struct span *list, struct span *element) {
  const char *comma = memchr(list->text, ',', list->length);
  if (comma == NULL) {
    *element = trimmed(*list);
    return false;
  }
  size_t length = (size_t)(comma - list->text);
  *element = trimmed((struct span){list->text, length});
  *list = (struct span){comma + 1, list->length - length - 1};
  return true;
}

/* --- hosts (RFC 3986, section 3.2.2) */

/* Numbers of 1 to 3 digits below 256, without leading zeros, with dots between them: four of them. */
static bool is_ipv4(struct span span) {
  size_t at = 0;
  for (int part = 0; part < 4; part++) {
    int value = 0;
    size_t start = at;
    while (at < span.length && at - start < 3 && is_digit((unsigned char)span.text[at])) {
      value = value * 10 + (span.text[at++] - '0');
    }
    if (at == start || value > 255 || (at - start > 1 && span.text[start] == '0')) return false;
    if (part < 3 && (at == span.length || span.text[at++] != '.')) return false;
  }
  return at == span.length;
}

/* Eight groups of 1 to 4 digits; "::", once, stands for one group or more; the last two may be written as IPv4. */
static bool is_ipv6(struct span span) {
  size_t at = 0;
  int groups = 0;
  bool has_gap = false;
  if (span.length >= 2 && span.text[0] == ':' && span.text[1] == ':') {
    has_gap = true;
    at = 2;
  }
  while (at < span.length) {
    size_t start = at;
    while (at < span.length && hex_digit((unsigned char)span.text[at]) >= 0) at++;
    if (at < span.length && span.text[at] == '.') {
      if (!is_ipv4((struct span){span.text + start, span.length - start})) return false;
      groups += 2;
      break;
    }
    if (at == start || at - start > 4) return false;
    groups++;
    if (at == span.length) break;
    if (span.text[at++] != ':' || at == span.length) return false;
    if (span.text[at] != ':') continue;
    if (has_gap) return false;
    has_gap = true;
    at++;
  }
  return has_gap ? groups <= 7 : groups == 8;
}

/* unreserved / sub-delims, but for the comma. */
static bool is_name_octet(unsigned char c) {
  static const char MARKS[] = "-._~!$&'()*+;=";
  unsigned char letter = lower(c);
  return is_digit(c) || (letter >= 'a' && letter <= 'z') || (c != '\0' && strchr(MARKS, c) != NULL);
}

static bool is_registered_name(struct span span) {
  for (size_t i = 0; i < span.length; i++) {
    unsigned char c = (unsigned char)span.text[i];
    if (is_name_octet(c)) continue;
    if (c != '%' || span.length - i < 3) return false;
    if (hex_digit((unsigned char)span.text[i + 1]) < 0 || hex_digit((unsigned char)span.text[i + 2]) < 0) return false;
    i += 2;
  }
  return span.length > 0;
}

/* Five digits at most, or none. */
static bool is_port(struct span span) {
  uint32_t port = 0;
  if (span.length > 5) return false;
  for (size_t i = 0; i < span.length; i++) {
    if (!is_digit((unsigned char)span.text[i])) return false;
    port = port * 10 + (uint32_t)(span.text[i] - '0');
  }
  return port <= 65535;
}

/* Where the host ends: at the colon of the port, or at the end. A literal has colons of its own. */
static size_t host_length(const char *text, size_t length) {
  const char *from = text;
  if (length > 0 && text[0] == '[') {
    from = memchr(text, ']', length);
    if (from == NULL) return length;
  }
  const char *colon = memchr(from, ':', (size_t)(text + length - from));
  return colon == NULL ? length : (size_t)(colon - text);
}

#define HOST_MOST 255
/* With a colon and five digits. */
#define AUTHORITY_MOST (HOST_MOST + 6)

bool is_host(const char *text, size_t length) {
  struct span host = {text, host_length(text, length)};
  if (host.length > HOST_MOST) return false;
  if (host.length < length && !is_port((struct span){text + host.length + 1, length - host.length - 1})) return false;
  if (host.length > 0 && text[0] == '[') {
    return host.length > 2 && text[host.length - 1] == ']' && is_ipv6((struct span){text + 1, host.length - 2});
  }
  return is_registered_name(host);
}

/* --- the request line */

struct request_line {
  struct span method;
  struct span target;
  struct span version;
};

/* Takes a line apart at its first two spaces. Another one makes the version none. */
static bool split(struct span line, struct request_line *parts) {
  const char *end = line.text + line.length;
  const char *first = memchr(line.text, ' ', line.length);
  if (first == NULL) return false;
  const char *second = memchr(first + 1, ' ', (size_t)(end - first - 1));
  if (second == NULL) return false;
  parts->method = (struct span){line.text, (size_t)(first - line.text)};
  parts->target = (struct span){first + 1, (size_t)(second - first - 1)};
  parts->version = (struct span){second + 1, (size_t)(end - second - 1)};
  return is_token(parts->method) && parts->target.length > 0;
}

static bool is_version(struct span span) {
  return span.length == 8 && starts_with(span, "HTTP/") && is_digit((unsigned char)span.text[5]) &&
         span.text[6] == '.' && is_digit((unsigned char)span.text[7]);
}

/* What others say where a request line should be. Each has a cure of its own. */
static enum problem recognise(struct span line) {
  if (starts_with(line, "PROXY TCP4 ") || starts_with(line, "PROXY TCP6 ") || starts_with(line, "PROXY UNKNOWN")) {
    return PROBLEM_PROXY_PROTOCOL;
  }
  return is_exactly(line, "PRI * HTTP/2.0") ? PROBLEM_HTTP2_PREFACE : PROBLEM_NONE;
}

/* How long "http://" or "https://" in front of it is. 0: there is neither. */
static size_t scheme_length(struct span target) {
  for (size_t length = 7; length <= 8 && length <= target.length; length++) {
    if (is_word((struct span){target.text, length}, length == 7 ? "http://" : "https://")) return length;
  }
  return 0;
}

/* Where in the text the next octet is written. */
static char *text_end(struct head *head) { return head->text + head->text_length; }

static void append(struct head *head, const char *text, size_t length) {
  memmove(text_end(head), text, length);
  head->text_length += (uint32_t)length;
}

static void end_request_line(struct head *head, char minor) {
  char end[] = {' ', minor, '\n'};
  append(head, end, sizeof end);
}

/*
 * Writes path and query of a URI in the place of the URI, and its authority behind the line. All of it is shorter than the
 * line was, for "http://" and "HTTP/1." go.
 */
static enum problem read_uri(struct head *head, const struct request_line *parts, size_t scheme) {
  struct span rest = {parts->target.text + scheme, parts->target.length - scheme};
  size_t length = 0;
  while (length < rest.length && rest.text[length] != '/' && rest.text[length] != '?') length++;
  char authority[AUTHORITY_MOST];
  if (length > sizeof authority || !is_host(rest.text, length)) return PROBLEM_BAD_HOST;
  memcpy(authority, rest.text, length);
  char minor = parts->version.text[7];
  struct span path = {rest.text + length, rest.length - length};
  head->text_length = (uint32_t)parts->method.length + 1;
  if (path.length == 0 && is_exactly(parts->method, "OPTIONS")) {
    /* RFC 9112, section 3.2.4. */
    append(head, "*", 1);
  } else {
    /* The path is still unharmed: it stood at least eight octets further behind. */
    if (path.length == 0 || path.text[0] == '?') append(head, "/", 1);
    append(head, path.text, path.length);
  }
  end_request_line(head, minor);
  append(head, "host:", 5);
  append(head, authority, length);
  append(head, "\n", 1);
  head->has_authority = true;
  return PROBLEM_NONE;
}

static enum problem read_target(struct head *head, const struct request_line *parts) {
  if (memchr(parts->target.text, '#', parts->target.length) != NULL) return PROBLEM_BAD_TARGET;
  size_t scheme = is_exactly(parts->method, "CONNECT") ? 0 : scheme_length(parts->target);
  if (scheme > 0) return read_uri(head, parts, scheme);
  bool sound = parts->target.text[0] == '/' || is_exactly(parts->method, "CONNECT") ||
               (is_exactly(parts->target, "*") && is_exactly(parts->method, "OPTIONS"));
  if (!sound) return PROBLEM_BAD_TARGET;
  head->text_length = (uint32_t)(parts->method.length + 1 + parts->target.length);
  end_request_line(head, parts->version.text[7]);
  return PROBLEM_NONE;
}

static enum problem read_request_line(struct head *head) {
  struct span line = {head->text, head->text_length};
  struct request_line parts;
  enum problem recognised = recognise(line);
  if (recognised != PROBLEM_NONE) return recognised;
  if (!split(line, &parts) || !is_version(parts.version)) return PROBLEM_BAD_REQUEST_LINE;
  if (parts.method.length > METHOD_MOST) return PROBLEM_METHOD_TOO_LONG;
  if (!is_exactly(parts.version, "HTTP/1.0") && !is_exactly(parts.version, "HTTP/1.1")) return PROBLEM_UNSUPPORTED_VERSION;
  head->method_length = (uint32_t)parts.method.length;
  head->minor = (uint8_t)(parts.version.text[7] - '0');
  return read_target(head, &parts);
}

/* --- what fields say */

static void note_host(struct head *head, struct span value) {
  head->hosts++;
  if (!is_host(value.text, value.length)) head->said |= HAS_BAD_HOST;
}

static void note_length(struct head *head, struct span value) {
  head->lengths++;
  head->length = 0;
  if (value.length == 0) head->said |= HAS_BAD_LENGTH;
  for (size_t i = 0; i < value.length; i++) {
    if (is_digit((unsigned char)value.text[i])) head->length = head->length * 10 + (uint64_t)(value.text[i] - '0');
    if (is_digit((unsigned char)value.text[i]) && head->length <= MOST_COUNTED) continue;
    head->said |= HAS_BAD_LENGTH;
    return;
  }
}

/* One element of all the codings, in their order. */
static void note_one_coding(struct head *head, struct span coding) {
  size_t length = 0;
  while (length < coding.length && is_token_octet((unsigned char)coding.text[length])) length++;
  struct span name = {coding.text, length};
  struct span parameters = trimmed((struct span){coding.text + length, coding.length - length});
  bool is_chunked = is_word(name, "chunked");
  bool is_sound = length > 0 && (parameters.length == 0 || (!is_chunked && parameters.text[0] == ';'));
  /* Nothing may come behind "chunked". */
  if (!is_sound || (head->said & IS_CHUNKED) != 0) head->said |= HAS_BAD_CODING;
  head->said |= is_chunked ? IS_CHUNKED : HAS_OTHER_CODING;
}

static void note_coding(struct head *head, struct span value) {
  struct span coding;
  bool more = true;
  head->codings++;
  while (more) {
    more = next_element(&value, &coding);
    note_one_coding(head, coding);
  }
}

static void note_connection(struct head *head, struct span value) {
  struct span option;
  bool more = true;
  while (more) {
    more = next_element(&value, &option);
    if (is_word(option, "close")) head->said |= CLOSES;
    if (is_word(option, "keep-alive")) head->said |= KEEPS_ALIVE;
    if (is_word(option, "upgrade")) head->said |= UPGRADES;
  }
}

static void note_expectation(struct head *head, struct span value) {
  struct span expectation;
  bool more = true;
  while (more) {
    more = next_element(&value, &expectation);
    head->said |= is_word(expectation, "100-continue") ? CONTINUES : HAS_OTHER_EXPECTATION;
  }
}

static void note_upgrade(struct head *head, struct span value) {
  struct span protocol;
  bool more = true;
  while (more) {
    more = next_element(&value, &protocol);
    if (is_word(protocol, "websocket")) head->said |= TO_WEBSOCKET;
  }
}

static void note_websocket_key(struct head *head, struct span value) {
  head->keys++;
  head->websocket_key = (struct part){(uint32_t)(value.text - head->text), (uint32_t)value.length};
}

static void note_websocket_version(struct head *head, struct span value) {
  head->versions++;
  if (is_exactly(value, "13")) head->said |= OF_VERSION_13;
}

#define NOTE(name, by) {{name, sizeof name - 1}, by}

static const struct {
  struct span name;
  void (*by)(struct head *head, struct span value);
} NOTED[] = {
  NOTE("host", note_host),
  NOTE("connection", note_connection),
  NOTE("content-length", note_length),
  NOTE("transfer-encoding", note_coding),
  NOTE("expect", note_expectation),
  NOTE("upgrade", note_upgrade),
  NOTE("sec-websocket-key", note_websocket_key),
  NOTE("sec-websocket-version", note_websocket_version),
};

static void note_field(struct head *head, struct span name, struct span value) {
  for (size_t i = 0; i < sizeof NOTED / sizeof *NOTED; i++) {
    if (name.length != NOTED[i].name.length || memcmp(name.text, NOTED[i].name.text, name.length) != 0) continue;
    NOTED[i].by(head, value);
    return;
  }
}

/* 16 octets in base64: 22 digits and two that fill up. */
static bool is_websocket_key(struct span key) {
  for (size_t i = 0; i + 2 < key.length; i++) {
    unsigned char c = (unsigned char)key.text[i];
    unsigned char letter = lower(c);
    if (!is_digit(c) && !(letter >= 'a' && letter <= 'z') && c != '+' && c != '/') return false;
  }
  return key.length == 24 && memcmp(key.text + 22, "==", 2) == 0;
}

static bool asks_for_websocket(const struct head *head) {
  const uint32_t needed = UPGRADES | TO_WEBSOCKET | OF_VERSION_13;
  struct span method = {head->text, head->method_length};
  struct span key = {head->text + head->websocket_key.at, head->websocket_key.length};
  bool has_body = head->framing == BODY_IN_CHUNKS || head->length > 0;
  return head->minor == 1 && is_exactly(method, "GET") && !has_body && (head->said & needed) == needed &&
         head->versions == 1 && head->keys == 1 && is_websocket_key(key);
}

/* What is wrong with a complete head, be it more than one thing: the first of these. */
static enum problem judge(const struct head *head) {
  struct span method = {head->text, head->method_length};
  if (head->hosts == 0 && head->minor == 1) return PROBLEM_NO_HOST;
  if (head->hosts > 1) return PROBLEM_REPEATED_HOST;
  if (head->said & HAS_BAD_HOST) return PROBLEM_BAD_HOST;
  if (head->lengths > 1) return PROBLEM_REPEATED_LENGTH;
  if (head->said & HAS_BAD_LENGTH) return PROBLEM_BAD_LENGTH;
  if (head->lengths > 0 && head->codings > 0) return PROBLEM_LENGTH_AND_CODING;
  if (head->codings > 0 && head->minor == 0) return PROBLEM_CODING_IN_HTTP_1_0;
  if (head->said & HAS_BAD_CODING) return PROBLEM_BAD_CODING;
  if (head->said & HAS_OTHER_CODING) return PROBLEM_UNKNOWN_CODING;
  if (is_exactly(method, "CONNECT")) return PROBLEM_CONNECT_METHOD;
  if (head->minor == 1 && (head->said & HAS_OTHER_EXPECTATION)) return PROBLEM_UNKNOWN_EXPECTATION;
  return PROBLEM_NONE;
}

static void complete(struct head *head) {
  head->place = OVER;
  head->problem = (uint8_t)judge(head);
  head->framing = head->codings > 0 ? BODY_IN_CHUNKS : head->lengths > 0 ? BODY_OF_LENGTH : NO_BODY;
  head->keeps_alive = !(head->said & CLOSES) && (head->minor == 1 || (head->said & KEEPS_ALIVE));
  head->expects_continue = head->minor == 1 && (head->said & CONTINUES);
  head->is_websocket = head->problem == PROBLEM_NONE && asks_for_websocket(head);
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
