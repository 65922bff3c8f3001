#include "records.h"
#include "handshake.h"
#include "polls.h"
#include <errno.h>
#include <linux/sock_diag.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* With its head and what encryption adds. */
#define ENCRYPTED_MOST (RECORD_MOST + 256 + 5)
/* Of a batch, and of what TLS itself may say meanwhile. */
#define OUTGOING_MOST (BATCH + 8 * ENCRYPTED_MOST)

/* Messages and alerts of TLS itself that a session may have, and one more for so many octets: new keys come once for gigabytes. */
#define TALK_MOST 32
#define OCTETS_PER_TALK (1024 * 1024)
/* It pays to encrypt so much at least, where there is room for more than nothing. */
#define LEAST_ROOM ((size_t)4 * 1024)

/* What has been read of a socket, and is to be decrypted now; NULL: OpenSSL reads the socket itself. */
static _Thread_local struct {
  const unsigned char *at;
  size_t length;
} incoming;

/* What has been encrypted, and leaves by one call. */
static _Thread_local struct {
  unsigned char *bytes;
  size_t length;
  bool collects;
} outgoing;

static size_t all_kept = 0;

size_t kept_of_all(void) { return __atomic_load_n(&all_kept, __ATOMIC_RELAXED); }

void forget_kept(struct secure *secure) {
  __atomic_sub_fetch(&all_kept, secure->kept_length, __ATOMIC_RELAXED);
  free(secure->kept);
  secure->kept = NULL;
  secure->kept_from = secure->kept_length = 0;
}

/*
 * What is encrypted and does not leave has to be kept, once for each receiver. So the kernel is asked how much it takes, which is what it
 * has room for. It tells of room when a third is free, and what is less than that, and less than a batch, is not asked for before.
 */
size_t room_of(const struct secure *secure) {
  uint32_t memory[SK_MEMINFO_VARS];
  socklen_t length = sizeof memory;
  if (getsockopt(secure->fd, SOL_SOCKET, SO_MEMINFO, memory, &length) != 0) return BATCH;
  size_t queued = memory[SK_MEMINFO_WMEM_QUEUED];
  size_t most = memory[SK_MEMINFO_SNDBUF];
  size_t room = most > queued ? most - queued : 0;
  if (room < queued / 2 && room < BATCH) return 0;
  return room < LEAST_ROOM ? LEAST_ROOM : room;
}

/* Keeps what the kernel has not taken. */
static bool keep(struct secure *secure, const unsigned char *bytes, size_t length) {
  if (length == 0) return true;
  unsigned char *grown = malloc(secure->kept_length + length);
  if (grown == NULL) return false;
  if (secure->kept_length > 0) memcpy(grown, secure->kept + secure->kept_from, secure->kept_length);
  memcpy(grown + secure->kept_length, bytes, length);
  free(secure->kept);
  secure->kept = grown;
  secure->kept_from = 0;
  secure->kept_length += length;
  __atomic_add_fetch(&all_kept, length, __ATOMIC_RELAXED);
  expect_write(secure->fd, true);
  return true;
}

/* False: the connection is dead. */
static bool send_or_keep(struct secure *secure, const unsigned char *bytes, size_t length) {
  size_t sent = 0;
  if (secure->kept_length == 0) {
    ssize_t taken = send(secure->fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (taken < 0 && errno != EAGAIN && errno != EINTR) return false;
    if (taken > 0) sent = (size_t)taken;
  }
  secure->is_slow = sent < length;
  return keep(secure, bytes + sent, length - sent);
}

static int socket_write(BIO *bio, const char *bytes, int length) {
  struct secure *secure = BIO_get_data(bio);
  BIO_clear_retry_flags(bio);
  secure->moved += (uint64_t)length;
  if (outgoing.collects && outgoing.length + (size_t)length <= OUTGOING_MOST) {
    memcpy(outgoing.bytes + outgoing.length, bytes, (size_t)length);
    outgoing.length += (size_t)length;
    return length;
  }
  return send_or_keep(secure, (const unsigned char *)bytes, (size_t)length) ? length : -1;
}

static int socket_read(BIO *bio, char *to, int most) {
  struct secure *secure = BIO_get_data(bio);
  BIO_clear_retry_flags(bio);
  /* OpenSSL goes on by itself from record to record. This is where it is stopped. */
  if (secure->has_failed) return -1;
  if (incoming.at != NULL) {
    size_t here = incoming.length < (size_t)most ? incoming.length : (size_t)most;
    if (here == 0) {
      BIO_set_retry_read(bio);
      return -1;
    }
    memcpy(to, incoming.at, here);
    incoming.at += here;
    incoming.length -= here;
    secure->moved += here;
    return (int)here;
  }
  ssize_t got = recv(secure->fd, to, (size_t)most, MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
  if (got <= 0) return (int)got;
  secure->moved += (uint64_t)got;
  if (!secure->is_open && !note_beginning(secure, (const unsigned char *)to, (size_t)got)) return -1;
  return (int)got;
}

/* Each costs more than a record of data: new keys to be made, or an answer that may have to be kept. */
void count_talk(int is_sent, int version, int kind, const void *octets, size_t length, SSL *session, void *nothing) {
  (void)version;
  (void)octets;
  (void)length;
  (void)nothing;
  struct secure *secure = BIO_get_data(SSL_get_rbio(session));
  bool counts = is_sent ? kind == SSL3_RT_ALERT : kind == SSL3_RT_HANDSHAKE;
  if (!counts || !secure->is_open) return;
  if (++secure->talk > TALK_MOST + secure->moved / OCTETS_PER_TALK) secure->has_failed = true;
}

static long socket_control(BIO *bio, int what, long number, void *pointer) {
  (void)bio;
  (void)number;
  (void)pointer;
  return what == BIO_CTRL_FLUSH ? 1 : 0;
}

static BIO_METHOD *method;

static void make_method(void) {
  method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
  if (method == NULL) return;
  BIO_meth_set_write(method, socket_write);
  BIO_meth_set_read(method, socket_read);
  BIO_meth_set_ctrl(method, socket_control);
}

BIO *new_record_bio(struct secure *secure) {
  static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;
  CRYPTO_THREAD_run_once(&once, make_method);
  BIO *bio = method == NULL ? NULL : BIO_new(method);
  if (bio == NULL) return NULL;
  BIO_set_data(bio, secure);
  BIO_set_init(bio, 1);
  return bio;
}

void begin_incoming(const unsigned char *octets, size_t length) {
  incoming.at = octets;
  incoming.length = length;
}

void end_incoming(void) { incoming.at = NULL; }

bool collect_outgoing(void) {
  if (outgoing.bytes == NULL) outgoing.bytes = malloc(OUTGOING_MOST);
  outgoing.collects = outgoing.bytes != NULL;
  outgoing.length = 0;
  return outgoing.collects;
}

bool send_collected(struct secure *secure) {
  outgoing.collects = false;
  return send_or_keep(secure, outgoing.bytes, outgoing.length);
}

bool send_kept(struct secure *secure) {
  ssize_t sent = send(secure->fd, secure->kept + secure->kept_from, secure->kept_length, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0 && errno != EAGAIN && errno != EINTR) return false;
  if (sent <= 0) return true;
  secure->kept_from += (size_t)sent;
  secure->kept_length -= (size_t)sent;
  __atomic_sub_fetch(&all_kept, (size_t)sent, __ATOMIC_RELAXED);
  if (secure->kept_length > 0) return true;
  forget_kept(secure);
  expect_write(secure->fd, false);
  return true;
}
