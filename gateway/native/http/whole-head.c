#include "whole-head.h"
#include <string.h>

size_t whole_head_most(const struct head *head) {
  /* Each line gets a CR. The first one gets "HTTP/1." too, and there is an empty one at the end. */
  return head->text_length + head->fields + 16;
}

static unsigned char *put(unsigned char *to, const char *text, size_t length) {
  memcpy(to, text, length);
  return to + length;
}

size_t put_whole_head(const struct head *head, unsigned char *to) {
  const char *line = head->text;
  const char *end = head->text + head->text_length;
  unsigned char *at = to;
  for (bool is_first = true; line < end; is_first = false) {
    const char *break_at = memchr(line, '\n', (size_t)(end - line));
    if (break_at == NULL) break_at = end;
    size_t length = (size_t)(break_at - line);
    if (is_first) {
      /* The version is one digit. */
      at = put(at, line, length - 1);
      at = put(at, "HTTP/1.", 7);
      at = put(at, break_at - 1, 1);
    } else {
      at = put(at, line, length);
    }
    at = put(at, "\r\n", 2);
    line = break_at + 1;
  }
  return (size_t)(put(at, "\r\n", 2) - to);
}
