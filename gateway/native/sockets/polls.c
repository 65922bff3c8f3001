/*
 * When uSockets is told that a socket is readable.
 *
 * uSockets asks libuv to poll each socket, and reads when libuv says that there is something. Two things cannot be said that
 * way, so this file stands in between, for the sockets that it is asked to watch:
 *
 * 1. There is something to read that the kernel does not have any more: a request that came in the same read as the one before
 *    it. libuv is then asked for writability as well, which an idle socket always has, and uSockets is told of readability.
 * 2. There is nothing to read for now although the kernel has something: the end of what the client sends, while it still waits
 *    for its response. The kernel would say so again and again. The socket is then polled for urgent data, which nobody sends,
 *    because a reset is only told of sockets that are polled for something.
 *
 * libuv also says whether the client had closed its side before what is there to be read was read: such a client has not done
 * so because of what it was answered.
 */
#include "polls.h"
#include "common.h"
#include "secure.h"

struct poll {
  /* NULL while uSockets does not poll the socket. */
  uv_poll_t *handle;
  uv_poll_cb callback;
  bool watched;
  bool held;
  bool due;
  /* What has been encrypted waits here. */
  bool flushes;
  /* Somebody does send urgent data, which would be told again and again. */
  bool has_urgent;
  /* The client had closed its side when uSockets was last told of something to read; it is told once. */
  bool hung_up;
  /* What uSockets asked for, and what libuv was asked for. */
  int wanted;
  int polled;
};

static struct poll polls[MOST_SOCKETS];

static struct poll *poll_of(const uv_poll_t *handle) {
  uv_os_fd_t fd;
  if (uv_fileno((const uv_handle_t *)handle, &fd) != 0 || fd >= MOST_SOCKETS) return NULL;
  return polls[fd].watched ? &polls[fd] : NULL;
}

static void on_poll(uv_poll_t *handle, int status, int events);

static int apply(struct poll *poll) {
  int events = poll->wanted;
  if (poll->held) events &= ~UV_READABLE;
  if (poll->due && (poll->wanted & UV_READABLE)) events |= UV_WRITABLE;
  if (poll->flushes) events |= UV_WRITABLE;
  if ((events & UV_READABLE) && !poll->hung_up) events |= UV_DISCONNECT;
  if (poll->held && events == 0 && !poll->has_urgent) events = UV_PRIORITIZED;
  if (events == poll->polled) return 0;
  poll->polled = events;
  return events == 0 ? uv_poll_stop(poll->handle) : uv_poll_start(poll->handle, events, on_poll);
}

static _Thread_local uint64_t turn;

uint64_t turn_of_loop(void) { return turn; }

static void on_poll(uv_poll_t *handle, int status, int events) {
  turn = uv_now(handle->loop);
  struct poll *poll = poll_of(handle);
  if (poll == NULL || poll->handle != handle) return;
  if (status < 0) {
    /* libuv has stopped. uSockets closes the socket. */
    poll->polled = 0;
  } else {
    if (events & UV_PRIORITIZED) poll->has_urgent = true;
    if (events & UV_DISCONNECT) poll->hung_up = true;
    if (poll->flushes && (events & UV_WRITABLE)) flush_secure((int)(poll - polls));
    if (poll->due) events |= UV_READABLE;
    events &= poll->wanted;
  }
  if (status < 0 || events != 0) poll->callback(handle, status, events);
  /* Afterwards, for it often ends in closing the socket: each change costs a system call. */
  if (poll->handle == handle) apply(poll);
}

int helped_poll_start(uv_poll_t *handle, int events, uv_poll_cb callback) {
  struct poll *poll = poll_of(handle);
  if (poll == NULL) return uv_poll_start(handle, events, callback);
  /* A handle that libuv has not seen yet is polled for nothing. */
  if (poll->handle != handle) poll->polled = 0;
  poll->handle = handle;
  poll->callback = callback;
  poll->wanted = events;
  return apply(poll);
}

int helped_poll_stop(uv_poll_t *handle) {
  struct poll *poll = poll_of(handle);
  if (poll != NULL) *poll = (struct poll){0};
  return uv_poll_stop(handle);
}

void watch_polls(int fd) {
  if (fd < MOST_SOCKETS) polls[fd] = (struct poll){.watched = true};
}

void forget_polls(int fd) {
  if (fd < MOST_SOCKETS) polls[fd] = (struct poll){0};
}

bool has_hung_up(int fd) { return fd < MOST_SOCKETS && polls[fd].hung_up; }

void hold_reads(int fd, bool on) {
  if (fd >= MOST_SOCKETS || polls[fd].held == on) return;
  polls[fd].held = on;
  if (polls[fd].handle != NULL) apply(&polls[fd]);
}

void expect_write(int fd, bool on) {
  if (fd >= MOST_SOCKETS || polls[fd].flushes == on) return;
  polls[fd].flushes = on;
  if (polls[fd].handle != NULL) apply(&polls[fd]);
}

void expect_read(int fd, bool on) {
  if (fd >= MOST_SOCKETS || polls[fd].due == on) return;
  polls[fd].due = on;
  if (polls[fd].handle != NULL) apply(&polls[fd]);
}
