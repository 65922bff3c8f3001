/*
 * 1. A handshake costs a fraction of a millisecond of computing, and what comes of one byte by byte costs nothing. So time is counted: in one
 *    turn of the event loop some are gone on with, and the others a turn later.
 * 2. One that has begun holds 40 KiB, as long as its client likes, within half a minute. There are only so many: who has taken longest makes room.
 * 3. A client that speaks HTTP is answered in HTTP. Its connection stays until it has closed its side: what it sends unread would end it with a
 *    reset, and the answer would never be seen.
 */
#include "handshake.h"
#include "identities.h"
#include "polls.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

/* In one turn, in nanoseconds. */
#define TURN_NS 4000000
/* Of one thread. */
#define HALVES_MOST 2000
/* Of a ClientHello, which has 2 KiB with the largest keys of today. OpenSSL takes memory for as much as is announced, up to 128 KiB. */
#define HELLO_MOST (16 * 1024)
/* What is read in vain of a client that speaks HTTP. */
#define PLAIN_MOST (1024 * 1024)

#define ANSWER_TEXT "[ERROR] This is plain HTTP, and this port speaks HTTPS. Use https:// here, or the port that speaks HTTP.\n"
static const char ANSWER[] =
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 105\r\n"
    "Cache-Control: no-store\r\nConnection: close\r\n\r\n" ANSWER_TEXT;
_Static_assert(sizeof ANSWER_TEXT - 1 == 105, "its Content-Length");

/* --- who got no further */

struct failed {
  uint32_t count;
  char last[INET6_ADDRSTRLEN];
};

static struct failed failures[PLACES][HANDSHAKE_FAULTS];
static uint32_t failed_in[PLACES];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* "" when it is not known any more. */
static void address_of(int fd, char *text, size_t room) {
  struct sockaddr_storage peer;
  socklen_t length = sizeof peer;
  *text = '\0';
  if (getpeername(fd, (struct sockaddr *)&peer, &length) != 0) return;
  if (peer.ss_family == AF_INET) inet_ntop(AF_INET, &((struct sockaddr_in *)&peer)->sin_addr, text, (socklen_t)room);
  if (peer.ss_family != AF_INET6) return;
  const struct in6_addr *six = &((struct sockaddr_in6 *)&peer)->sin6_addr;
  if (IN6_IS_ADDR_V4MAPPED(six)) inet_ntop(AF_INET, six->s6_addr + 12, text, (socklen_t)room);
  else inet_ntop(AF_INET6, six, text, (socklen_t)room);
}

/* Once for each connection. Nothing more is decrypted of it. */
static void fail(struct secure *secure, enum handshake_fault fault) {
  if (secure->has_failed) return;
  secure->has_failed = true;
  end_session(secure->session);
  secure->session = NULL;
  /* One on which nothing was ever said is none: load balancers look so whether a port is open. */
  if (secure->first_length == 0) return;
  pthread_mutex_lock(&lock);
  struct failed *failed = &failures[secure->place][fault];
  failed->count++;
  memcpy(failed->last, secure->address, sizeof failed->last);
  __atomic_add_fetch(&failed_in[secure->place], 1, __ATOMIC_RELAXED);
  pthread_mutex_unlock(&lock);
}

uint32_t handshakes_failed(int place) { return place > 0 && place < PLACES ? __atomic_load_n(&failed_in[place], __ATOMIC_RELAXED) : 0; }

size_t describe_failed(int place, char *text, size_t room) {
  size_t length = 0;
  if (place <= 0 || place >= PLACES) return 0;
  pthread_mutex_lock(&lock);
  for (int i = 0; i < HANDSHAKE_FAULTS; i++) {
    const struct failed *failed = &failures[place][i];
    int more = snprintf(text + length, room - length, "%u %s\n", failed->count, failed->last);
    if (more < 0 || (size_t)more >= room - length) break;
    length += (size_t)more;
  }
  pthread_mutex_unlock(&lock);
  return length;
}

/* --- those that are not over */

/* Of this thread, the oldest first. */
static _Thread_local struct secure *oldest;
static _Thread_local struct secure *newest;
static _Thread_local int halves = 0;

static void leave_halves(struct secure *secure) {
  if (!secure->is_half) return;
  if (secure->older != NULL) secure->older->younger = secure->younger;
  else oldest = secure->younger;
  if (secure->younger != NULL) secure->younger->older = secure->older;
  else newest = secure->older;
  secure->is_half = false;
  secure->older = secure->younger = NULL;
  halves--;
}

/* uSockets closes it when it reads. */
static void make_room(void) {
  struct secure *secure = oldest;
  fail(secure, FAULT_CROWDED);
  leave_halves(secure);
  expect_read(secure->fd, true);
}

static void join_halves(struct secure *secure) {
  if (secure->is_half) return;
  /* A connection that was reset says it no more. */
  address_of(secure->fd, secure->address, sizeof secure->address);
  if (halves >= HALVES_MOST) make_room();
  secure->older = newest;
  if (newest != NULL) newest->younger = secure;
  else oldest = secure;
  newest = secure;
  secure->is_half = true;
  halves++;
}

void end_handshake(struct secure *secure) {
  leave_halves(secure);
  if (!secure->is_open) fail(secure, FAULT_BROKEN_OFF);
}

/* --- those that speak something else */

/* "GET /", "OPTIO", "PRI *". */
static bool is_plain_http(const struct secure *secure) {
  size_t at = 0;
  while (at < secure->first_length && secure->first[at] >= 'A' && secure->first[at] <= 'Z') at++;
  bool is_method = at >= 3 && (at == secure->first_length || secure->first[at] == ' ');
  return is_method && memcmp(secure->first, "PROXY", 5) != 0;
}

static ssize_t reset(void) {
  errno = ECONNRESET;
  return -1;
}

static ssize_t nothing_yet(void) {
  errno = EAGAIN;
  return -1;
}

ssize_t read_plain(struct secure *secure) {
  static _Thread_local unsigned char unread[16 * 1024];
  ssize_t got = recv(secure->fd, unread, sizeof unread, MSG_DONTWAIT);
  if (got < 0) return got;
  secure->in_vain += (size_t)got;
  return got == 0 || secure->in_vain > PLAIN_MOST ? reset() : nothing_yet();
}

static ssize_t answer_plain(struct secure *secure) {
  secure->is_plain = true;
  /* It is the first that is sent, so there is room. */
  bool is_sent = send(secure->fd, ANSWER, sizeof ANSWER - 1, MSG_NOSIGNAL | MSG_DONTWAIT) > 0;
  return is_sent && shutdown(secure->fd, SHUT_WR) == 0 ? read_plain(secure) : reset();
}

bool note_beginning(struct secure *secure, const unsigned char *octets, size_t length) {
  size_t room = sizeof secure->first - secure->first_length;
  size_t here = length < room ? length : room;
  memcpy(secure->first + secure->first_length, octets, here);
  secure->first_length += (unsigned char)here;
  /* Of TLS: five octets of a record's head, the kind of the message, and its length in three. */
  const unsigned char *first = secure->first;
  if (secure->first_length < sizeof secure->first || first[0] != SSL3_RT_HANDSHAKE) return true;
  return ((size_t)first[6] << 16 | (size_t)first[7] << 8 | first[8]) <= HELLO_MOST;
}

/* By what OpenSSL says of it. */
static enum handshake_fault fault_of(const struct secure *secure) {
  int reason = ERR_GET_REASON(ERR_peek_error());
  if (secure->first_length > 0 && secure->first[0] != SSL3_RT_HANDSHAKE) return FAULT_NOT_TLS;
  switch (reason) {
    case SSL_R_NO_APPLICATION_PROTOCOL: return FAULT_PROTOCOL;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_WRONG_VERSION_NUMBER: return FAULT_VERSION;
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
    case SSL_R_NO_SUITABLE_KEY_SHARE: return FAULT_CIPHER;
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA: return FAULT_CERTIFICATE;
    case SSL_R_UNEXPECTED_EOF_WHILE_READING:
    case 0: return FAULT_BROKEN_OFF;
    default: return FAULT_OTHER;
  }
}

/* --- going on */

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* What this thread has spent in the present turn. A turn that spent a millisecond has another time than the one behind it. */
static _Thread_local uint64_t turn;
static _Thread_local int64_t spent;

static bool may_go_on(void) {
  if (turn != turn_of_loop()) {
    turn = turn_of_loop();
    spent = 0;
  }
  return spent < TURN_NS;
}

ssize_t shake_hands(struct secure *secure) {
  if (!may_go_on()) {
    expect_read(secure->fd, true);
    return nothing_yet();
  }
  expect_read(secure->fd, false);
  join_halves(secure);
  int64_t from = now_ns();
  int result = SSL_do_handshake(secure->session);
  spent += now_ns() - from;
  if (result == 1) {
    leave_halves(secure);
    secure->is_open = true;
    return 1;
  }
  int error = SSL_get_error(secure->session, result);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return nothing_yet();
  enum handshake_fault fault = is_plain_http(secure) ? FAULT_PLAIN_HTTP : fault_of(secure);
  ERR_clear_error();
  leave_halves(secure);
  fail(secure, fault);
  return fault == FAULT_PLAIN_HTTP ? answer_plain(secure) : reset();
}
