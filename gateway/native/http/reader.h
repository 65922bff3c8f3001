/*
 * One state machine for each connection, in front of uWebSockets: from its first octet to its last it says where heads and
 * bodies begin and end. Nothing here calls the system, so decrypted bytes may be read as well.
 *
 *                 head complete, without a body              reader_next()
 *        ┌────────────────────────────────────────► AWAIT ───────────────────► HEAD
 *      HEAD ── with a length ──► BODY_OF_LENGTH ──────►│   (the surplus of a read waits with the caller)
 *        │ └── in chunks ──────► BODY_IN_CHUNKS ──────►│
 *        │ refused                     │ framing broken└── reader_tunnel() ──► TUNNEL
 *        ▼                             ▼
 *     DISCARD ◄─ reader_discard()    BROKEN
 *
 * uWebSockets gets a head that is written here, with nothing in it that a client wrote but the method and what makes a
 * WebSocket, and behind it a body that is sound. What the client's head says JavaScript gets as text (head.h).
 *
 * A refused head is replaced by a stand-in, so that uWebSockets calls JavaScript, which asks what is wrong and answers.
 */
#ifndef PIPEGATE_READER_H
#define PIPEGATE_READER_H

#include "chunks.h"
#include "half-heads.h"
#include "scatter.h"

/* Room that reader_take() may need in front of what is read, and behind it. reader_room() says how much it is in front. */
#define READER_ROOM_BEFORE 2560
#define READER_ROOM_BEHIND 2

enum reader_state {
  /* Of the next request nothing or a part has come. */
  READER_HEAD,
  READER_BODY_OF_LENGTH,
  READER_BODY_IN_CHUNKS,
  /* All of the request was handed over, and its response is not over: what comes is not looked at. */
  READER_AWAIT,
  /* No HTTP any more. */
  READER_TUNNEL,
  /* What still comes counts and is dropped: a head was refused, or no further request is wanted. */
  READER_DISCARD,
  /* The same because the framing of a body was broken. */
  READER_BROKEN
};

/* A connection. All zero: a fresh one. */
struct reader {
  /* Of a body with a length: how much is still to come. */
  uint64_t left;
  /* Data of the body of the present or last request so far. */
  uint64_t body_bytes;
  /* Octets that were dropped. */
  uint64_t dropped;
  struct chunks chunks;
  /* What has come of a head; NULL while nothing has. */
  struct half_head *half_head;
  uint8_t state;
  /* The response is over before the body is. */
  bool answered;
  /* In front of a head: its place and empty lines so far. A client that only sends line breaks costs no memory. */
  uint8_t head_place;
  uint8_t empty_lines;
};

/* What a call of reader_take() has brought. One for each thread will do: it is large, and of use until the next call. */
struct reading {
  /* What uWebSockets is to read. It starts at the room in front of what was read, which is where that was to be. */
  unsigned char *start;
  size_t length;
  /* Octets that were taken, and how many behind them, unchanged, are for a later call. */
  size_t consumed;
  size_t rest;
  /* Of a planned read: bytes of the body from its first on that stand where they were read to. */
  size_t joined;
  /* Asked of each sound head, unless NULL: whether its request is somebody else's. Kept from call to call. */
  bool (*is_elsewhere)(const struct head *head);
  /* It is: `head` tells about it, all behind it is the rest, there is no output, and the reader is of no more use. */
  bool leaves;
  /* The output begins with a head: that of a request which `head` tells about, or a stand-in when that one has a problem. */
  bool has_head;
  struct head head;
  char text[HEAD_MOST];
};

/*
 * How much room the next call needs in front of what is read; behind it, READER_ROOM_BEHIND. Where bytes pass as they are it
 * is none, so that a read into the place where uWebSockets expects its bytes leaves nothing to be moved.
 */
size_t reader_room(const struct reader *reader);

/*
 * Reads on. `octets` has reader_room() writable bytes in front of it, where the output will start.
 *
 * It goes no further than to the end of the present request, and while its response is awaited (READER_AWAIT) takes nothing.
 * In one call there is at most one head. When less than all was consumed the rest is to be offered again: in READER_HEAD at
 * once, in READER_AWAIT after reader_next() or reader_tunnel(). Without output there is nothing to call uWebSockets for.
 */
void reader_take(struct reader *reader, unsigned char *octets, size_t length, struct reading *reading);

/*
 * Plans a read of at most `most` octets to `octets` and to places beside it. False: all of it may go to `octets`. What has come is
 * then given to reader_take_scattered().
 */
bool reader_scatter(const struct reader *reader, struct scatter *scatter, unsigned char *octets, size_t most);
void reader_take_scattered(struct reader *reader, const struct scatter *scatter, size_t got, struct reading *reading);

/* The response to the present request is over. Without a request whose response can be, this does nothing. */
void reader_next(struct reader *reader);

/* The present request has become a WebSocket. */
void reader_tunnel(struct reader *reader);

/* No further request is taken. */
void reader_discard(struct reader *reader);

/* The connection is closed, or a fresh one. */
void reader_forget(struct reader *reader);

/* Of a chunked body whose framing is broken: what is wrong. */
static inline enum chunk_fault reader_fault(const struct reader *reader) {
  return (enum chunk_fault)reader->chunks.fault;
}

static inline bool reader_is_broken(const struct reader *reader) { return reader->state == READER_BROKEN; }

/* All of the present request was handed over, be it answered or not. */
static inline bool reader_ended(const struct reader *reader) {
  return reader->state == READER_AWAIT || reader->state == READER_HEAD;
}

/* Nothing of a request has come, but perhaps empty lines: a connection may end here. */
static inline bool reader_is_idle(const struct reader *reader) {
  return reader->state == READER_HEAD && reader->half_head == NULL;
}

#endif
