/* Text in pieces that somebody else owns, and what it is compared with. */
#ifndef PIPEGATE_WORDS_H
#define PIPEGATE_WORDS_H

#include <stdbool.h>
#include <stddef.h>

struct span {
  const char *text;
  size_t length;
};

bool is_word(struct span span, const char *word);
bool starts_with(struct span span, const char *start);
bool is_exactly(struct span span, const char *text);
bool is_token(struct span span);
struct span trimmed(struct span span);
/* Takes the first element off a list. There always is one, be it empty. False: it was the last one. */
bool next_element(struct span *list, struct span *element);

#endif
