/*
 * pour http|https PORT RECEIVERS BYTES PATH...: a sender of BYTES on each path, with RECEIVERS each, at once. What comes is counted and
 * dropped (MSG_TRUNC), and what is sent comes from a file in memory (sendfile), so that the machine is the relay's; over TLS it is encrypted
 * and decrypted here, so that half of the machine is not. Prints the seconds from the first byte to the last. Ends with 1, and says why,
 * when a receiver gets more or less.
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

static SSL_CTX *context;

struct end {
  int fd;
  /* NULL where it is plain. */
  SSL *ssl;
  int sends;
  /* To be sent, or received, of the body. */
  uint64_t left;
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

/* -1: not now. */
static ssize_t over_tls(struct end *end, int done) {
  if (done > 0) return done;
  int error = SSL_get_error(end->ssl, done);
  if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) fail("TLS");
  return -1;
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

/* The head and what comes with it; then the body. Returns whether it is over. */
static int take_secured(struct end *end) {
  static char octets[64 * 1024];
  for (int i = 0; end->left > 0 && (i < 64 || SSL_pending(end->ssl) > 0); i++) {
    ssize_t got = over_tls(end, SSL_read(end->ssl, octets, sizeof octets - 1));
    if (got < 0) return 0;
    if (!end->has_head) {
      octets[got] = 0;
      char *body = strstr(octets, "\r\n\r\n");
      if (body == NULL || strncmp(octets, "HTTP/1.1 200", 12) != 0) {
        fprintf(stderr, "pour: %.200s\n", octets);
        exit(1);
      }
      got -= body + 4 - octets;
      end->has_head = 1;
    }
    if ((uint64_t)got > end->left) fail("a body that is too long");
    end->left -= (uint64_t)got;
  }
  return end->left == 0;
}

static int give_secured(struct end *end, const char *piece) {
  for (int i = 0; i < 64 && end->left > 0; i++) {
    ssize_t sent = over_tls(end, SSL_write(end->ssl, piece, end->left < PIECE ? (int)end->left : (int)PIECE));
    if (sent < 0) return 0;
    end->left -= (uint64_t)sent;
  }
  return end->left == 0;
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

static int give(struct end *end, int file) {
  for (int i = 0; i < 4 && end->left > 0; i++) {
    off_t at = 0;
    ssize_t sent = sendfile(end->fd, file, &at, end->left < PIECE ? end->left : PIECE);
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
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
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
  usleep(300000);
  double from = now();
  for (int i = 0; i < pairs; i++) {
    struct end *end = &all[at++];
    *end = (struct end){.fd = dial(port), .left = bytes, .sends = 1};
    shake_hands(end);
    snprintf(text, sizeof text, "PUT %s?n=%d HTTP/1.1\r\nHost: localhost\r\nContent-Length: %llu\r\n\r\n", paths[i], receivers, (unsigned long long)bytes);
    say(end, text);
  }
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
      int is_over = end->ssl == NULL ? (end->sends ? give(end, file) : take(end))
                                     : (end->sends ? give_secured(end, piece) : take_secured(end));
      if (!is_over) continue;
      epoll_ctl(poll, EPOLL_CTL_DEL, end->fd, NULL);
      if (!end->sends) open_receivers--;
    }
  }
  printf("%.6f\n", now() - from);
  return 0;
}
