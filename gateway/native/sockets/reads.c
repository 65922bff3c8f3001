/*
 * What uWebSockets reads.
 *
 * 1. Reads are capped. After a recv() that filled its whole 512 KiB buffer uSockets reads the same socket again at once, without
 *    looking at anything else. A sender on the same host that keeps 512 KiB in the socket thereby defeats pause(), and holds the
 *    event loop for seconds. Asking recv() for less ends that.
 * 2. Over plain TCP, requests are read by reader.c first. uWebSockets gets what reader.c makes of them: one request at a time,
 *    with a head that was written here and a body that is sound. What was read beyond it is kept until its response is over.
 * 3. A client that closes its side and goes on reading is answered. uSockets takes the end of what a client sends for the end of
 *    the connection, so it is not told of it before the response is over. A client that is gone altogether answers the first
 *    byte that reaches it with a reset, so an interim response is sent to find out.
 * 4. A connection that is to be closed is closed in the order of RFC 9112, section 9.6: the response is sent, then its end, and
 *    what the client still sends is dropped until it closes as well. A socket that is closed with unread bytes is reset, and a
 *    client that learns of that first never sees its answer.
 * 5. The frames of a WebSocket's client are followed, so that JavaScript knows how much there is of a message that is not complete,
 *    and can say why it closes one whose message is too long.
 * 6. What many receivers get without delay is staged for them: stage.c.
 */
#include "reads.h"
#include "ahead.h"
#include "common.h"
#include "frames.h"
#include "hand-over.h"
#include "peers.h"
#include "polls.h"
#include "reader.h"
#include "secure.h"
#include "stage.h"
#include "writes.h"
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

_Thread_local size_t usual_read = SIZE_MAX;
_Thread_local size_t bulk_read = SIZE_MAX;
void (*on_half_closed)(int fd, bool asked, bool early) = NULL;
void (*on_unfinished)(int fd) = NULL;

/* What a client may send ahead while its response is awaited. What one read brings beyond a request may be more, once. */
#define MOST_AHEAD ((size_t)16 * 1024)
/* What is read and dropped of one connection before it is reset. */
#define MOST_DROPPED ((uint64_t)256 * 1024 * 1024)

struct connection {
  struct reader reader;
  /* Of a WebSocket. */
  struct frames frames;
  /* What has been read beyond the present request. */
  struct ahead ahead;
  /* Requests are read by `reader`. */
  bool is_read_here;
  /* Reads may be large: each causes one callback. */
  bool bulk;
  /* What was read last goes to many. */
  bool has_crowd;
  /* The client has closed its side. */
  bool ended;
  /* It had done so when its present request was read. */
  bool ended_early;
  /* A WebSocket whose messages nobody can take now. */
  bool paused;
  /* Nothing can be sent to it any more. uSockets finds out by reading, and may have been kept from that. */
  bool failed;
  /* The present response is the last. When it has been sent, so is its end. */
  bool closing;
  bool closed;
};

static struct connection connections[MOST_SOCKETS];

/* What this thread read last. */
static _Thread_local int last_socket = -1;
static _Thread_local struct reading last;

static struct connection *connection_of(int fd) { return fd >= 0 && fd < MOST_SOCKETS ? &connections[fd] : NULL; }

static bool is_read_here(int fd) {
  struct connection *connection = connection_of(fd);
  return connection != NULL && connection->is_read_here;
}

/* --- when uSockets is to read */

void settle_reads(int fd) {
  struct connection *connection = connection_of(fd);
  if (connection == NULL || !connection->is_read_here) return;
  enum reader_state state = connection->reader.state;
  bool awaits = state == READER_AWAIT;
  if (connection->failed) {
    hold_reads(fd, false);
    expect_read(fd, true);
    return;
  }
  /* A client that does not read its answers gets no more of them. */
  bool unread = state == READER_HEAD && unsent(fd) > 0;
  bool has_something = connection->ahead.length > 0 || has_received(fd) || connection->ended || (connection->closing && !connection->closed);
  bool is_full = awaits && connection->ahead.length >= MOST_AHEAD;
  bool paused = connection->paused;
  hold_reads(fd, connection->ended || is_full || unread || paused || state == READER_BROKEN);
  expect_read(fd, has_something && !awaits && !unread && !paused && state != READER_BROKEN && (!connection->closing || unsent(fd) == 0));
}

void send_has_failed(int fd) {
  if (!is_read_here(fd) || connections[fd].failed) return;
  connections[fd].failed = true;
  settle_reads(fd);
}

/* --- how a connection ends */

static ssize_t nothing_yet(void) {
  errno = EAGAIN;
  return -1;
}

static ssize_t reset(void) {
  errno = ECONNRESET;
  return -1;
}

/* The client has closed its side while its response is awaited. Is it still there? */
static void look_for_client(const struct connection *connection, int fd) {
  static const char interim[] = "HTTP/1.1 102 Processing\r\n\r\n";
  /* In the middle of a response it is asked by what is sent next, or by JavaScript: ask_in_body(). */
  bool asks = may_send_interim(fd);
  if (asks) wire_send(fd, interim, sizeof interim - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (on_half_closed != NULL) on_half_closed(fd, asks, connection->ended_early);
  /* Whoever cannot be asked that way is asked by the kernel, which gives up after a minute and a half. */
  watch_closely(fd);
}

/* Sends the end of the last response, once all of it has been sent. */
static void close_own_side(struct connection *connection, int fd) {
  if (!connection->closing || connection->closed || unsent(fd) > 0) return;
  connection->closed = true;
  wire_end(fd);
}

/* --- reading */

/* The present request is complete and its response is not: what comes is kept, within bounds. */
static ssize_t read_ahead(struct connection *connection, int fd, unsigned char *buffer) {
  ssize_t got = wire_recv(fd, buffer, MOST_AHEAD, 0);
  if (got < 0) return got;
  if (got > 0 && !keep_ahead(&connection->ahead, buffer, (size_t)got)) return reset();
  if (got == 0) {
    connection->ended = true;
    look_for_client(connection, fd);
  }
  settle_reads(fd);
  return nothing_yet();
}

static ssize_t read_in_vain(struct connection *connection, int fd, unsigned char *buffer) {
  forget_ahead(&connection->ahead);
  close_own_side(connection, fd);
  ssize_t got = connection->ended ? 0 : wire_recv(fd, buffer, usual_read, 0);
  if (got == 0) {
    connection->ended = true;
    settle_reads(fd);
    /* uSockets would drop what it has not sent yet. */
    return unsent(fd) > 0 ? nothing_yet() : 0;
  }
  if (got < 0) {
    settle_reads(fd);
    return got;
  }
  connection->reader.dropped += (uint64_t)got;
  settle_reads(fd);
  return connection->reader.dropped > MOST_DROPPED ? reset() : nothing_yet();
}

/* Into `at`, which has room for `most` bytes. */
static ssize_t read_next(struct connection *connection, int fd, unsigned char *at, size_t most) {
  if (connection->ahead.length > 0) return (ssize_t)copy_ahead(&connection->ahead, at, most);
  if (connection->ended) return 0;
  /* What is behind the body stays with the kernel. */
  const struct reader *reader = &connection->reader;
  if (reader->state != READER_BODY_OF_LENGTH) return wire_recv(fd, at, most, 0);
  if (reader->left < most) most = (size_t)reader->left;
  bool stages = connection->has_crowd && !is_secured(fd);
  ssize_t got = stages ? stage_recv(fd, &(struct iovec){at, most}, 1) : wire_recv(fd, at, most, 0);
  if (got > 0) stage_note(at, (size_t)got, (struct gaps){.first = SIZE_MAX});
  return got;
}

static ssize_t read_scattered(const struct connection *connection, int fd, struct scatter *scatter) {
  if (connection->has_crowd) return stage_recv(fd, scatter->pieces, scatter->count);
  struct msghdr message = {.msg_iov = scatter->pieces, .msg_iovlen = (size_t)scatter->count};
  return recvmsg(fd, &message, 0);
}

static void take_scattered(struct reader *reader, const struct scatter *scatter, size_t got) {
  const struct iovec *pieces = scatter->pieces;
  reader_take_scattered(reader, scatter, got, &last);
  struct gaps gaps = {.first = SIZE_MAX};
  if (scatter->count > 1) gaps = (struct gaps){pieces[0].iov_len, pieces[2].iov_len, scatter->frame_length};
  stage_note(pieces[0].iov_base, last.joined, gaps);
}

/* Returns how much of what was read uWebSockets may have. */
static size_t follow_frames(struct connection *connection, int fd, const unsigned char *octets, size_t length) {
  size_t passed = frames_take(&connection->frames, octets, length);
  if (frames_have_news(&connection->frames) && on_unfinished != NULL) on_unfinished(fd);
  return passed;
}

/* The present request is for a name of another thread, which gets the connection with all that has come of it. */
static ssize_t give_away(struct connection *connection, int fd, const unsigned char *octets, bool is_ahead) {
  struct ahead *ahead = &connection->ahead;
  if (is_ahead) drop_ahead(ahead, last.consumed);
  else if (!keep_ahead(ahead, octets + last.consumed, last.rest)) return reset();
  struct parcel *parcel = make_parcel(fd, &last.head, ahead);
  forget_ahead(ahead);
  if (parcel == NULL) return reset();
  if (unsent(fd) == 0) {
    hand_over_at_close(parcel);
    return reset();
  }
  /* uWebSockets has something of the last response yet, which would be lost. */
  bool kept = keep_ahead(ahead, parcel->octets, parcel->length);
  drop_parcel(parcel);
  settle_reads(fd);
  return kept ? nothing_yet() : reset();
}

/* uSockets reads although it was not told to: in the loop that goes on after a full read, or because of a reset. */
static ssize_t look_for_reset(int fd) {
  char octet;
  ssize_t got = recv(fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT);
  return got < 0 ? got : nothing_yet();
}

static ssize_t read_request(struct connection *connection, int fd, unsigned char *buffer, size_t length) {
  struct reader *reader = &connection->reader;
  if (connection->failed) return reset();
  if (connection->paused) return look_for_reset(fd);
  if (reader->state == READER_AWAIT) return read_ahead(connection, fd, buffer);
  if (reader->state == READER_DISCARD || reader->state == READER_BROKEN || connection->frames.too_long) {
    return read_in_vain(connection, fd, buffer);
  }
  bool bulk = reader->state == READER_BODY_IN_CHUNKS || connection->bulk;
  size_t cap = bulk ? bulk_read : usual_read;
  size_t room = reader_room(reader);
  unsigned char *octets = buffer + room;
  size_t most = (length < cap ? length : cap) - room - (room > 0 ? READER_ROOM_BEHIND : 0);
  /* What is not taken now stays there, in front of what may be behind it. */
  bool is_ahead = connection->ahead.length > 0;
  struct scatter scatter;
  bool scatters = !is_ahead && !connection->ended && !is_secured(fd) && reader_scatter(reader, &scatter, octets, most);
  ssize_t got = scatters ? read_scattered(connection, fd, &scatter) : read_next(connection, fd, octets, most);
  if (got <= 0) return got;
  if (scatters) take_scattered(reader, &scatter, (size_t)got);
  else reader_take(reader, octets, (size_t)got, &last);
  if (last.leaves) return give_away(connection, fd, octets, is_ahead);
  if (last.has_head) {
    begin_response(fd, last.head.minor == 0);
    connection->ended_early = has_hung_up(fd);
  }
  if (is_ahead) drop_ahead(&connection->ahead, last.consumed);
  else if (!keep_ahead(&connection->ahead, octets + last.consumed, last.rest)) return reset();
  settle_reads(fd);
  if (reader->state == READER_TUNNEL) last.length = follow_frames(connection, fd, last.start, last.length);
  if (last.length == 0) return nothing_yet();
  if (last.start != buffer) memmove(buffer, last.start, last.length);
  return (ssize_t)last.length;
}

/* A number that nothing is remembered of. */
static ssize_t read_unhelped(int fd, void *buffer, size_t length, int flags) {
  return recv(fd, buffer, length < usual_read ? length : usual_read, flags);
}

/* What is read now is written over what was read last. */
static void end_last_read(void) {
  bool is_crowd = stage_next_read();
  struct connection *connection = connection_of(last_socket);
  if (connection != NULL) connection->has_crowd = is_crowd;
}

ssize_t helped_recv(int fd, void *buffer, size_t length, int flags) {
  end_last_read();
  last_socket = fd;
  last.has_head = false;
  return is_read_here(fd) ? read_request(&connections[fd], fd, buffer, length) : read_unhelped(fd, buffer, length, flags);
}

int socket_read_last(void) { return last_socket; }

const struct reading *head_read_last(void) { return last.has_head ? &last : NULL; }

void give_away_if(bool (*is_elsewhere)(const struct head *head)) { last.is_elsewhere = is_elsewhere; }

void drop_unread(int fd) {
  if (!is_read_here(fd)) return;
  drop_half(&connections[fd].reader.half_head);
  forget_ahead(&connections[fd].ahead);
}

bool begin_with(int fd, const unsigned char *octets, size_t length) {
  forget_reads(fd, true);
  if (!keep_ahead(&connections[fd].ahead, octets, length)) return false;
  settle_reads(fd);
  return true;
}

void forget_reads(int fd, bool plain) {
  struct connection *connection = connection_of(fd);
  if (connection == NULL) return;
  reader_forget(&connection->reader);
  forget_ahead(&connection->ahead);
  *connection = (struct connection){.is_read_here = plain};
  if (plain) watch_polls(fd);
  else forget_polls(fd);
}

/* --- what JavaScript says of a request */

bool body_is_sound(int fd) { return !is_read_here(fd) || !reader_is_broken(&connections[fd].reader); }

void response_is_over(int fd, bool closes) {
  if (!is_read_here(fd)) return;
  struct connection *connection = &connections[fd];
  if (closes) {
    reader_discard(&connection->reader);
    connection->closing = true;
  } else {
    reader_next(&connection->reader);
  }
  settle_reads(fd);
}

void discard_reads(int fd) {
  if (!is_read_here(fd)) return;
  reader_discard(&connections[fd].reader);
  settle_reads(fd);
}

void become_websocket(int fd, uint64_t most) {
  if (!is_read_here(fd)) return;
  connections[fd].frames = (struct frames){.most = most};
  reader_tunnel(&connections[fd].reader);
  settle_reads(fd);
}

void pause_websocket(int fd, bool on) {
  if (!is_read_here(fd) || connections[fd].reader.state != READER_TUNNEL || connections[fd].paused == on) return;
  connections[fd].paused = on;
  settle_reads(fd);
}

int64_t unfinished_message(int fd) {
  if (!is_read_here(fd)) return 0;
  const struct frames *frames = &connections[fd].frames;
  return frames->too_long ? -1 : (int64_t)frames->unfinished;
}

void expect_bulk(int fd, bool on) {
  if (connection_of(fd) != NULL) connections[fd].bulk = on;
}

bool is_between_requests(int fd) { return is_read_here(fd) && reader_is_idle(&connections[fd].reader) && unsent(fd) == 0; }

bool client_has_ended(int fd) { return is_read_here(fd) && connections[fd].ended; }
