/* Hosts: RFC 3986, section 3.2.2. */
#include "host.h"
#include "octets.h"
#include "words.h"
#include <stdint.h>
#include <string.h>

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


bool is_host(const char *text, size_t length) {
  struct span host = {text, host_length(text, length)};
  if (host.length > HOST_MOST) return false;
  if (host.length < length && !is_port((struct span){text + host.length + 1, length - host.length - 1})) return false;
  if (host.length > 0 && text[0] == '[') {
    return host.length > 2 && text[host.length - 1] == ']' && is_ipv6((struct span){text + 1, host.length - 2});
  }
  return is_registered_name(host);
}
