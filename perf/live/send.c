/*
 * The sender of a live stream: frames at a fixed rate, whatever becomes of them.
 *
 *   live-send PORT KIND PATH BYTES_PER_SECOND SECONDS
 *
 * KIND: `put`, chunked; `source`, as Icecast takes it; `post`, one request for each frame. Prints `{"t0":NS}`, when the first frame
 * is due on CLOCK_MONOTONIC, and at the end how much it has sent. It ends after SECONDS, or when its standard input does.
 */
#include "stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int die(const char *what) {
  fprintf(stderr, "live-send: %s: %s\n", what, strerror(errno));
  exit(1);
}

static int dial(int port) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (connect(fd, (struct sockaddr *)&to, sizeof to)) die("connect");
  return fd;
}

static void send_all(int fd, const void *bytes, size_t length) {
  const char *at = bytes;
  while (length > 0) {
    ssize_t n = send(fd, at, length, MSG_NOSIGNAL);
    if (n < 0 && errno != EINTR) die("send");
    if (n > 0) at += n, length -= n;
  }
}

/* What it is told meanwhile: 0 when there is nothing now. */
static ssize_t hear(int fd, char *text, size_t size, int flags) {
  ssize_t n = recv(fd, text, size - 1, flags);
  if (n == 0) errno = 0, die("the relay closed the connection");
  if (n < 0 && errno != EAGAIN) die("recv");
  if (n > 0) text[n] = 0;
  return n < 0 ? 0 : n;
}

static void expect_success(const char *answer) {
  int status = atoi(answer + 9);
  if (status < 200 || status > 299 || strstr(answer, "[ERROR]")) {
    fprintf(stderr, "live-send: the relay says: %s\n", answer);
    exit(1);
  }
}

static int is_over(void) {
  struct pollfd in = {.fd = 0, .events = POLLIN};
  char c;
  return poll(&in, 1, 0) > 0 && read(0, &c, 1) <= 0;
}

int main(int argc, char **argv) {
  if (argc != 6) return fprintf(stderr, "live-send PORT KIND PATH BYTES_PER_SECOND SECONDS\n"), 2;
  const char kind = argv[2][1] == 'u' ? 'u' : argv[2][0] == 's' ? 's' : 'p';
  const double interval = 1e9 * FRAME / atof(argv[4]);
  char head[512], text[4096];
  make_pattern();
  int fd = dial(atoi(argv[1]));
  if (kind == 'u')
    send_all(fd, head, snprintf(head, sizeof head, "PUT %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-frames\r\nTransfer-Encoding: chunked\r\n\r\n", argv[3]));
  if (kind == 's') {
    /* source:live */
    send_all(fd, head, snprintf(head, sizeof head, "SOURCE %s ICE/1.0\r\nAuthorization: Basic c291cmNlOmxpdmU=\r\nContent-Type: application/x-frames\r\n\r\n", argv[3]));
    hear(fd, text, sizeof text, 0);
    expect_success(text);
  }
  const int before = kind == 'u' ? snprintf(head, sizeof head, "%x\r\n", FRAME)
                     : kind == 'p' ? snprintf(head, sizeof head, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n", argv[3], FRAME)
                                   : 0;
  const int after = kind == 'u' ? 2 : 0;
  const size_t whole = (size_t)before + FRAME + after;
  static uint8_t out[sizeof head + FRAME + 2];
  memcpy(out, head, before);
  memcpy(out + before, pattern, FRAME);
  memcpy(out + before + FRAME, "\r\n", after);
  const int64_t t0 = now_ns() + 200000000;
  printf("{\"t0\":%lld}\n", (long long)t0);
  fflush(stdout);
  int64_t latest = 0;
  uint64_t n = 0;
  const uint64_t frames = (uint64_t)(atof(argv[5]) * 1e9 / interval);
  for (; n < frames && !is_over(); n++) {
    const int64_t due = t0 + (int64_t)((double)n * interval);
    struct timespec at = {due / 1000000000, due % 1000000000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
    put_number(out + before, n);
    send_all(fd, out, whole);
    if (kind == 'p') {
      if (hear(fd, text, sizeof text, 0) > 0) expect_success(text);
    } else if (hear(fd, text, sizeof text, MSG_DONTWAIT) > 0 && strstr(text, "[ERROR]")) {
      return fprintf(stderr, "live-send: the relay says: %s\n", text), 1;
    }
    const int64_t late = now_ns() - due;
    if (late > latest) latest = late;
  }
  if (kind == 'u') send_all(fd, "0\r\n\r\n", 5);
  printf("{\"frames\":%llu,\"seconds\":%.3f,\"latestMs\":%.1f}\n", (unsigned long long)n, (double)(now_ns() - t0) / 1e9, (double)latest / 1e6);
  return 0;
}
