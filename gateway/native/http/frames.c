#include "frames.h"

#define FIN 0x80
#define MASKED 0x80
/* From here on opcodes are of control frames, which may stand between those of a message. */
#define OPCODE_CONTROL 8
#define NEWS_BYTES ((uint64_t)4 * 1024)

static uint8_t length_size(uint8_t length) { return length < 126 ? 0 : length == 126 ? 2 : 8; }

static size_t header_size(const struct frames *frames) {
  if (frames->have < 2) return 2;
  uint8_t second = frames->header[1];
  return (size_t)2 + length_size(second & 0x7f) + (second & MASKED ? 4 : 0);
}

static uint64_t payload_length(const uint8_t *header) {
  uint8_t length = header[1] & 0x7f;
  uint8_t size = length_size(length);
  if (size == 0) return length;
  uint64_t value = 0;
  for (uint8_t i = 0; i < size; i++) value = value << 8 | header[2 + i];
  return value;
}

static void end_frame(struct frames *frames) {
  if (!frames->is_data || !frames->is_last) return;
  frames->announced = 0;
  frames->unfinished = 0;
}

static void begin_frame(struct frames *frames) {
  uint8_t first = frames->header[0];
  frames->have = 0;
  frames->left = payload_length(frames->header);
  frames->is_data = (first & 0x0f) < OPCODE_CONTROL;
  frames->is_last = (first & FIN) != 0;
  if (frames->is_data) {
    /* Both are below 2^64 apart: a sum that wraps is too long as well. */
    frames->too_long = frames->left > frames->most || frames->announced + frames->left > frames->most;
    frames->announced += frames->left;
  }
  if (frames->left == 0) end_frame(frames);
}

static size_t take_payload(struct frames *frames, size_t available) {
  size_t taken = available < frames->left ? available : (size_t)frames->left;
  frames->left -= taken;
  if (frames->is_data) frames->unfinished += taken;
  if (frames->left == 0) end_frame(frames);
  return taken;
}

size_t frames_take(struct frames *frames, const unsigned char *octets, size_t length) {
  size_t at = 0;
  while (at < length && !frames->too_long) {
    if (frames->left > 0) {
      at += take_payload(frames, length - at);
      continue;
    }
    frames->header[frames->have++] = octets[at++];
    if (frames->have < header_size(frames)) continue;
    begin_frame(frames);
    /* Without the last octet of this header uWebSockets does not know of the frame. */
    if (frames->too_long) return at - 1;
  }
  return at;
}

bool frames_have_news(struct frames *frames) {
  uint64_t now = frames->unfinished;
  uint64_t change = now > frames->told ? now - frames->told : frames->told - now;
  if (!frames->too_long && change < NEWS_BYTES && (now > 0 || change == 0)) return false;
  frames->told = now;
  return true;
}
