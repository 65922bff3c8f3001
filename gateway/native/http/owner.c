#include "owner.h"
#include <string.h>

static bool is_hex(unsigned char c) {
  unsigned char lower = c | 0x20;
  return (c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'f');
}

static unsigned char upper(unsigned char c) { return c >= 'a' ? c - 0x20 : c; }

/* FNV-1a, 32 bits. */
static uint32_t mix(uint32_t hash, unsigned char c) { return (hash ^ c) * 16777619u; }

static uint32_t mix_escape(uint32_t hash, unsigned char high, unsigned char low) { return mix(mix(mix(hash, '%'), high), low); }

static uint32_t hash_of_name(const char *name, size_t length) {
  static const char DIGITS[] = "0123456789ABCDEF";
  uint32_t hash = 2166136261u;
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char)name[i];
    if (c >= 0x80) {
      hash = mix_escape(hash, (unsigned char)DIGITS[c >> 4], (unsigned char)DIGITS[c & 15]);
    } else if (c == '%' && i + 2 < length && is_hex((unsigned char)name[i + 1]) && is_hex((unsigned char)name[i + 2])) {
      hash = mix_escape(hash, upper((unsigned char)name[i + 1]), upper((unsigned char)name[i + 2]));
      i += 2;
    } else {
      hash = mix(hash, c);
    }
  }
  /* The last octets of a name have reached the low bits only. */
  hash ^= hash >> 16;
  hash *= 0x7feb352du;
  return hash ^ (hash >> 15);
}

static bool is_under_prefix(const struct naming *naming, const char *path, size_t length) {
  size_t prefix = naming->prefix_length;
  return length >= prefix && memcmp(path, naming->prefix, prefix) == 0 && (length == prefix || path[prefix] == '/');
}

unsigned owner_of_target(const struct naming *naming, const char *target, size_t length) {
  const char *query = memchr(target, '?', length);
  if (query != NULL) length = (size_t)(query - target);
  size_t skipped = 1 + (is_under_prefix(naming, target, length) ? naming->prefix_length : 0);
  if (skipped > length) skipped = length;
  return hash_of_name(target + skipped, length - skipped) % naming->threads;
}

unsigned owner_of_head(const struct naming *naming, const struct head *head) {
  const char *target = head->text + head->method_length + 1;
  const char *end = memchr(target, ' ', head->text_length - head->method_length - 1);
  return owner_of_target(naming, target, end == NULL ? 0 : (size_t)(end - target));
}
