/*
 * Viewers of a live stream, all in one thread, that compare every byte.
 *
 *   live-watch PORT PATH T0 BYTES_PER_SECOND VIEWERS SLOW SLOW_BYTES_PER_SECOND CHURN TOLD
 *
 * SLOW of the VIEWERS read no faster than that. CHURN of the others leave each second, and as many come. TOLD 1: each is told
 * where it begins, that is where it has to begin, and nothing may be missing; 0: it finds out from the frames, and counts when some
 * are missing. A viewer that is cut comes again.
 * Prints a line of JSON each second, of what has happened since it was told `reset`; `ready` in it is how many get the stream.
 * It ends when its standard input does.
 */
#include "histogram.h"
#include "viewer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#define TICK_MS 20
#define BUFFER (512 * 1024)
/* New connections in one tick: the first ones come in a second or two, as people do. */
#define MOST_JOINS 20

static struct {
  int port, viewers, slow;
  const char *path;
  int64_t t0;
  double interval, slow_rate, churn;
} opt;

static struct {
  uint64_t bytes, joined, left, slow_cut, slow_gaps, lost, gaps;
  struct histogram lag, join;
} sum;

static struct viewer *all;
static int joined_at_first;
static int epoll;
static int64_t now;
static uint8_t buffer[BUFFER];

static void on_frame(struct viewer *v, uint64_t frame) {
  if (!v->is_slow) count_time(&sum.lag, (now - opt.t0 - (int64_t)((double)frame * opt.interval)) / 1000);
}

static fault on_gap(struct viewer *v);
static struct ear ear = {.frame = on_frame, .gap = on_gap};

static fault on_gap(struct viewer *v) {
  if (v->is_slow) sum.slow_gaps++;
  else sum.gaps++;
  return ear.told ? "frames that are missing" : NULL;
}

static void fail(const char *what, const struct viewer *v) {
  fprintf(stderr, "live-watch: %s: at %llu, after %llu bytes: %.200s\n", what, (unsigned long long)v->offset,
          (unsigned long long)v->taken, v->head);
  exit(1);
}

static void join(struct viewer *v) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(opt.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  const int is_slow = v->is_slow;
  char request[512];
  memset(v, 0, sizeof *v);
  v->is_slow = is_slow;
  v->fd = socket(AF_INET, SOCK_STREAM, 0);
  int small = 65536;
  if (is_slow) setsockopt(v->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  if (v->fd < 0 || connect(v->fd, (struct sockaddr *)&to, sizeof to)) perror("live-watch: connect"), exit(1);
  const int length = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\nTE: chunked\r\n\r\n", opt.path);
  if (send(v->fd, request, length, MSG_NOSIGNAL) != length) perror("live-watch: send"), exit(1);
  fcntl(v->fd, F_SETFL, O_NONBLOCK);
  v->asked_at = now_ns();
  sum.joined++;
  /* Slow ones are looked at in every tick. */
  struct epoll_event ear = {.events = EPOLLIN, .data.ptr = v};
  if (!is_slow && epoll_ctl(epoll, EPOLL_CTL_ADD, v->fd, &ear)) perror("live-watch: epoll"), exit(1);
}

/* It was cut. It comes again, in one of the next ticks. */
static void lose(struct viewer *v) {
  if (v->is_slow) sum.slow_cut++;
  else if (sum.lost++ < 3) fprintf(stderr, "live-watch: lost after %llu bytes: %.24s\n", (unsigned long long)v->taken, v->head);
  close(v->fd);
  v->fd = -1;
  v->taken = 0;
}

static void read_some(struct viewer *v, size_t most) {
  const ssize_t n = recv(v->fd, buffer, most, 0);
  if (n < 0 && errno == EAGAIN) return;
  if (n <= 0) return lose(v);
  const uint64_t before = v->taken;
  const fault wrong = feed(v, buffer, n, &ear);
  if (wrong == REFUSED) return lose(v);
  if (wrong) fail(wrong, v);
  sum.bytes += v->taken - before;
  if (before == 0 && v->taken > 0) count_time(&sum.join, (now - v->asked_at) / 1000);
}

static void tell(void) {
  int ready = 0;
  for (int i = 0; i < opt.viewers; i++) ready += all[i].taken > 0;
  printf("{\"ready\":%d,\"bytes\":%llu,\"joined\":%llu,\"left\":%llu,\"slowCut\":%llu,\"slowGaps\":%llu,\"lost\":%llu,\"gaps\":%llu,"
         "\"lagP50\":%.2f,\"lagP99\":%.2f,\"lagMax\":%.2f,\"joinP50\":%.2f,\"joinP99\":%.2f}\n",
         ready, (unsigned long long)sum.bytes, (unsigned long long)sum.joined, (unsigned long long)sum.left,
         (unsigned long long)sum.slow_cut, (unsigned long long)sum.slow_gaps, (unsigned long long)sum.lost,
         (unsigned long long)sum.gaps, quantile_ms(&sum.lag, 0.5),
         quantile_ms(&sum.lag, 0.99), (double)sum.lag.longest / 1000, quantile_ms(&sum.join, 0.5), quantile_ms(&sum.join, 0.99));
  fflush(stdout);
}

/* One of those that keep up leaves, and another one comes. */
static void change_one(void) {
  struct viewer *v = &all[opt.slow + rand() % (opt.viewers - opt.slow)];
  if (v->taken == 0) return;
  close(v->fd);
  sum.left++;
  join(v);
}

static void tick(void) {
  static double due;
  int joins = 0;
  for (int i = 0; i < opt.viewers && joins < MOST_JOINS; i++)
    if (all[i].fd < 0) join(&all[i]), joins++;
  for (int i = 0; i < opt.slow; i++)
    if (all[i].fd >= 0) read_some(&all[i], (size_t)(opt.slow_rate * TICK_MS / 1000));
  if (joined_at_first < opt.viewers) joined_at_first += joins;
  if (joined_at_first < opt.viewers) return;
  for (due += opt.churn * TICK_MS / 1000; due >= 1; due--) change_one();
}

/* A command, or the end. */
static void obey(void) {
  char line[64];
  const ssize_t n = read(0, line, sizeof line);
  if (n <= 0) exit(0);
  memset(&sum, 0, sizeof sum);
}

int main(int argc, char **argv) {
  if (argc != 10) return fprintf(stderr, "live-watch: see the top of watch.c\n"), 2;
  opt.port = atoi(argv[1]);
  opt.path = argv[2];
  opt.t0 = atoll(argv[3]);
  opt.interval = 1e9 * FRAME / atof(argv[4]);
  opt.viewers = atoi(argv[5]);
  opt.slow = atoi(argv[6]);
  opt.slow_rate = atof(argv[7]);
  opt.churn = atof(argv[8]);
  ear.told = atoi(argv[9]);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  make_pattern();
  all = calloc(opt.viewers, sizeof *all);
  for (int i = 0; i < opt.viewers; i++) all[i].fd = -1, all[i].is_slow = i < opt.slow;
  epoll = epoll_create1(0);
  struct epoll_event in = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &in);
  int64_t next_tick = now_ns(), next_tell = next_tick + 1000000000;
  for (;;) {
    struct epoll_event events[64];
    const int64_t wait = (next_tick - now_ns()) / 1000000;
    const int count = epoll_wait(epoll, events, 64, wait < 0 ? 0 : (int)wait);
    now = now_ns();
    for (int i = 0; i < count; i++) {
      if (events[i].data.ptr == NULL) obey();
      else read_some(events[i].data.ptr, BUFFER), now = now_ns();
    }
    if (now >= next_tick) tick(), next_tick += TICK_MS * 1000000LL;
    if (now >= next_tell) tell(), next_tell += 1000000000;
  }
}
