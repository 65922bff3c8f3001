/*
 * pour http|https PORT RECEIVERS BYTES PATH...: a sender of BYTES on each path, with RECEIVERS each, at once. What comes is counted and
 * dropped (MSG_TRUNC), and what is sent comes from a file in memory (sendfile), so that the machine is the relay's. Over TLS as well: what
 * is sent was encrypted before the clock starts, and of what comes only the lengths of the records are looked at. Prints the seconds from
 * the first byte to the last. Ends with 1, and says why, when a receiver gets more or less.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PIECE ((size_t)1 << 20)

/* Of TLS 1.3: in front of what is encrypted; behind the bytes, their type and the tag. */
#define RECORD_HEAD 5
#define RECORD_END 17

static SSL_CTX *context;

struct end {
  int fd;
  /* NULL where it is plain. */
  SSL *ssl;
  int sends;
  /* What a sender sends: the body, or its ciphertext. */
  int file;
  /* To be sent of the file, or received of the body. */
  uint64_t left;
  /* Of the record that is being received. */
  size_t of_record;
  int has_head;
};

static void fail(const char *what) {
  fprintf(stderr, "pour: %s: %s\n", what, strerror(errno));
  exit(1);
}

static int dial(int port) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0) fail("connect");
  return fd;
}

static void shake_hands(struct end *end) {
  if (context == NULL) return;
  end->ssl = SSL_new(context);
  SSL_set_fd(end->ssl, end->fd);
  if (SSL_connect(end->ssl) != 1) fail("handshake");
}

static void say(struct end *end, const char *text) {
  int length = (int)strlen(text);
  if (end->ssl != NULL ? SSL_write(end->ssl, text, length) != length : send(end->fd, text, (size_t)length, MSG_NOSIGNAL) != length)
    fail("send");
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Reads up to the end of the head, and no further. */
static void take_head(struct end *end) {
  char head[4096];
  ssize_t got = recv(end->fd, head, sizeof head - 1, MSG_PEEK);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) fail("recv of a head");
  head[got] = 0;
  char *body = strstr(head, "\r\n\r\n");
  if (body == NULL) return;
  if (strncmp(head, "HTTP/1.1 200", 12) != 0) {
    fprintf(stderr, "pour: %.200s\n", head);
    exit(1);
  }
  if (recv(end->fd, head, (size_t)(body + 4 - head), 0) < 0) fail("recv");
  end->has_head = 1;
}

/* The head and what comes in its record: OpenSSL reads no further. */
static void take_secured_head(struct end *end) {
  char octets[16 * 1024 + 1];
  int got = SSL_read(end->ssl, octets, sizeof octets - 1);
  if (got <= 0 && SSL_get_error(end->ssl, got) == SSL_ERROR_WANT_READ) return;
  if (got <= 0) fail("TLS");
  octets[got] = 0;
  char *body = strstr(octets, "\r\n\r\n");
  if (body == NULL || strncmp(octets, "HTTP/1.1 200", 12) != 0) {
    fprintf(stderr, "pour: %.200s\n", octets);
    exit(1);
  }
  end->left -= (uint64_t)(got - (body + 4 - octets));
  end->has_head = 1;
}

/* Counts the bytes of records without decrypting them. Returns whether it is over. */
static int take_secured(struct end *end) {
  if (!end->has_head) take_secured_head(end);
  if (!end->has_head) return 0;
  for (int i = 0; i < 256 && (end->left > 0 || end->of_record > 0); i++) {
    if (end->of_record == 0) {
      unsigned char head[RECORD_HEAD];
      ssize_t got = recv(end->fd, head, sizeof head, MSG_PEEK);
      if (got < 0 && errno == EAGAIN) return 0;
      if (got <= 0) fail("a body that ends too early");
      if (got < RECORD_HEAD) return 0;
      if (head[0] != SSL3_RT_APPLICATION_DATA) fail("a record of another kind");
      size_t length = (size_t)(head[3] << 8 | head[4]);
      if (length < RECORD_END || length - RECORD_END > end->left) fail("a body that is too long");
      end->of_record = RECORD_HEAD + length;
      end->left -= length - RECORD_END;
    }
    ssize_t got = recv(end->fd, NULL, end->of_record, MSG_TRUNC);
    if (got < 0 && errno == EAGAIN) return 0;
    if (got <= 0) fail("a body that ends too early");
    end->of_record -= (size_t)got;
  }
  return end->left == 0 && end->of_record == 0;
}

/* Encrypts the request and its body for later. */
static void seal(struct end *end, const char *text, const char *piece) {
  end->file = memfd_create("ciphertext", MFD_CLOEXEC);
  BIO *into = BIO_new_fd(end->file, BIO_NOCLOSE);
  if (end->file < 0 || into == NULL) fail("memfd");
  SSL_set0_wbio(end->ssl, into);
  say(end, text);
  for (uint64_t left = end->left; left > 0;) {
    int sealed = SSL_write(end->ssl, piece, left < PIECE ? (int)left : (int)PIECE);
    if (sealed <= 0) fail("TLS");
    left -= (uint64_t)sealed;
  }
  end->left = (uint64_t)lseek(end->file, 0, SEEK_CUR);
  lseek(end->file, 0, SEEK_SET);
}

/* Returns whether it is over. */
static int take(struct end *end) {
  if (!end->has_head) take_head(end);
  if (!end->has_head) return 0;
  for (int i = 0; i < 8 && end->left > 0; i++) {
    ssize_t got = recv(end->fd, NULL, end->left < 4 * PIECE ? end->left : 4 * PIECE, MSG_TRUNC);
    if (got < 0 && errno == EAGAIN) return 0;
    if (got <= 0) fail("a body that ends too early");
    end->left -= (uint64_t)got;
  }
  return end->left == 0;
}

static int give(struct end *end) {
  for (int i = 0; i < 4 && end->left > 0; i++) {
    /* A plain body is the same piece again and again; ciphertext is sent on from where it stopped. */
    off_t start = 0;
    ssize_t sent = sendfile(end->fd, end->file, end->ssl == NULL ? &start : NULL, end->left < PIECE ? end->left : PIECE);
    if (sent < 0 && errno == EAGAIN) return 0;
    if (sent <= 0) fail("sendfile");
    end->left -= (uint64_t)sent;
  }
  return end->left == 0;
}

int main(int argc, char **argv) {
  if (argc < 6) return 2;
  int port = atoi(argv[2]), receivers = atoi(argv[3]), pairs = argc - 5;
  uint64_t bytes = strtoull(argv[4], NULL, 10);
  char **paths = argv + 5;
  if (strcmp(argv[1], "https") == 0) {
    context = SSL_CTX_new(TLS_client_method());
    if (context == NULL) fail("TLS");
    /* Of which the lengths of bytes and records are known. */
    SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  }
  int ends = pairs * (receivers + 1);
  struct end *all = calloc((size_t)ends, sizeof *all);
  int poll = epoll_create1(EPOLL_CLOEXEC);
  int file = memfd_create("body", MFD_CLOEXEC);
  char text[512];
  signal(SIGPIPE, SIG_IGN);
  alarm(300);
  char *piece = malloc(PIECE);
  memset(piece, 'x', PIECE);
  if (write(file, piece, PIECE) != (ssize_t)PIECE) fail("write");
  int at = 0;
  for (int i = 0; i < pairs; i++) {
    for (int k = 0; k < receivers; k++) {
      struct end *end = &all[at++];
      *end = (struct end){.fd = dial(port), .left = bytes};
      shake_hands(end);
      snprintf(text, sizeof text, "GET %s?n=%d HTTP/1.1\r\nHost: localhost\r\n\r\n", paths[i], receivers);
      say(end, text);
    }
  }
  for (int i = 0; i < pairs; i++) {
    struct end *end = &all[at++];
    *end = (struct end){.fd = dial(port), .file = file, .left = bytes, .sends = 1};
    shake_hands(end);
    snprintf(text, sizeof text, "PUT %s?n=%d HTTP/1.1\r\nHost: localhost\r\nContent-Length: %llu\r\n\r\n", paths[i], receivers, (unsigned long long)bytes);
    if (end->ssl == NULL) say(end, text);
    else seal(end, text, piece);
  }
  usleep(300000);
  double from = now();
  for (int i = 0; i < ends; i++) {
    fcntl(all[i].fd, F_SETFL, O_NONBLOCK);
    struct epoll_event event = {.events = all[i].sends ? EPOLLOUT : EPOLLIN, .data.ptr = &all[i]};
    epoll_ctl(poll, EPOLL_CTL_ADD, all[i].fd, &event);
  }
  int open_receivers = pairs * receivers;
  while (open_receivers > 0) {
    struct epoll_event events[64];
    int count = epoll_wait(poll, events, 64, -1);
    for (int i = 0; i < count; i++) {
      struct end *end = events[i].data.ptr;
      int is_over = end->sends ? give(end) : end->ssl == NULL ? take(end) : take_secured(end);
      if (!is_over) continue;
      epoll_ctl(poll, EPOLL_CTL_DEL, end->fd, NULL);
      if (!end->sends) open_receivers--;
    }
  }
  printf("%.6f\n", now() - from);
  return 0;
}
