/*
 * What leaves by uWebSockets.
 *
 * 1. Chunks leave whole. uWebSockets sends the size line of a chunk in one to three calls, and its data in another. On a
 *    socket that asks for it the size line waits here for its data, and both leave by one call. It also ends the trap that a
 *    write into a full cork is dropped when the cork's flush is partial: the flush is a size line, and taken in any case.
 *    What the kernel does not take of the data is not left to uWebSockets, which would keep a copy for each receiver: it is
 *    told that all was sent but the last byte, and so asks to be told when there is room; the rest stays due, JavaScript
 *    sends it from where it is kept for all receivers, and until then nothing else leaves.
 * 2. To a client that knows no chunks a body without a length leaves without them: bare.c.
 * 3. A head can leave before there is a body. uWebSockets ends a chunked response's head together with its first chunk, and
 *    writes the last fields of it then; so the helper ends it, and drops what still comes of it.
 * 4. A client that has closed its side can be asked whether it is there between two chunks, too: the line break behind a chunk, and
 *    zeros in front of the next size, may leave at any time. It is "1*HEXDIG" in RFC 9112, section 7.1.
 * 5. A body can end before the request has: uWebSockets ends both at once, or neither.
 * 6. How much has not been sent is known. uWebSockets keeps what the kernel does not take in a buffer of its own and
 *    does not say when that is empty.
 */
#include "writes.h"
#include "bare.h"
#include "common.h"
#include "secure.h"
#include "stage.h"
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* Where a chunked body that leaves is, counted by what uWebSockets has been told was sent. */
enum leaving { FREE, OUT_CR, OUT_LF, OUT_SIZE, OUT_SIZE_LF, OUT_DATA };

/* "\r\n", eight digits, "\r\n": the line break behind a chunk stands before the next size. */
#define LONGEST_LINE 12

static const char LAST_CHUNK[] = "0\r\n\r\n";

/* In front of one size. Clients take 16 digits (curl, Go), and a chunk's own are less than 8. */
#define MOST_ZEROS 6

struct response {
  enum leaving place;
  /* What the last send did not take, in bytes. */
  size_t left;
  /* What waits here to leave with the data behind it. */
  unsigned char held_bytes;
  unsigned char held[LONGEST_LINE];
  /* The size being written, or how much of the chunk is still to come. */
  uint64_t size;
  /* Data that uWebSockets has been told was sent, and that JavaScript has to send. */
  size_t due;
  /* Of the next chunk's line: how much of the line break has left already, and how many zeros have. */
  unsigned char breaks_early;
  unsigned char zeros;
  /* Bytes of the present response that have been sent. */
  uint64_t sent;
  /* Its head has been ended here, and uWebSockets has not; whether it is in the middle of a line. */
  bool head_goes_on;
  bool in_line;
  /* That head announces a body without a byte. */
  bool is_empty;
  /* Its body has been ended here. uWebSockets, which ends it later, has nothing to send any more. */
  bool has_ended;
  /* Its client knows no chunks. */
  bool is_bare;
  struct bare bare;
};

void (*on_all_sent)(int fd) = NULL;
void (*on_send_failed)(int fd) = NULL;

static struct response responses[MOST_SOCKETS];

/* Moves on by bytes that uWebSockets takes for sent. The last chunk, or anything unknown, sets the socket free. */
static void move_on(struct response *response, const unsigned char *at, const unsigned char *end) {
  while (at < end && response->place != FREE) {
    if (response->place == OUT_DATA) {
      size_t here = (size_t)(end - at) < response->size ? (size_t)(end - at) : (size_t)response->size;
      at += here;
      response->size -= here;
      if (response->size == 0) response->place = OUT_CR;
      continue;
    }
    unsigned char c = *at++;
    switch (response->place) {
      case OUT_CR: response->place = c == '\r' ? OUT_LF : FREE; break;
      case OUT_LF:
        response->place = c == '\n' ? OUT_SIZE : FREE;
        response->size = 0;
        break;
      case OUT_SIZE:
        if (hex(c) >= 0) response->size = response->size * 16 + (uint64_t)hex(c);
        else response->place = c == '\r' && response->size > 0 ? OUT_SIZE_LF : FREE;
        /* No chunk has the size 0 but the last one. */
        if (response->size == 0) response->place = FREE;
        break;
      case OUT_SIZE_LF: response->place = c == '\n' ? OUT_DATA : FREE; break;
      default: return;
    }
  }
}

/* Takes a piece of a size line into keeping. 0: it is something else, or there is data behind it. */
static int hold(struct response *response, const unsigned char *bytes, size_t length) {
  struct response after = *response;
  if (length > (size_t)(LONGEST_LINE - response->held_bytes)) return 0;
  move_on(&after, bytes, bytes + length - 1);
  if (after.place == OUT_DATA) return 0;
  move_on(&after, bytes + length - 1, bytes + length);
  /* The line of the last chunk has nothing behind it that it could wait for. */
  if (after.place == FREE) return 0;
  memcpy(after.held + after.held_bytes, bytes, length);
  after.held_bytes += (unsigned char)length;
  *response = after;
  return 1;
}

/* The size line that waits here, and data behind it. Returns how much was sent of both. */
static ssize_t send_both(struct response *response, int fd, const void *bytes, size_t length, int flags) {
  if (!is_secured(fd) && stage_has(bytes, length)) {
    ssize_t sent = send(fd, response->held, response->held_bytes, flags | MSG_MORE);
    if (sent < response->held_bytes) return sent;
    ssize_t behind = stage_send(fd, bytes, length, flags);
    return sent + (behind > 0 ? behind : 0);
  }
  struct iovec parts[] = {{response->held, response->held_bytes}, {(void *)bytes, length}};
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
  return wire_sendmsg(fd, &message, flags);
}

static ssize_t send_behind_held(struct response *response, int fd, const void *bytes, size_t length, int flags) {
  ssize_t sent = send_both(response, fd, bytes, length, flags);
  if (sent < 0) return sent;
  if (sent < response->held_bytes) {
    response->held_bytes -= (unsigned char)sent;
    memmove(response->held, response->held + sent, response->held_bytes);
    errno = EAGAIN;
    return -1;
  }
  sent -= response->held_bytes;
  response->held_bytes = 0;
  return sent;
}

/* Moves on to the end of a head that has been ended already. Returns how many bytes that are. */
static size_t skip_head(struct response *response, const unsigned char *bytes, size_t length) {
  size_t at = 0;
  while (at < length && response->head_goes_on) {
    unsigned char c = bytes[at++];
    if (c == '\n' && !response->in_line) {
      response->head_goes_on = false;
      response->zeros = 0;
      response->place = OUT_SIZE;
      response->size = 0;
    }
    /* Content-Length: uWebSockets ends a response of which no chunk was written. No other field begins with this letter. */
    if (c == 'C' && !response->in_line) response->is_empty = true;
    response->in_line = c != '\n' && (response->in_line || c != '\r');
  }
  return at;
}

/* The next chunk's line is being written. Moves on over the bytes of it that have left already, and returns how many those are. */
static size_t skip_early(struct response *response, const unsigned char *bytes, size_t length) {
  size_t skipped = length < response->breaks_early ? length : response->breaks_early;
  move_on(response, bytes, bytes + skipped);
  response->breaks_early -= (unsigned char)skipped;
  response->zeros = 0;
  return skipped;
}

static ssize_t send_on(struct response *response, int fd, const void *bytes, size_t length, int flags) {
  ssize_t sent;
  if (response->due > 0) {
    errno = EAGAIN;
    return -1;
  }
  if (response->place != FREE && length > 0 && hold(response, bytes, length)) return (ssize_t)length;
  /* A whole one, whose line waits here. What uWebSockets kept of a chunk may be all its rest, and nobody else has it. */
  bool is_chunk = response->held_bytes > 0 && response->place == OUT_DATA && response->size == length;
  size_t left_before = response->left;
  if (response->held_bytes > 0) sent = send_behind_held(response, fd, bytes, length, flags);
  else if (response->is_bare) sent = bare_send(&response->bare, fd, bytes, length, flags);
  else if (!is_secured(fd) && stage_has(bytes, length)) sent = stage_send(fd, bytes, length, flags);
  else sent = wire_send(fd, bytes, length, flags);
  if (sent > 0) response->sent += (uint64_t)sent;
  if (sent < 0 && (errno == EPIPE || errno == ECONNRESET) && on_send_failed != NULL) {
    int why = errno;
    on_send_failed(fd);
    errno = why;
  }
  response->left = length - (sent > 0 ? (size_t)sent : 0);
  if (left_before > 0 && response->left == 0 && on_all_sent != NULL) on_all_sent(fd);
  if (is_chunk && sent < (ssize_t)length - 1 && (sent >= 0 || errno == EAGAIN)) {
    response->due = length - 1 - (sent > 0 ? (size_t)sent : 0);
    sent = (ssize_t)length - 1;
  }
  if (sent > 0) move_on(response, bytes, (const unsigned char *)bytes + sent);
  return sent;
}

ssize_t helped_send(int fd, const void *bytes, size_t length, int flags) {
  if (fd >= MOST_SOCKETS) return send(fd, bytes, length, flags);
  struct response *response = &responses[fd];
  if (response->has_ended) return (ssize_t)length;
  size_t skipped = response->head_goes_on ? skip_head(response, bytes, length) : skip_early(response, bytes, length);
  if (skipped == 0) return send_on(response, fd, bytes, length, flags);
  if (response->is_empty && !response->head_goes_on) wire_send(fd, LAST_CHUNK, sizeof LAST_CHUNK - 1, flags);
  if (skipped == length) return (ssize_t)length;
  ssize_t sent = send_on(response, fd, (const unsigned char *)bytes + skipped, length - skipped, flags);
  /* An error comes again with the next call. */
  return (ssize_t)skipped + (sent > 0 ? sent : 0);
}

void forget_writes(int fd) {
  if (fd < MOST_SOCKETS) responses[fd] = (struct response){.place = FREE};
}

void begin_response(int fd, bool bare) {
  if (fd >= MOST_SOCKETS) return;
  struct response *response = &responses[fd];
  response->sent = 0;
  response->is_bare = bare;
  response->bare = (struct bare){0};
  response->head_goes_on = false;
  response->has_ended = false;
}

uint64_t sent_of_response(int fd) { return fd < MOST_SOCKETS ? responses[fd].sent : 0; }

bool may_send_interim(int fd) {
  return fd < MOST_SOCKETS && responses[fd].sent == 0 && !responses[fd].is_bare && responses[fd].left == 0;
}

bool join_chunks(int fd) {
  bool joins = fd < MOST_SOCKETS && responses[fd].left == 0 && !responses[fd].is_bare;
  if (joins) responses[fd].place = OUT_CR;
  return joins;
}

/* A few octets of framing, for which there is nearly always room. */
static bool send_framing(int fd, const char *octets, size_t length) {
  ssize_t sent = wire_send(fd, octets, length, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent > 0) responses[fd].sent += (uint64_t)sent;
  if (sent == (ssize_t)length) return true;
  /* A part of it, and nobody could send the rest. */
  if (sent > 0) shutdown(fd, SHUT_RDWR);
  return false;
}

bool end_head(int fd) {
  static const char END[] = "Transfer-Encoding: chunked\r\n\r\n";
  if (fd >= MOST_SOCKETS || responses[fd].left > 0 || responses[fd].is_bare || responses[fd].sent == 0) return false;
  responses[fd].head_goes_on = send_framing(fd, END, sizeof END - 1);
  responses[fd].in_line = false;
  responses[fd].is_empty = false;
  return responses[fd].head_goes_on;
}

bool end_body(int fd) {
  /* The line break behind the last chunk has not left, or not all of it. */
  static const char END[] = "\r\n0\r\n\r\n";
  if (fd >= MOST_SOCKETS) return false;
  struct response *response = &responses[fd];
  bool is_behind_chunk = response->place == OUT_CR;
  if (response->left > 0 || response->due > 0 || response->held_bytes > 0 || !(response->head_goes_on || is_behind_chunk)) return false;
  size_t skipped = is_behind_chunk ? response->breaks_early : 2;
  if (!send_framing(fd, END + skipped, sizeof END - 1 - skipped)) return false;
  response->head_goes_on = false;
  response->breaks_early = 0;
  response->place = FREE;
  response->has_ended = true;
  return true;
}

bool close_websocket(int fd) {
  /* RFC 6455, section 5.5.1: the end of the conversation, with code 1000. */
  static const char FRAME[] = {(char)0x88, 2, 0x03, (char)0xe8};
  if (fd >= MOST_SOCKETS || responses[fd].left > 0 || !send_framing(fd, FRAME, sizeof FRAME)) return false;
  responses[fd].has_ended = true;
  return true;
}

bool ask_in_body(int fd) {
  /* One octet for each question. The line break is not there before the first chunk. */
  static const char LINE[] = "\r\n0";
  if (fd >= MOST_SOCKETS) return false;
  struct response *response = &responses[fd];
  if (response->left > 0 || response->due > 0) return true;
  bool is_behind_chunk = response->place == OUT_CR && response->held_bytes == 0;
  if (!(response->head_goes_on || is_behind_chunk) || response->zeros == MOST_ZEROS) return false;
  size_t next = is_behind_chunk ? response->breaks_early : 2;
  if (wire_send(fd, LINE + next, 1, MSG_NOSIGNAL | MSG_DONTWAIT) != 1) {
    if ((errno == EPIPE || errno == ECONNRESET) && on_send_failed != NULL) on_send_failed(fd);
    return true;
  }
  response->sent++;
  if (next < 2) response->breaks_early++;
  else response->zeros++;
  return true;
}

size_t bytes_due(int fd) {
  /* The last byte is with uWebSockets, and leaves when it flushes. */
  return fd < MOST_SOCKETS && responses[fd].due > 0 ? responses[fd].due + 1 : 0;
}

size_t send_due(int fd, const unsigned char *bytes, size_t length) {
  if (fd >= MOST_SOCKETS || responses[fd].due == 0) return 0;
  struct response *response = &responses[fd];
  if (length > response->due) length = response->due;
  ssize_t sent = send_behind_held(response, fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent <= 0) return 0;
  response->due -= (size_t)sent;
  return (size_t)sent;
}

size_t left_with_engine(int fd) { return fd < MOST_SOCKETS ? responses[fd].left : 0; }

size_t unsent(int fd) { return fd < MOST_SOCKETS ? responses[fd].left + kept_bytes(fd) : 0; }
