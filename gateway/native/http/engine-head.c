#include "engine-head.h"
#include <string.h>

unsigned char *put_before(unsigned char *end, const char *text, size_t length) {
  return memcpy(end - length, text, length);
}

unsigned char *put_number_before(unsigned char *end, uint64_t number) {
  do *--end = (unsigned char)('0' + number % 10);
  while ((number /= 10) > 0);
  return end;
}

unsigned char *put_size_before(unsigned char *end, size_t size) {
  unsigned char *at = PUT_BEFORE(end, "\r\n");
  do *--at = (unsigned char)"0123456789abcdef"[size & 15];
  while ((size >>= 4) > 0);
  return at;
}

static bool is_agreement(const char *line, size_t length) {
  static const char PROTOCOL[] = "sec-websocket-protocol:";
  static const char EXTENSIONS[] = "sec-websocket-extensions:";
  return (length >= sizeof PROTOCOL - 1 && memcmp(line, PROTOCOL, sizeof PROTOCOL - 1) == 0) ||
         (length >= sizeof EXTENSIONS - 1 && memcmp(line, EXTENSIONS, sizeof EXTENSIONS - 1) == 0);
}

/* The head's lines, from the last one to the first. */
static unsigned char *put_agreement_before(unsigned char *end, const struct head *head) {
  unsigned char *at = end;
  size_t left = AGREEMENT_MOST;
  for (size_t next = head->text_length; next > 0;) {
    size_t line_end = next - 1;
    size_t line = line_end;
    while (line > 0 && head->text[line - 1] != '\n') line--;
    size_t length = line_end - line;
    if (is_agreement(head->text + line, length) && length + 2 <= left) {
      at = PUT_BEFORE(at, "\r\n");
      at = put_before(at, head->text + line, length);
      left -= length + 2;
    }
    next = line;
  }
  return at;
}

static unsigned char *put_websocket_before(unsigned char *end, const struct head *head) {
  unsigned char *at = put_agreement_before(end, head);
  at = PUT_BEFORE(at, "\r\n");
  at = put_before(at, head->text + head->websocket_key.at, head->websocket_key.length);
  return PUT_BEFORE(at, "upgrade:websocket\r\nconnection:upgrade\r\nsec-websocket-version:13\r\nsec-websocket-key:");
}

/* The fields that say whether there is a body, or a WebSocket. */
static unsigned char *put_kind_before(unsigned char *end, const struct head *head) {
  if (head->is_websocket) return put_websocket_before(end, head);
  if (head->framing == BODY_IN_CHUNKS) return PUT_BEFORE(end, "transfer-encoding:chunked\r\n");
  if (head->length == 0) return end;
  return PUT_BEFORE(put_number_before(PUT_BEFORE(end, "\r\n"), head->length), "content-length:");
}

unsigned char *put_head_before(unsigned char *end, const struct head *head) {
  unsigned char *at = PUT_BEFORE(end, "\r\n");
  if (head->problem != PROBLEM_NONE) return PUT_BEFORE(at, "GET / HTTP/1.1\r\nhost:h\r\n");
  at = put_kind_before(at, head);
  at = PUT_BEFORE(at, " / HTTP/1.1\r\nhost:h\r\n");
  return put_before(at, head->text, head->method_length);
}

/* A method, what makes a WebSocket, and all that is always the same; and a size line. */
