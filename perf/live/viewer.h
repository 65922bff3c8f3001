/* One viewer: a response that is read, taken out of its chunks, and compared with what has to be there. */
#pragma once
#include "stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define MOST_HEAD 4096
/* What has to be seen of a stream to know where it is: more than a frame's number and a piece of the pattern on either side. */
#define SEEN 96
#define PIECE 32

enum phase { HEAD, SIZE, DATA, DATA_END, RAW };

struct viewer {
  int fd;
  enum phase phase;
  int is_slow;
  int is_placed;    /* it is known where in a frame the next byte is */
  int is_numbered;  /* and in which frame */
  uint64_t offset;  /* of the next byte in the stream; before it is numbered, in its frame */
  uint64_t number;  /* the frame's number as far as it has been read */
  uint64_t left;    /* of the chunk */
  int64_t asked_at;
  uint64_t taken;   /* of the body */
  int seen;
  uint8_t first[SEEN];
  int head_length;
  char head[MOST_HEAD];
};

/* What is wrong with what it was sent; NULL for nothing. */
typedef const char *fault;

/* Not wrong, but no stream. */
static const char REFUSED[] = "an answer that is no 200";

/* Who reads the streams: `frame` is called for each frame that is complete, `gap` when whole frames are missing. */
struct ear {
  int told; /* the relay says where a viewer begins */
  void (*frame)(struct viewer *v, uint64_t frame);
  fault (*gap)(struct viewer *v);
};

/* Compares bytes with what has to be there. */
static fault check(struct viewer *v, const uint8_t *bytes, size_t length, const struct ear *ear) {
  while (length > 0) {
    const size_t at = v->offset % FRAME;
    size_t n = at < NUMBER ? NUMBER - at : FRAME - at;
    if (n > length) n = length;
    if (at >= NUMBER) {
      if (memcmp(bytes, pattern + at, n)) return "a wrong byte";
    } else {
      for (size_t i = 0; i < n; i++) v->number = v->number << 8 | bytes[i];
      if (at + n == NUMBER) {
        if (v->is_numbered && v->number != v->offset / FRAME) {
          const fault wrong = v->number > v->offset / FRAME ? ear->gap(v) : "a frame that comes again";
          if (wrong) return wrong;
        }
        v->offset = v->number * FRAME + at;
        v->is_numbered = 1;
        v->number = 0;
      }
    }
    v->offset += n;
    bytes += n;
    length -= n;
    if (v->is_numbered && v->offset % FRAME == 0) ear->frame(v, v->offset / FRAME - 1);
  }
  return NULL;
}

/* Where in a frame these SEEN bytes begin; -1 when they are of no frame. */
static long place_of(const uint8_t *bytes) {
  for (int skip = 0; skip <= SEEN - PIECE; skip += PIECE) {
    const uint8_t *found = memmem(pattern + NUMBER, FRAME - NUMBER, bytes + skip, PIECE);
    if (found) return ((found - pattern) - skip + FRAME) % FRAME;
  }
  return -1;
}

static fault take(struct viewer *v, const uint8_t *bytes, size_t length, const struct ear *ear) {
  v->taken += length;
  if (v->is_placed) return check(v, bytes, length, ear);
  while (length > 0 && v->seen < SEEN) v->first[v->seen++] = *bytes++, length--;
  if (v->seen < SEEN) return NULL;
  const long place = place_of(v->first);
  if (place < 0) return "bytes that are of no frame";
  /* In the middle of a number there is nothing to compare before its end. */
  const int passed = place > 0 && place < NUMBER ? NUMBER - (int)place : 0;
  v->offset = place + passed;
  v->is_placed = 1;
  const fault wrong = check(v, v->first + passed, SEEN - passed, ear);
  return wrong ? wrong : check(v, bytes, length, ear);
}

static const char *field(const struct viewer *v, const char *name) {
  for (const char *at = strstr(v->head, "\r\n"); at && at[2] != '\r'; at = strstr(at + 2, "\r\n"))
    if (!strncasecmp(at + 2, name, strlen(name)) && at[2 + strlen(name)] == ':') return at + 3 + strlen(name);
  return NULL;
}

/* The head is there. `offset_field`: the relay has to say where it begins. */
static fault read_head(struct viewer *v, int told) {
  if (strncmp(v->head, "HTTP/1.", 7) || atoi(v->head + 9) != 200) return REFUSED;
  const char *coding = field(v, "transfer-encoding");
  v->phase = coding && strstr(coding, "chunked") ? SIZE : RAW;
  if (!told) return NULL;
  const char *offset = field(v, "x-pipe-offset");
  if (!offset) return "no X-Pipe-Offset";
  v->offset = strtoull(offset, NULL, 10);
  v->is_placed = 1;
  /* Told, so the number of its frame is checked from the first on. */
  v->is_numbered = 1;
  const size_t at = v->offset % FRAME;
  if (at < NUMBER) v->number = at == 0 ? 0 : v->offset / FRAME >> (8 * (NUMBER - at));
  return NULL;
}

/* Bytes as they come from the socket. */
static fault feed(struct viewer *v, const uint8_t *bytes, size_t length, const struct ear *ear) {
  while (length > 0) {
    size_t n = 1;
    fault wrong = NULL;
    switch (v->phase) {
      case HEAD:
        if (v->head_length == MOST_HEAD - 1) return "a head that is too long";
        v->head[v->head_length++] = (char)*bytes;
        v->head[v->head_length] = 0;
        if (v->head_length >= 4 && !memcmp(v->head + v->head_length - 4, "\r\n\r\n", 4)) wrong = read_head(v, ear->told);
        break;
      case SIZE:
        if (*bytes == '\n') {
          if (v->left == 0) return "the end of the stream";
          v->phase = DATA;
        } else if (*bytes != '\r') {
          const int digit = *bytes >= 'a' ? *bytes - 'a' + 10 : *bytes >= 'A' ? *bytes - 'A' + 10 : *bytes - '0';
          if (digit < 0 || digit > 15) return "a size that is none";
          v->left = v->left * 16 + digit;
        }
        break;
      case DATA:
        n = length < v->left ? length : v->left;
        wrong = take(v, bytes, n, ear);
        v->left -= n;
        if (v->left == 0) v->phase = DATA_END;
        break;
      case DATA_END:
        if (*bytes == '\n') v->phase = SIZE;
        break;
      case RAW:
        n = length;
        wrong = take(v, bytes, n, ear);
        break;
    }
    if (wrong) return wrong;
    bytes += n;
    length -= n;
  }
  return NULL;
}
