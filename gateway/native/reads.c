/*
 * What uWebSockets reads.
 *
 * 1. Reads are capped. After a recv() that filled its whole 512 KiB buffer uSockets reads the same socket again at once,
 *    without a look at anything else. A sender on the same host that keeps 512 KiB in the socket thereby defeats pause(),
 *    and holds the event loop for seconds. Asking recv() for less ends that.
 * 2. A socket can be muted: whatever its peer still sends ends the connection. uSockets answers what is no request with an
 *    error page, in the middle of a running response, where it can fill the place of the last bytes of a body.
 * 3. A socket can be spent: its client was told that the connection closes behind the answer. What is left of the refused
 *    body is read and dropped by uWebSockets, whose idea of where it ends is anybody's guess, so nothing behind it is a request.
 * 4. Chunked bodies are checked, and their chunks joined. uWebSockets takes almost anything for a size line and never looks
 *    at the line break behind a chunk, so that a body with broken framing ends early and looks complete; and it calls back
 *    for every chunk, so that a sender of one-byte chunks costs others their turn. What is read from a watched socket is
 *    followed here by a strict parser (RFC 9112, section 7.1, without extensions and trailers), and uWebSockets gets one
 *    chunk for each read, made of all that the read brought.
 *
 * The read that brings the head of a request also brings the start of its body, and uWebSockets has begun to parse it when
 * the request is known to be chunked. So the body's start is found again in that read, and followed. uWebSockets is then
 * somewhere inside a chunk of the sender's own; what follows is passed on as it is until that chunk has ended, and joined
 * from there on.
 */
#include "reads.h"
#include "common.h"
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

size_t usual_read = SIZE_MAX;
size_t bulk_read = SIZE_MAX;

/* Where a chunked body is. */
enum place {
  UNWATCHED,
  /* Its start is somewhere behind the head, in the read that brought the head, or at the end of that read. */
  NOT_FOUND,
  SIZE,
  SIZE_LF,
  DATA,
  DATA_CR,
  DATA_LF,
  LAST_CR,
  LAST_LF,
  COMPLETE,
  BROKEN,
  /* JavaScript knows that it has ended; of its last line break this is still to come. uWebSockets drops two bytes, any two. */
  END_CR,
  END_LF
};

struct body {
  enum place place;
  /* Where it is if it has no data in the read that brought the head. */
  enum place place_if_late;
  /* The size being read, or how much of the chunk is still to come. */
  uint64_t size;
  int digits;
  /* Bytes of data so far. */
  uint64_t data;
  /* uWebSockets gets chunks made here, and is between two of them after each read. */
  bool joined;
};

static struct body bodies[MOST_SOCKETS];
static bool muted[MOST_SOCKETS];
static bool bulk[MOST_SOCKETS];
static bool spent[MOST_SOCKETS];

/* What this thread read last. */
static _Thread_local int last_socket = -1;
static _Thread_local const unsigned char *last_bytes = NULL;
static _Thread_local size_t last_length = 0;

/* JavaScript counts no further. */
#define MOST_BYTES ((uint64_t)1 << 53)

/* Moves on by one byte that is not data. */
static void follow_frame(struct body *body, unsigned char c) {
  int digit;
  switch (body->place) {
    case DATA_CR: body->place = c == '\r' ? DATA_LF : BROKEN; break;
    case DATA_LF:
      /* All data has come, so the size is 0 again. */
      body->place = c == '\n' ? SIZE : BROKEN;
      body->digits = 0;
      break;
    case SIZE:
      digit = hex(c);
      if (digit >= 0 && body->digits < 32 && body->size < MOST_BYTES / 16) {
        body->size = body->size * 16 + (uint64_t)digit;
        body->digits++;
      } else {
        body->place = c == '\r' && body->digits > 0 ? SIZE_LF : BROKEN;
      }
      break;
    case SIZE_LF: body->place = c != '\n' ? BROKEN : body->size > 0 ? DATA : LAST_CR; break;
    case LAST_CR: body->place = c == '\r' ? LAST_LF : BROKEN; break;
    case LAST_LF: body->place = c == '\n' ? COMPLETE : BROKEN; break;
    default: break;
  }
}

/* Moves on by data; returns how many of the bytes are data of this chunk. */
static size_t follow_data(struct body *body, size_t here) {
  if (here > body->size) here = (size_t)body->size;
  body->size -= here;
  body->data += here;
  if (body->size == 0) body->place = DATA_CR;
  return here;
}

static bool is_over(const struct body *body) { return body->place == COMPLETE || body->place == BROKEN; }

static bool is_between_chunks(const struct body *body) { return body->place == SIZE && body->digits == 0; }

/* Follows the body to the next gap between two chunks, or to the end of the bytes. Returns where it came. */
static const unsigned char *follow_chunk(struct body *body, const unsigned char *at, const unsigned char *end) {
  while (at < end && !is_over(body)) {
    if (body->place == DATA) {
      at += follow_data(body, (size_t)(end - at));
    } else {
      follow_frame(body, *at++);
      if (is_between_chunks(body)) break;
    }
  }
  return at;
}

static void follow(struct body *body, const unsigned char *at, const unsigned char *end) {
  while (at < end && !is_over(body)) at = follow_chunk(body, at, end);
}

/* --- the read that brought the head */

static const unsigned char HEAD_END[] = "\r\n\r\n";

/* Whether the head can have ended here. At the start of a read, part of its end is in the read before. */
static bool ends_head(const unsigned char *at) {
  size_t here = (size_t)(at - last_bytes);
  if (here > 4) here = 4;
  return here > 0 && memcmp(at - here, HEAD_END + 4 - here, here) == 0;
}

/* Where the body is if all of this read behind the head is a part of its first size line. */
static void expect_late(struct body *body) {
  const unsigned char *end = last_bytes + last_length;
  const unsigned char *from = last_length > 40 ? end - 40 : last_bytes + 1;
  struct body late = {.place = SIZE};
  for (const unsigned char *at = end; at >= from; at--) {
    if (!ends_head(at)) continue;
    follow(&late, at, end);
    body->place_if_late = late.place;
    body->size = late.size;
    body->digits = late.digits;
    return;
  }
}

/* Finds the first chunk, whose data uWebSockets says is at `data`. */
static void find_start(struct body *body, const unsigned char *data) {
  const unsigned char *line = data - 2;
  if (data < last_bytes + 3 || data > last_bytes + last_length) return;
  while (line > last_bytes && hex(line[-1]) >= 0) line--;
  *body = (struct body){.place = ends_head(line) ? SIZE : BROKEN};
  follow(body, line, last_bytes + last_length);
}

/* What is still to come of a body that has ended. */
static enum place rest_of_end(enum place place) {
  return place == LAST_CR ? END_CR : place == LAST_LF ? END_LF : UNWATCHED;
}

/*
 * Whether there is an empty body behind the head: "0" and its line break; LAST_CR, LAST_LF or COMPLETE then, else BROKEN. At
 * least the last byte of the head is in this read, so a "0" at its very start belongs to a header.
 */
static enum place find_empty_body(void) {
  for (size_t i = 1; i < last_length; i++) {
    if (last_bytes[i] != '0' || !ends_head(last_bytes + i)) continue;
    while (i < last_length && last_bytes[i] == '0') i++;
    size_t rest = last_length - i < 4 ? last_length - i : 4;
    /* The last line break may still be on its way. */
    if (rest >= 2 && memcmp(last_bytes + i, HEAD_END, rest) == 0) return (enum place)(LAST_CR + rest - 2);
  }
  return BROKEN;
}

/* --- the reads after it */

/* Room in front of what is read, for a size line, and behind it, for the ends of a chunk and of the body. */
#define BEFORE 16
#define BEHIND 8

/* Fills the place of a size line with one, however long that place is. */
static void write_size(unsigned char *from, unsigned char *data, size_t size) {
  unsigned char *at = data;
  *--at = '\n';
  *--at = '\r';
  do *--at = "0123456789abcdef"[size & 15];
  while ((size >>= 4) > 0);
  memset(from, '0', (size_t)(at - from));
}

/* A chunked body as it is handed on: what has been put where uWebSockets will read it. */
struct output {
  /* Where the data starts, NULL while there is none, and where it ends. */
  unsigned char *data;
  unsigned char *end;
};

/* Takes the data of all chunks together, and leaves it where the first of it was read. Returns where the body ended. */
static unsigned char *gather(struct body *body, struct output *out, unsigned char *at, unsigned char *end) {
  while (at < end && !is_over(body)) {
    if (body->place != DATA) {
      follow_frame(body, *at++);
      continue;
    }
    size_t here = follow_data(body, (size_t)(end - at));
    if (out->data == NULL) out->data = out->end = at;
    else memmove(out->end, at, here);
    out->end += here;
    at += here;
  }
  return at;
}

/* Makes one chunk of what was read between `at` and `end`, from `line` on, which is at least BEFORE bytes earlier. */
static unsigned char *join(struct body *body, unsigned char *line, unsigned char *at, unsigned char *end) {
  struct output out = {NULL, line};
  at = gather(body, &out, at, end);
  /* JavaScript finds out that the body is broken when it is called, so there has to be something to call it for. */
  if (body->place == BROKEN && out.data == NULL) {
    out.data = line + BEFORE;
    out.end = out.data + 1;
  }
  if (out.data != NULL) {
    write_size(line, out.data, (size_t)(out.end - out.data));
    memcpy(out.end, "\r\n", 2);
    out.end += 2;
  }
  if (body->place == COMPLETE) {
    size_t rest = (size_t)(end - at);
    /* What was read of the end is as long as what is written for it, so nothing behind it is overwritten. */
    memcpy(out.end, "0\r\n\r\n", 5);
    memmove(out.end + 5, at, rest);
    out.end += 5 + rest;
  }
  return out.end;
}

/* Reads on in a chunk that uWebSockets has begun to parse by itself, and from its end on joins what follows. */
static ssize_t read_begun(struct body *body, int fd, unsigned char *buffer, size_t most, int flags) {
  ssize_t got;
  if (body->place == DATA && body->size >= most) {
    got = recv(fd, buffer, most, flags);
    if (got > 0) follow_data(body, (size_t)got);
    return got;
  }
  uint64_t before = body->data;
  unsigned char *start = buffer + BEFORE;
  got = recv(fd, start, most - BEFORE - BEHIND, flags);
  if (got <= 0) return got;
  const unsigned char *gap = follow_chunk(body, start, start + got);
  size_t as_it_is = body->place == COMPLETE ? (size_t)got : (size_t)(gap - start);
  memmove(buffer, start, as_it_is);
  body->joined = is_between_chunks(body);
  if (body->place == BROKEN && body->data == before) {
    /* Without data in this read nobody is called who could find out. */
    errno = ECONNRESET;
    return -1;
  }
  if (!body->joined) return (ssize_t)as_it_is;
  return join(body, buffer + as_it_is, start + as_it_is, start + got) - buffer;
}

static ssize_t read_joined(struct body *body, int fd, unsigned char *buffer, size_t most, int flags) {
  unsigned char *start = buffer + BEFORE;
  ssize_t got = recv(fd, start, most - BEFORE - BEHIND, flags);
  if (got <= 0) return got;
  unsigned char *end = join(body, buffer, start, start + got);
  if (end > buffer) return end - buffer;
  /* Framing only. */
  errno = EAGAIN;
  return -1;
}

/* Nobody knows what it means, and whoever sent it is being told. */
static ssize_t read_in_vain(int fd, void *buffer, size_t most, int flags) {
  ssize_t got = recv(fd, buffer, most, flags);
  if (got <= 0) return got;
  errno = EAGAIN;
  return -1;
}

/* The end of the last line break, and whatever stands behind it. */
static ssize_t read_end(struct body *body, int fd, unsigned char *buffer, size_t most, int flags) {
  ssize_t got = recv(fd, buffer, most, flags);
  for (ssize_t i = 0; i < got && body->place != UNWATCHED; i++) {
    if (buffer[i] != (body->place == END_CR ? '\r' : '\n')) {
      errno = ECONNRESET;
      return -1;
    }
    body->place = body->place == END_CR ? END_LF : UNWATCHED;
  }
  return got;
}

static ssize_t read_body(struct body *body, int fd, unsigned char *buffer, size_t most, int flags) {
  if (body->place == END_CR || body->place == END_LF) return read_end(body, fd, buffer, most, flags);
  if (body->place == BROKEN) return read_in_vain(fd, buffer, most, flags);
  if (is_between_chunks(body)) body->joined = true;
  return (body->joined ? read_joined : read_begun)(body, fd, buffer, most, flags);
}

static bool is_followed(int fd) {
  if (fd >= MOST_SOCKETS) return false;
  struct body *body = &bodies[fd];
  if (body->place == NOT_FOUND) body->place = body->place_if_late;
  return body->place >= SIZE && body->place != COMPLETE;
}

static ssize_t read_some(int fd, void *buffer, size_t length, int flags) {
  bool followed = is_followed(fd);
  size_t cap = followed || (fd < MOST_SOCKETS && bulk[fd]) ? bulk_read : usual_read;
  size_t most = length < cap ? length : cap;
  return followed ? read_body(&bodies[fd], fd, buffer, most, flags) : recv(fd, buffer, most, flags);
}

ssize_t helped_recv(int fd, void *buffer, size_t length, int flags) {
  ssize_t got = read_some(fd, buffer, length, flags);
  last_socket = fd;
  last_bytes = buffer;
  last_length = got > 0 ? (size_t)got : 0;
  if (got > 0 && fd < MOST_SOCKETS && muted[fd]) {
    errno = ECONNRESET;
    return -1;
  }
  return got;
}

int socket_read_last(void) { return last_socket; }

void forget_reads(int fd) {
  if (fd >= MOST_SOCKETS) return;
  muted[fd] = false;
  bulk[fd] = false;
  spent[fd] = false;
  bodies[fd].place = UNWATCHED;
}

void mute_reads(int fd, bool on) {
  if (fd < MOST_SOCKETS) muted[fd] = on;
}

void expect_bulk(int fd, bool on) {
  if (fd < MOST_SOCKETS) bulk[fd] = on;
}

void spend(int fd) {
  if (fd >= 0 && fd < MOST_SOCKETS) spent[fd] = true;
}

bool is_spent(int fd) { return fd < MOST_SOCKETS && spent[fd]; }

void watch_chunks(int fd) {
  if (fd >= MOST_SOCKETS) return;
  bodies[fd] = (struct body){.place = NOT_FOUND, .place_if_late = UNWATCHED};
  expect_late(&bodies[fd]);
}

bool chunks_are_sound(int fd, const unsigned char *data, size_t length, bool last) {
  if (fd >= MOST_SOCKETS || bodies[fd].place == UNWATCHED) return true;
  struct body *body = &bodies[fd];
  enum place end;
  bool sound;
  if (body->place == NOT_FOUND && length > 0) find_start(body, data);
  /* The line break behind the last chunk may still be on its way. What was not found cannot be judged. */
  end = last && body->place == NOT_FOUND ? find_empty_body() : body->place;
  sound = last ? end >= LAST_CR && end <= COMPLETE : end != BROKEN;
  if (last) body->place = rest_of_end(end);
  /* Only the first chunk has a head before it: who missed that one is lost for good. */
  else if (body->place == NOT_FOUND && length > 0) body->place = UNWATCHED;
  return sound;
}
