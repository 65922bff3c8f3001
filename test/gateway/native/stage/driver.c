/*
 * Stages random reads, with and without gaps, and sends random parts of them and of their copies over TCP: every byte has to come,
 * and no other one. Arguments: a seed, the number of reads, and how many descriptors may be opened (0: as many as are needed).
 */
#include "stage.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST ((size_t)448 * 1024)
#define PIECES 64

static uint32_t seed;

static uint32_t below(uint32_t bound) {
  seed = seed * 1664525u + 1013904223u;
  return (seed >> 8) % bound;
}

static void must(bool fact, const char *what) {
  if (fact) return;
  fprintf(stderr, "%s (%s)\n", what, strerror(errno));
  exit(1);
}

/* Two ends of a connection: [0] is read, [1] is written to. */
static void join_pair(int ends[2]) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  must(bind(listener, (struct sockaddr *)&address, length) == 0 && listen(listener, 1) == 0, "listen");
  must(getsockname(listener, (struct sockaddr *)&address, &length) == 0, "getsockname");
  ends[1] = socket(AF_INET, SOCK_STREAM, 0);
  must(connect(ends[1], (struct sockaddr *)&address, length) == 0, "connect");
  ends[0] = accept(listener, NULL, NULL);
  must(ends[0] >= 0, "accept");
  close(listener);
}

static void read_whole(int fd, unsigned char *bytes, size_t length) {
  for (size_t done = 0; done < length;) {
    ssize_t got = recv(fd, bytes + done, length - done, 0);
    must(got > 0, "what was sent does not come");
    done += (size_t)got;
  }
}

static unsigned char sent[MOST], buffer[MOST + 64], copy[2][MOST], got[MOST];
static unsigned char frames[PIECES][32];

/* All of these bytes, in as many calls as it takes: nothing is read meanwhile, so the last ones are taken in parts. */
static void send_all(const int ends[2], const unsigned char *bytes, size_t length) {
  for (size_t done = 0; done < length;) {
    const unsigned char *from = bytes + done;
    size_t most = length - done;
    bool is_staged = stage_has(from, most);
    ssize_t taken = is_staged ? stage_send(ends[1], from, most, MSG_NOSIGNAL) : send(ends[1], from, most, MSG_NOSIGNAL);
    must(taken > 0 || errno == EAGAIN, "it cannot be sent");
    if (taken <= 0) taken = 0;
    read_whole(ends[0], got, (size_t)taken);
    must(memcmp(got, from, (size_t)taken) == 0, "other bytes have come");
    done += (size_t)taken;
  }
}

static void send_part(const int ends[2], const unsigned char *bytes, size_t length) {
  size_t from = below((uint32_t)length);
  size_t most = length - from;
  send_all(ends, bytes + from, below(4) == 0 ? most : 1 + below((uint32_t)most));
}

/* Plans pieces for so many octets. Returns how much of them is data. */
static size_t plan(struct iovec *pieces, int *count, struct gaps *gaps, size_t octets) {
  *gaps = (struct gaps){.first = SIZE_MAX};
  *count = 0;
  if (below(3) == 0) {
    pieces[(*count)++] = (struct iovec){buffer, octets};
    return octets;
  }
  *gaps = (struct gaps){.first = 1 + below(70000), .every = 8192 + below(70000), .length = 5 + below(20)};
  size_t data = octets < gaps->first ? octets : gaps->first;
  pieces[(*count)++] = (struct iovec){buffer, data};
  octets -= data;
  while (octets > gaps->length && *count < PIECES - 1) {
    size_t here = octets - gaps->length < gaps->every ? octets - gaps->length : gaps->every;
    pieces[*count] = (struct iovec){frames[*count], gaps->length};
    pieces[*count + 1] = (struct iovec){buffer + data, here};
    *count += 2;
    data += here;
    octets -= gaps->length + here;
  }
  return data;
}

/*
 * In one call; or in many, between which another connection gets a byte, so that what comes stands on many pieces of pages: a socket
 * takes 16 of them at a time.
 */
static void upload_all(const int upload[2], const int other[2], const unsigned char *bytes, size_t length) {
  size_t most = below(2) == 0 ? length : 1800 + below(5000);
  for (size_t done = 0; done < length;) {
    size_t here = length - done < most ? length - done : most;
    must(send(upload[1], bytes + done, here, 0) == (ssize_t)here, "upload");
    must(send(other[1], "x", 1, 0) == 1, "upload");
    read_whole(other[0], got, 1);
    done += here;
  }
}

static void one_read(const int upload[2], const int other[2], const int few[2], const int many[2], int round) {
  struct iovec pieces[PIECES + 1];
  struct gaps gaps;
  int count;
  size_t octets = 1 + below(MOST);
  size_t data = plan(pieces, &count, &gaps, octets);
  size_t wanted = 0;
  for (int i = 0; i < count; i++) wanted += pieces[i].iov_len;
  for (size_t i = 0; i < wanted; i++) sent[i] = (unsigned char)below(256);
  upload_all(upload, other, sent, wanted);
  stage_next_read();
  ssize_t read = stage_recv(upload[0], pieces, count);
  must(read > 0, "nothing was read");
  const unsigned char *at = sent;
  size_t left = (size_t)read, joined = 0;
  for (int i = 0; i < count && left > 0; i++) {
    size_t here = left < pieces[i].iov_len ? left : pieces[i].iov_len;
    must(memcmp(pieces[i].iov_base, at, here) == 0, "other bytes were read");
    if (i % 2 == 0) joined += here;
    at += here;
    left -= here;
  }
  must(joined <= data, "more data than was planned");
  read_whole(upload[0], got, wanted - (size_t)read);
  stage_note(buffer, joined, gaps);
  for (int i = 0; i < 4; i++) send_part(i % 2 == 0 ? few : many, buffer, joined);
  /* The copy of the read before this one is still there; the one before that is given up. */
  unsigned char *mine = copy[round % 2];
  stage_release(mine);
  static size_t lengths[2];
  size_t from = below((uint32_t)joined);
  lengths[round % 2] = joined - from;
  memcpy(mine, buffer + from, joined - from);
  stage_copy(buffer + from, mine, joined - from);
  for (int i = 0; i < 2; i++) {
    if (lengths[i] > 0) send_part(many, copy[i], lengths[i]);
  }
}

int main(int count, char **arguments) {
  must(count == 4, "usage: SEED READS DESCRIPTORS");
  seed = (uint32_t)atoi(arguments[1]);
  int reads = atoi(arguments[2]);
  rlim_t descriptors = (rlim_t)atoi(arguments[3]);
  int upload[2], other[2], few[2], many[2];
  join_pair(upload);
  join_pair(other);
  join_pair(few);
  join_pair(many);
  int large = 4 * (int)MOST;
  int small = 1;
  setsockopt(upload[1], SOL_SOCKET, SO_SNDBUF, &large, sizeof large);
  setsockopt(upload[0], SOL_SOCKET, SO_RCVBUF, &large, sizeof large);
  int now = 1;
  setsockopt(upload[1], IPPROTO_TCP, TCP_NODELAY, &now, sizeof now);
  setsockopt(few[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
  fcntl(few[1], F_SETFL, O_NONBLOCK);
  fcntl(many[1], F_SETFL, O_NONBLOCK);
  if (descriptors > 0) setrlimit(RLIMIT_NOFILE, &(struct rlimit){(rlim_t)many[1] + 1 + descriptors, (rlim_t)many[1] + 1 + descriptors});
  for (int round = 0; round < reads; round++) one_read(upload, other, few, many, round);
  printf("%llu\n", (unsigned long long)bytes_sent_staged());
  return 0;
}
