/*
 * Responses to HTTP/1.0, whose clients know no chunks: a body without a length ends with the connection. uWebSockets writes
 * chunks whenever it does not know a length, so their framing is taken off here, on the way to the socket. And it always says
 * HTTP/1.1, by which some clients expect chunks, and a connection that is kept.
 *
 * The head of such a response leaves by one call, for it is written inside a cork. A chunk may be cut anywhere.
 */
#include "bare.h"
#include "wire.h"
#include <string.h>
#include <sys/uio.h>

static const char VERSION[] = "HTTP/1.0";
static const char CHUNKED[] = "Transfer-Encoding: chunked\r\n";

/* Pieces that leave by one call. What is behind them leaves by the next. */
#define MOST_PIECES 16

/* Moves on by bytes that are alike, all to be sent or all framing, and returns how many they are. At least one is left. */
static size_t move_on(struct bare *bare, const unsigned char *at, size_t left) {
  const unsigned char *feed;
  switch (bare->place) {
    case BARE_VERSION:
      if (left < sizeof VERSION - 1 - bare->size) {
        bare->size += left;
        return left;
      }
      left = sizeof VERSION - 1 - (size_t)bare->size;
      bare->size = 0;
      bare->place = BARE_IN_LINE;
      return left;
    case BARE_LINE:
      bare->place = *at == '\r' ? BARE_HEAD_LF : BARE_IN_LINE;
      return 1;
    case BARE_IN_LINE:
      feed = memchr(at, '\n', left);
      if (feed == NULL) return left;
      bare->place = BARE_LINE;
      return (size_t)(feed - at) + 1;
    case BARE_HEAD_LF: bare->place = bare->chunked ? BARE_SIZE : BARE_BODY; return 1;
    case BARE_SIZE:
      if (*at == '\r') bare->place = BARE_SIZE_LF;
      else bare->size = bare->size * 16 + (uint64_t)hex(*at);
      return 1;
    case BARE_SIZE_LF: bare->place = bare->size > 0 ? BARE_DATA : BARE_DATA_CR; return 1;
    case BARE_DATA:
      if (left < bare->size) {
        bare->size -= left;
        return left;
      }
      left = (size_t)bare->size;
      bare->size = 0;
      bare->place = BARE_DATA_CR;
      return left;
    case BARE_DATA_CR: bare->place = BARE_DATA_LF; return 1;
    case BARE_DATA_LF: bare->place = BARE_SIZE; return 1;
    default: return left;
  }
}

/* Moves on by framing, and by the field that announces it. Returns how many bytes that were. */
static size_t skip(struct bare *bare, const unsigned char *at, size_t left) {
  size_t done = 0;
  if (bare->place == BARE_LINE && left >= sizeof CHUNKED - 1 && memcmp(at, CHUNKED, sizeof CHUNKED - 1) == 0) {
    bare->chunked = true;
    done = sizeof CHUNKED - 1;
  }
  while (done < left && bare->place >= BARE_SIZE) done += move_on(bare, at + done, left - done);
  return done;
}

/* Moves on until `sent` bytes have been sent, or to the end. Returns how many bytes that were, with the framing around them. */
static size_t move_by_sent(struct bare *bare, const unsigned char *bytes, size_t length, size_t sent) {
  size_t done = 0;
  for (;;) {
    done += skip(bare, bytes + done, length - done);
    size_t left = length - done < sent ? length - done : sent;
    if (left == 0) return done;
    size_t run = move_on(bare, bytes + done, left);
    done += run;
    sent -= run;
  }
}

ssize_t bare_send(struct bare *bare, int fd, const unsigned char *bytes, size_t length, int flags) {
  struct iovec pieces[MOST_PIECES];
  struct msghdr message = {.msg_iov = pieces};
  struct bare ahead = *bare;
  size_t seen = skip(&ahead, bytes, length);
  while (seen < length) {
    const void *at = ahead.place == BARE_VERSION ? VERSION + ahead.size : (const char *)bytes + seen;
    size_t run = move_on(&ahead, bytes + seen, length - seen);
    struct iovec *last = message.msg_iovlen > 0 ? &pieces[message.msg_iovlen - 1] : NULL;
    if (last != NULL && (const char *)last->iov_base + last->iov_len == at) last->iov_len += run;
    else if (message.msg_iovlen == MOST_PIECES) break;
    else pieces[message.msg_iovlen++] = (struct iovec){(void *)at, run};
    seen += run;
    seen += skip(&ahead, bytes + seen, length - seen);
  }
  ssize_t sent = message.msg_iovlen > 0 ? wire_sendmsg(fd, &message, flags) : 0;
  size_t done = move_by_sent(bare, bytes, length, sent > 0 ? (size_t)sent : 0);
  return done > 0 ? (ssize_t)done : sent;
}
