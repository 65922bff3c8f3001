/*
 * TLS below uWebSockets, with the OpenSSL that Node has: the binary exports its functions, and its headers come with it.
 *
 * 1. Of what is received as much is read from the kernel at a time as there is room for when it is decrypted, and all of it is
 *    decrypted at once. So nothing is left here but a part of a record, for which the kernel will tell of more. Where there is little room
 *    OpenSSL reads for itself, record by record, and what it keeps then is told of by has_received().
 * 2. What is sent is encrypted in batches of four records, which leave by one call, as far as there is room. What the kernel does not take of a batch is kept, and
 *    leaves when there is room: nobody is asked for the same bytes again, as OpenSSL would have it.
 * 3. A record of one octet costs nearly as much as a large one. Of who sends such less is read at a time.
 * 4. Records are large for bulk, and small for what comes after a silence: none of a record can be read before all of it is there.
 * 5. The end of a connection is announced in TLS. One that comes without that, from a network or from somebody on it, is a cut.
 */
#include "secure.h"
#include "handshake.h"
#include "identities.h"
#include "polls.h"
#include "records.h"
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>

#define READ_MOST ((size_t)512 * 1024)
/* Of a client of which it is not known what records it sends, or known that they are short on average. */
#define READ_LITTLE ((size_t)32 * 1024)
#define SHORT 1024
/* Where more than that is kept of all connections, each adds as little as can be. */
#define KEPT_MOST ((size_t)8 * 1024 * 1024)
/* Records of a run are so long until it has come so far; and a run is over after so many milliseconds without anything. */
#define FIRST_RECORDS ((size_t)4 * 1024)
#define FIRST_OF_RUN ((size_t)64 * 1024)
#define SILENCE_MS 1000

struct secure *secured[MOST_SOCKETS];
void (*on_flushed)(int fd) = NULL;
void (*on_flush_failed)(int fd) = NULL;

/* --- from the first octet to the last */

bool secure(int fd, int place) {
  forget_secure(fd);
  struct secure *secure = calloc(1, sizeof *secure);
  SSL *session = secure == NULL ? NULL : new_session(place);
  BIO *bio = session == NULL ? NULL : new_record_bio(secure);
  if (bio == NULL) {
    end_session(session);
    free(secure);
    return false;
  }
  SSL_set_bio(session, bio, bio);
  SSL_set_accept_state(session);
  secure->session = session;
  secure->fd = fd;
  secure->place = place;
  secured[fd] = secure;
  return true;
}

void forget_secure(int fd) {
  struct secure *secure = fd >= 0 && fd < MOST_SOCKETS ? secured[fd] : NULL;
  if (secure == NULL) return;
  secured[fd] = NULL;
  /* Its end has not been announced: what is still here is of no use to anybody. */
  end_handshake(secure);
  end_session(secure->session);
  forget_kept(secure);
  free(secure);
}

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static ssize_t nothing_yet(void) {
  errno = EAGAIN;
  return -1;
}

static ssize_t reset(struct secure *secure) {
  secure->has_failed = true;
  errno = ECONNRESET;
  return -1;
}

/* What an outcome of OpenSSL that brought nothing means. */
static ssize_t outcome(struct secure *secure, int result) {
  int error = SSL_get_error(secure->session, result);
  ERR_clear_error();
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return nothing_yet();
  if (error != SSL_ERROR_ZERO_RETURN) return reset(secure);
  secure->has_ended = true;
  return 0;
}

/* --- receiving */

static ssize_t decrypt(struct secure *secure, unsigned char *to, size_t most) {
  size_t all = 0;
  size_t records = 0;
  while (all < most) {
    size_t got = 0;
    int result = SSL_read_ex(secure->session, to + all, most - all, &got);
    if (result == 1) {
      all += got;
      records++;
      continue;
    }
    ssize_t why = outcome(secure, result);
    /* What came before is given first, and the reason with the next call. */
    if (all == 0) return why;
    break;
  }
  secure->reads_much = all >= records * SHORT;
  return (ssize_t)all;
}

/* Reads so much that all of it has room when it is decrypted, with what is left of a record from before. */
static ssize_t receive_much(struct secure *secure, unsigned char *to, size_t most) {
  static _Thread_local unsigned char encrypted[READ_MOST];
  size_t room = most - RECORD_MOST;
  size_t worth = secure->reads_much ? READ_MOST : READ_LITTLE;
  ssize_t got = recv(secure->fd, encrypted, room < worth ? room : worth, MSG_DONTWAIT);
  if (got < 0) return got;
  if (got == 0) return reset(secure);
  begin_incoming(encrypted, (size_t)got);
  ssize_t plain = decrypt(secure, to, most);
  end_incoming();
  return plain;
}

ssize_t secure_recv(int fd, void *bytes, size_t most) {
  struct secure *secure = secured[fd];
  if (secure->is_plain) return read_plain(secure);
  if (secure->has_failed) return reset(secure);
  if (secure->has_ended) return 0;
  ERR_clear_error();
  if (!secure->is_open) {
    ssize_t result = shake_hands(secure);
    if (result <= 0) return result;
  }
  bool is_much = most >= 2 * RECORD_MOST && !SSL_has_pending(secure->session);
  return is_much ? receive_much(secure, bytes, most) : decrypt(secure, bytes, most);
}

bool secure_has_received(int fd) {
  const struct secure *secure = secured[fd];
  return secure->has_ended || secure->has_failed || SSL_pending(secure->session) > 0;
}

/* --- sending */

/* Encrypts up to a record, of so many bytes, of what begins so many bytes behind the start of the parts. Returns how much that is. */
static size_t encrypt(struct secure *secure, const struct iovec *parts, int count, size_t from, size_t most) {
  static _Thread_local unsigned char joined[RECORD_MOST];
  size_t before = 0;
  int i = 0;
  while (i < count && from >= before + parts[i].iov_len) before += parts[i++].iov_len;
  if (i == count) return 0;
  const unsigned char *at = (const unsigned char *)parts[i].iov_base + (from - before);
  size_t length = parts[i].iov_len - (from - before);
  /* A short part, such as the line of a chunk, shares its record with what is behind it. */
  if (length < most && i + 1 < count) {
    memcpy(joined, at, length);
    for (i++; i < count && length < most; i++) {
      size_t more = parts[i].iov_len < most - length ? parts[i].iov_len : most - length;
      memcpy(joined + length, parts[i].iov_base, more);
      length += more;
    }
    at = joined;
  }
  size_t written = 0;
  if (SSL_write_ex(secure->session, at, length < most ? length : most, &written) == 1) return written;
  ERR_clear_error();
  return 0;
}

static size_t length_of(const struct iovec *parts, int count) {
  size_t length = 0;
  for (int i = 0; i < count; i++) length += parts[i].iov_len;
  return length;
}

static size_t least(size_t one, size_t other) { return one < other ? one : other; }

/* How much of so many bytes is worth encrypting now. 0: nothing, and the kernel will tell when there is room. */
static size_t batch_of(const struct secure *secure, size_t length) {
  /* What is short leaves, or is kept for a while. */
  if (length <= FIRST_RECORDS || (length <= RECORD_MOST && !secure->is_slow)) return length;
  size_t room = room_of(secure);
  return least(length, least(room, kept_of_all() > KEPT_MOST ? FIRST_RECORDS : BATCH));
}

/* Encrypts and sends so much. Returns how much of it was encrypted; 0: the connection is dead. */
static size_t send_batch(struct secure *secure, const struct iovec *parts, int count, size_t from, size_t most) {
  size_t taken = 0;
  if (!collect_outgoing()) return 0;
  while (taken < most) {
    size_t record = secure->run < FIRST_OF_RUN ? FIRST_RECORDS : RECORD_MOST;
    size_t here = encrypt(secure, parts, count, from + taken, least(record, most - taken));
    if (here == 0) break;
    taken += here;
    secure->run += here;
  }
  return send_collected(secure) ? taken : 0;
}

static ssize_t dead(void) {
  errno = EPIPE;
  return -1;
}

ssize_t secure_send(int fd, const struct iovec *parts, int count) {
  struct secure *secure = secured[fd];
  if (secure->has_failed || secure->ends || !secure->is_open) return dead();
  if (secure->kept_length > 0 && flush_secure(fd)) return secure->has_failed ? dead() : nothing_yet();
  size_t all = length_of(parts, count);
  size_t taken = 0;
  int64_t now = now_ms();
  if (now - secure->sent_at > SILENCE_MS) secure->run = 0;
  secure->sent_at = now;
  ERR_clear_error();
  while (taken < all && secure->kept_length == 0) {
    size_t most = batch_of(secure, all - taken);
    if (most == 0) break;
    size_t here = send_batch(secure, parts, count, taken, most);
    if (here == 0) return taken > 0 ? (ssize_t)taken : dead();
    taken += here;
  }
  return taken > 0 || all == 0 ? (ssize_t)taken : nothing_yet();
}

bool flush_secure(int fd) {
  struct secure *secure = is_secured(fd) ? secured[fd] : NULL;
  if (secure == NULL || secure->kept_length == 0) return false;
  if (!send_kept(secure)) {
    secure->has_failed = true;
    expect_write(fd, false);
    if (on_flush_failed != NULL) on_flush_failed(fd);
    return true;
  }
  if (secure->kept_length > 0) return true;
  if (secure->ends) shutdown(fd, SHUT_WR);
  if (on_flushed != NULL) on_flushed(fd);
  return false;
}

size_t secure_kept(int fd) { return secured[fd]->kept_length; }

int secure_shutdown(int fd) {
  struct secure *secure = secured[fd];
  if (secure->ends) return 0;
  if (secure->is_open && !secure->has_failed) SSL_shutdown(secure->session);
  ERR_clear_error();
  secure->ends = true;
  /* The end of the connection is behind what is kept. */
  return secure->kept_length > 0 ? 0 : shutdown(fd, SHUT_WR);
}

int helped_shutdown(int fd, int how) { return is_secured(fd) && how == SHUT_WR ? secure_shutdown(fd) : shutdown(fd, how); }

ssize_t helped_writev(int fd, const struct iovec *parts, int count) {
  return is_secured(fd) ? secure_send(fd, parts, count) : writev(fd, parts, count);
}

/* --- what is known of it */

bool secure_terms(int fd, char *text, size_t room) {
  if (!is_secured(fd) || !secured[fd]->is_open) return false;
  const SSL *session = secured[fd]->session;
  int length = snprintf(text, room, "%s %s", SSL_get_version(session), SSL_get_cipher_name(session));
  return length > 0 && (size_t)length < room;
}

int64_t client_of(int fd) {
  return is_secured(fd) && secured[fd]->is_open ? judge_client(secured[fd]->session, &secured[fd]->client) : NOT_SHOWN;
}

unsigned char *client_certificate(int fd, int *length) {
  if (client_of(fd) <= 0) return NULL;
  unsigned char *der = NULL;
  X509 *shown = SSL_get0_peer_certificate(secured[fd]->session);
  *length = i2d_X509(shown, NULL);
  unsigned char *at = der = *length > 0 ? malloc((size_t)*length) : NULL;
  if (at != NULL) i2d_X509(shown, &at);
  return der;
}

const char *client_certificate_fault(int fd) {
  return client_of(fd) == SHOWN_IN_VAIN ? fault_of_client(&secured[fd]->client) : NULL;
}
