#include "request-line.h"
#include "host.h"
#include "octets.h"
#include "words.h"
#include <string.h>

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

enum problem read_request_line(struct head *head) {
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
