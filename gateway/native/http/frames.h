/*
 * The frames of a WebSocket's client, followed beside uWebSockets, which collects the pieces of a message until it is complete and
 * tells nobody how much that is, and which cuts a client whose message is too long without a word (RFC 6455, section 5.2).
 */
#ifndef PIPEGATE_FRAMES_H
#define PIPEGATE_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_HEADER_MOST 14

/* A connection. All zero, but for `most`: a fresh one. */
struct frames {
  /* The longest message. */
  uint64_t most;
  /* Of the present frame: how much of its payload is still to come. */
  uint64_t left;
  /* Of the present message: how long it is at least, and how much of it has come. */
  uint64_t announced;
  uint64_t unfinished;
  /* The same when there were news last. */
  uint64_t told;
  /* What has come of a frame's header. */
  uint8_t header[FRAME_HEADER_MOST];
  uint8_t have;
  /* The present frame is of a message, and its last one. */
  bool is_data;
  bool is_last;
  /* A message is longer than allowed. No further octet belongs to uWebSockets. */
  bool too_long;
};

/* Follows what was read. Returns how much of it, from its front, uWebSockets may have: all, unless a message is too long. */
size_t frames_take(struct frames *frames, const unsigned char *octets, size_t length);

/* Whether the unfinished message has changed by 4 KiB or to nothing since there were news last, or is too long. */
bool frames_have_news(struct frames *frames);

#endif
