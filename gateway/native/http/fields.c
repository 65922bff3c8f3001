#include "fields.h"
#include "host.h"
#include "octets.h"
#include <string.h>

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

static void note_host(struct head *head, struct span value) {
  head->hosts++;
  if (!is_host(value.text, value.length)) head->said |= HAS_BAD_HOST;
}

static void note_length(struct head *head, struct span value) {
  head->lengths++;
  head->length = 0;
  /* More digits than any number below 2^53 has: leading zeros, which others may cut off or take for an octal number. */
  if (value.length == 0 || value.length > 16) head->said |= HAS_BAD_LENGTH;
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

void note_field(struct head *head, struct span name, struct span value) {
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

void judge_head(struct head *head) {
  head->problem = (uint8_t)judge(head);
  head->framing = head->codings > 0 ? BODY_IN_CHUNKS : head->lengths > 0 ? BODY_OF_LENGTH : NO_BODY;
  head->keeps_alive = !(head->said & CLOSES) && (head->minor == 1 || (head->said & KEEPS_ALIVE));
  head->expects_continue = head->minor == 1 && (head->said & CONTINUES);
  head->is_websocket = head->problem == PROBLEM_NONE && asks_for_websocket(head);
}
