/*
 * What uWebSockets.js cannot be asked for in JavaScript, done to the sockets below it: the functions that JavaScript calls, and
 * what they ask of a socket themselves. Node-API only, so one binary serves every version of Node.
 *
 * 1. Whether the peer of a socket is gone can be asked. A paused socket is not polled, so nobody would ever tell.
 * 2. An interim response can be sent. A peer that died while its body waits to be read is found out only by sending, for
 *    its own FIN stands behind that body; and before the final status nothing else may be sent.
 * 3. Whether a socket has room can be asked. A response that is ended while bytes of it are still in uWebSockets' buffer is
 *    closed after ten seconds without progress, and nobody is told; so it is ended when there is room for its last bytes,
 *    and when the peer's machine has acknowledged nearly all that came before.
 * 4. What the peer's machine has not acknowledged can be asked. The kernel takes megabytes for a slow receiver and then says
 *    nothing until a third of them has gone, and one that reads all the time would look as if it had stalled.
 * 5. A process that has no descriptor left for a connection turns it away. uSockets leaves it in the queue, is told of it again
 *    at once, and does nothing else from then on.
 * 6. Something can be done quietly. uWebSockets prints a line on standard output for every server name that gets a handler
 *    ("Browsed to SNI: ..."), and whoever reads the log there expects JSON.
 * 7. A port can be opened again at once after a restart. uSockets does not say SO_REUSEADDR for a port of its own, and connections
 *    that the gateway before has closed keep the port for a minute. Two that listen still exclude each other.
 *
 * reads.c and writes.c say what is done to reads and writes.
 */
#define _GNU_SOURCE
#include "reads.h"
#include "slots.h"
#include "writes.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <node_api.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* What this was built from: build.sh says. A test compares. */
#ifndef SOURCES
#define SOURCES "unknown"
#endif

/* Kept for turning away whoever comes when there is none left. One for each thread, for each may listen. */
static _Thread_local int spare_fd = -1;
static uint32_t turned_away = 0;

static int turn_away(int listener) {
  close(spare_fd);
  int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd >= 0) {
    close(fd);
    __atomic_add_fetch(&turned_away, 1, __ATOMIC_RELAXED);
  }
  spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  errno = EAGAIN;
  return -1;
}

static int helped_accept4(int listener, struct sockaddr *address, socklen_t *length, int flags) {
  if (spare_fd < 0) spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  int fd = accept4(listener, address, length, flags);
  if (fd < 0) return (errno == EMFILE || errno == ENFILE) && spare_fd >= 0 ? turn_away(listener) : fd;
  forget_reads(fd);
  forget_writes(fd);
  return fd;
}

static int helped_bind(int fd, const struct sockaddr *address, socklen_t length) {
  int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  return bind(fd, address, length);
}

static const struct replacement REPLACEMENTS[] = {{"recv", (void *)helped_recv},
                                                  {"send", (void *)helped_send},
                                                  {"accept4", (void *)helped_accept4},
                                                  {"bind", (void *)helped_bind}};

static bool socket_argument(napi_env env, napi_value value, int *fd) {
  return napi_get_value_int32(env, value, fd) == napi_ok && *fd >= 0;
}

/* Reads the argument of a function that takes a socket and nothing else; throws `usage` when it is something else. */
static bool only_socket(napi_env env, napi_callback_info info, const char *usage, int *fd) {
  size_t count = 1;
  napi_value argument;
  if (napi_get_cb_info(env, info, &count, &argument, NULL, NULL) == napi_ok && count == 1 &&
      socket_argument(env, argument, fd)) {
    return true;
  }
  napi_throw_type_error(env, NULL, usage);
  return false;
}

/* The same for a socket and a switch. */
static bool socket_and_switch(napi_env env, napi_callback_info info, const char *usage, int *fd, bool *on) {
  size_t count = 2;
  napi_value arguments[2];
  if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) == napi_ok && count == 2 &&
      socket_argument(env, arguments[0], fd) && napi_get_value_bool(env, arguments[1], on) == napi_ok) {
    return true;
  }
  napi_throw_type_error(env, NULL, usage);
  return false;
}

static napi_value boolean(napi_env env, bool value) {
  napi_value result;
  napi_get_boolean(env, value, &result);
  return result;
}

/*
 * install(object: string, usualRead: number, bulkRead: number): boolean — all in bytes.
 * False: the object has another layout.
 */
static napi_value install(napi_env env, napi_callback_info info) {
  size_t count = 3;
  napi_value arguments[3];
  char object[1024];
  size_t length = 0;
  int64_t usual = 0;
  int64_t bulk = 0;
  if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) != napi_ok || count != 3 ||
      napi_get_value_string_utf8(env, arguments[0], object, sizeof object, &length) != napi_ok || length == 0 ||
      length == sizeof object - 1 || napi_get_value_int64(env, arguments[1], &usual) != napi_ok || usual < 1024 ||
      napi_get_value_int64(env, arguments[2], &bulk) != napi_ok || bulk < 1024) {
    napi_throw_type_error(env, NULL, "install(object: string, usualRead: number, bulkRead: number)");
    return NULL;
  }
  usual_read = (size_t)usual;
  bulk_read = (size_t)bulk;
  return boolean(env, replace_calls(object, REPLACEMENTS, sizeof REPLACEMENTS / sizeof *REPLACEMENTS));
}

/* setBulkRead(bytes: number): void — the most that a bulk read brings from now on, for all sockets. */
static napi_value set_bulk_read(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  int64_t bytes;
  if (napi_get_cb_info(env, info, &count, &argument, NULL, NULL) == napi_ok && count == 1 &&
      napi_get_value_int64(env, argument, &bytes) == napi_ok && bytes >= 1024) {
    bulk_read = (size_t)bytes;
  } else {
    napi_throw_type_error(env, NULL, "setBulkRead(bytes: number)");
  }
  return NULL;
}

/* currentSocket(): number — in a callback of uWebSockets that a read caused: the socket that was read. */
static napi_value current_socket(napi_env env, napi_callback_info info) {
  napi_value result;
  (void)info;
  napi_create_int32(env, socket_read_last(), &result);
  return result;
}

/* spend(socket: number): void */
static napi_value spend_(napi_env env, napi_callback_info info) {
  int fd;
  if (only_socket(env, info, "spend(socket: number)", &fd)) spend(fd);
  return NULL;
}

/* currentIsSpent(): boolean — in a callback of uWebSockets that a read caused: no request is taken from the socket that was read. */
static napi_value current_is_spent(napi_env env, napi_callback_info info) {
  (void)info;
  int fd = socket_read_last();
  return boolean(env, fd >= 0 && (is_spent(fd) || is_unread(fd)));
}

/* countAnswer(socket: number, bytes: number): void */
static napi_value count_answer_(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value arguments[2];
  int fd;
  uint32_t bytes;
  if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) == napi_ok && count == 2 &&
      napi_get_value_int32(env, arguments[0], &fd) == napi_ok && napi_get_value_uint32(env, arguments[1], &bytes) == napi_ok) {
    count_answer(fd, bytes);
  } else {
    napi_throw_type_error(env, NULL, "countAnswer(socket: number, bytes: number)");
  }
  return NULL;
}

/* mute(socket: number, on: boolean): void */
static napi_value mute(napi_env env, napi_callback_info info) {
  int fd;
  bool on;
  if (socket_and_switch(env, info, "mute(socket: number, on: boolean)", &fd, &on)) mute_reads(fd, on);
  return NULL;
}

/* expectBulk(socket: number, on: boolean): void */
static napi_value expect_bulk_(napi_env env, napi_callback_info info) {
  int fd;
  bool on;
  if (socket_and_switch(env, info, "expectBulk(socket: number, on: boolean)", &fd, &on)) expect_bulk(fd, on);
  return NULL;
}

/* watchChunks(socket: number): void — in the handler of a request with a chunked body, over plain TCP. */
static napi_value watch_chunks_(napi_env env, napi_callback_info info) {
  int fd;
  if (only_socket(env, info, "watchChunks(socket: number)", &fd)) watch_chunks(fd);
  return NULL;
}

/*
 * chunksAreSound(socket: number, chunk: ArrayBuffer, last: boolean): boolean — in each onData of a watched socket: whether
 * all that has been read is sound so far and, at the last call, whether the body has ended. After that nobody watches.
 */
static napi_value chunks_are_sound_(napi_env env, napi_callback_info info) {
  size_t count = 3;
  napi_value arguments[3];
  int fd;
  bool last;
  void *data;
  size_t length;
  if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) != napi_ok || count != 3 ||
      !socket_argument(env, arguments[0], &fd) ||
      napi_get_arraybuffer_info(env, arguments[1], &data, &length) != napi_ok ||
      napi_get_value_bool(env, arguments[2], &last) != napi_ok) {
    napi_throw_type_error(env, NULL, "chunksAreSound(socket: number, chunk: ArrayBuffer, last: boolean)");
    return NULL;
  }
  return boolean(env, chunks_are_sound(fd, data, length, last));
}

/*
 * joinChunks(socket: number): boolean — over plain TCP, when a chunked response has been written up to a chunk's end: from
 * here on size lines wait for their data. False: not now, some of it is still in uWebSockets' buffer.
 */
static napi_value join_chunks_(napi_env env, napi_callback_info info) {
  int fd;
  if (!only_socket(env, info, "joinChunks(socket: number)", &fd)) return NULL;
  return boolean(env, join_chunks(fd));
}

/*
 * bytesDue(socket: number): number — of the chunk written last, so many bytes at its end have not been sent. They have to be
 * given to sendDue(), but for the very last, which leaves when uWebSockets flushes after that.
 */
static napi_value bytes_due_(napi_env env, napi_callback_info info) {
  napi_value result;
  int fd;
  if (!only_socket(env, info, "bytesDue(socket: number)", &fd)) return NULL;
  napi_create_int64(env, (int64_t)bytes_due(fd), &result);
  return result;
}

/* sendDue(socket: number, bytes: Uint8Array): number — how many of them were taken, from the front. */
static napi_value send_due_(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value arguments[2];
  napi_value result;
  napi_typedarray_type type;
  int fd;
  void *data;
  size_t length;
  if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) != napi_ok || count != 2 ||
      !socket_argument(env, arguments[0], &fd) ||
      napi_get_typedarray_info(env, arguments[1], &type, &length, &data, NULL, NULL) != napi_ok ||
      type != napi_uint8_array) {
    napi_throw_type_error(env, NULL, "sendDue(socket: number, bytes: Uint8Array)");
    return NULL;
  }
  napi_create_int64(env, (int64_t)send_due(fd, data, length), &result);
  return result;
}

/* sentAll(socket: number): boolean — nothing that was given to uWebSockets waits in its buffer. */
static napi_value sent_all_(napi_env env, napi_callback_info info) {
  int fd;
  if (!only_socket(env, info, "sentAll(socket: number)", &fd)) return NULL;
  return boolean(env, unsent(fd) == 0);
}

/* Bytes that were sent and that the peer's machine has not acknowledged. */
static int queued_bytes(int fd) {
  int bytes = 0;
  return ioctl(fd, SIOCOUTQ, &bytes) == 0 ? bytes : 0;
}

/*
 * hasRoom(socket: number, queued: number): boolean — no more than so many bytes are on their way, and the kernel takes a few
 * hundred more for certain.
 */
static napi_value has_room(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value arguments[2];
  int fd;
  int32_t most;
  if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) != napi_ok || count != 2 ||
      !socket_argument(env, arguments[0], &fd) || napi_get_value_int32(env, arguments[1], &most) != napi_ok) {
    napi_throw_type_error(env, NULL, "hasRoom(socket: number, queued: number)");
    return NULL;
  }
  int waiting = queued_bytes(fd);
  struct pollfd polled = {fd, POLLOUT, 0};
  /* An empty buffer has room, without a second system call. */
  return boolean(env, waiting == 0 || (waiting <= most && poll(&polled, 1, 0) > 0));
}

/* queued(socket: number): number — bytes that were sent and that the peer's machine has not acknowledged. */
static napi_value queued(napi_env env, napi_callback_info info) {
  napi_value result;
  int fd;
  if (!only_socket(env, info, "queued(socket: number)", &fd)) return NULL;
  napi_create_int32(env, queued_bytes(fd), &result);
  return result;
}

/* sendContinue(socket: number): void — over plain TCP, to a client that expects it, before the status line. */
static napi_value send_continue(napi_env env, napi_callback_info info) {
  static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
  int fd;
  if (!only_socket(env, info, "sendContinue(socket: number)", &fd)) return NULL;
  /* The send buffer is empty, so it is taken whole. What becomes of it is seen by peerIsGone(). */
  send(fd, text, sizeof text - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
  return NULL;
}

/* peerIsGone(socket: number): boolean — the peer has closed its side, or reset, although unread bytes may be left. */
static napi_value peer_is_gone(napi_env env, napi_callback_info info) {
  int fd;
  struct tcp_info tcp;
  socklen_t length = sizeof tcp;
  if (!only_socket(env, info, "peerIsGone(socket: number)", &fd)) return NULL;
  bool known = getsockopt(fd, IPPROTO_TCP, TCP_INFO, &tcp, &length) == 0;
  return boolean(env, known && tcp.tcpi_state != TCP_ESTABLISHED);
}

/*
 * remoteIpv4(socket: number): string | undefined — the peer's address as dotted text; undefined when it is no IPv4 address, or
 * not known. What uWebSockets gives for it costs an ArrayBuffer and a few passes over it, for every request.
 */
static napi_value remote_ipv4(napi_env env, napi_callback_info info) {
  napi_value result = NULL;
  int fd;
  struct sockaddr_storage peer;
  socklen_t length = sizeof peer;
  const void *address = NULL;
  char text[INET_ADDRSTRLEN];
  if (!only_socket(env, info, "remoteIpv4(socket: number)", &fd)) return NULL;
  if (getpeername(fd, (struct sockaddr *)&peer, &length) != 0) return NULL;
  if (peer.ss_family == AF_INET) address = &((struct sockaddr_in *)&peer)->sin_addr;
  if (peer.ss_family == AF_INET6) {
    const struct in6_addr *six = &((struct sockaddr_in6 *)&peer)->sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(six)) address = six->s6_addr + 12;
  }
  if (address == NULL || inet_ntop(AF_INET, address, text, sizeof text) == NULL) return NULL;
  napi_create_string_latin1(env, text, NAPI_AUTO_LENGTH, &result);
  return result;
}

/* turnedAway(): number — connections closed unread since the start, because no descriptor was left for them. */
static napi_value turned_away_(napi_env env, napi_callback_info info) {
  napi_value result;
  (void)info;
  napi_create_uint32(env, __atomic_load_n(&turned_away, __ATOMIC_RELAXED), &result);
  return result;
}

/* Points standard output elsewhere, and returns where it was; -1: it stays. */
static int mute_output(void) {
  fflush(stdout);
  int was = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
  int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (was >= 0 && nowhere >= 0) dup2(nowhere, STDOUT_FILENO);
  if (nowhere >= 0) close(nowhere);
  return was;
}

/* quietly(run: () => void): void — what is printed on standard output meanwhile is lost. Throws what `run` throws. */
static napi_value quietly(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value run;
  napi_value receiver;
  napi_valuetype type;
  if (napi_get_cb_info(env, info, &count, &run, NULL, NULL) != napi_ok || count != 1 ||
      napi_typeof(env, run, &type) != napi_ok || type != napi_function) {
    napi_throw_type_error(env, NULL, "quietly(run: () => void)");
    return NULL;
  }
  napi_get_undefined(env, &receiver);
  int output = mute_output();
  napi_call_function(env, receiver, run, 0, NULL, NULL);
  if (output < 0) return NULL;
  fflush(stdout);
  dup2(output, STDOUT_FILENO);
  close(output);
  return NULL;
}

#define FUNCTION(name, function) {name, NULL, function, NULL, NULL, NULL, napi_enumerable, NULL}

NAPI_MODULE_INIT() {
  const napi_property_descriptor functions[] = {
      FUNCTION("install", install),
      FUNCTION("setBulkRead", set_bulk_read),
      FUNCTION("currentSocket", current_socket),
      FUNCTION("spend", spend_),
      FUNCTION("countAnswer", count_answer_),
      FUNCTION("currentIsSpent", current_is_spent),
      FUNCTION("mute", mute),
      FUNCTION("expectBulk", expect_bulk_),
      FUNCTION("watchChunks", watch_chunks_),
      FUNCTION("chunksAreSound", chunks_are_sound_),
      FUNCTION("joinChunks", join_chunks_),
      FUNCTION("bytesDue", bytes_due_),
      FUNCTION("sendDue", send_due_),
      FUNCTION("sentAll", sent_all_),
      FUNCTION("hasRoom", has_room),
      FUNCTION("remoteIpv4", remote_ipv4),
      FUNCTION("queued", queued),
      FUNCTION("sendContinue", send_continue),
      FUNCTION("peerIsGone", peer_is_gone),
      FUNCTION("turnedAway", turned_away_),
      FUNCTION("quietly", quietly),
  };
  napi_value sources;
  if (napi_create_string_utf8(env, SOURCES, NAPI_AUTO_LENGTH, &sources) != napi_ok ||
      napi_set_named_property(env, exports, "sources", sources) != napi_ok) {
    return NULL;
  }
  if (napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions) != napi_ok) return NULL;
  return exports;
}
