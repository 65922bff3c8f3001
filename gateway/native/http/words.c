#include "words.h"
#include "octets.h"
#include <string.h>

bool is_word(struct span span, const char *word) {
  for (size_t i = 0; i < span.length; i++) {
    if (word[i] == '\0' || lower((unsigned char)span.text[i]) != (unsigned char)word[i]) return false;
  }
  return word[span.length] == '\0';
}

bool starts_with(struct span span, const char *start) {
  size_t length = strlen(start);
  return span.length >= length && memcmp(span.text, start, length) == 0;
}

bool is_exactly(struct span span, const char *text) {
  return span.length == strlen(text) && starts_with(span, text);
}

bool is_token(struct span span) {
  for (size_t i = 0; i < span.length; i++) {
    if (!is_token_octet((unsigned char)span.text[i])) return false;
  }
  return span.length > 0;
}

struct span trimmed(struct span span) {
  while (span.length > 0 && is_blank((unsigned char)span.text[0])) {
    span.text++;
    span.length--;
  }
  while (span.length > 0 && is_blank((unsigned char)span.text[span.length - 1])) span.length--;
  return span;
}

bool next_element(struct span *list, struct span *element) {
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
