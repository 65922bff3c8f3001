/*
 * The functions that JavaScript calls. gateway/native/sockets.ts says what they are for. Node-API only, so one binary serves every
 * version of Node.
 */
#include "arrivals.h"
#include "door.h"
#include "engine-head.h"
#include "hand-over.h"
#include "handshake.h"
#include "identities.h"
#include "memory-file.h"
#include "output.h"
#include "peers.h"
#include "polls.h"
#include "reads.h"
#include "secure.h"
#include "slots.h"
#include "sockets.h"
#include "stage.h"
#include "writes.h"
#include <arpa/inet.h>
#include <node_api.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* What this was built from: build.sh says. A test compares. */
#ifndef SOURCES
#define SOURCES "unknown"
#endif

#define CALLS_MOST 5

static const struct replacement REPLACEMENTS[] = {
    {"recv", (void *)helped_recv},          {"send", (void *)helped_send},
    {"accept4", (void *)helped_accept4},    {"bind", (void *)helped_bind},
    {"uv_poll_start", (void *)helped_poll_start}, {"uv_poll_stop", (void *)helped_poll_stop},
    {"close", (void *)helped_close},        {"shutdown", (void *)helped_shutdown},
    {"writev", (void *)helped_writev},
};

/* --- arguments and results */

/* Reads the arguments of a call; throws what it should have been when there are others. */
static bool arguments(napi_env env, napi_callback_info info, size_t wanted, napi_value *values, const char *usage) {
  size_t count = CALLS_MOST;
  if (napi_get_cb_info(env, info, &count, values, NULL, NULL) == napi_ok && count == wanted) return true;
  napi_throw_type_error(env, NULL, usage);
  return false;
}

static bool is_socket(napi_env env, napi_value value, int *fd) {
  return napi_get_value_int32(env, value, fd) == napi_ok && *fd >= 0;
}

static void *wrong(napi_env env, const char *usage) {
  napi_throw_type_error(env, NULL, usage);
  return NULL;
}

static bool only_socket(napi_env env, napi_callback_info info, const char *usage, int *fd) {
  napi_value values[CALLS_MOST];
  if (!arguments(env, info, 1, values, usage)) return false;
  return is_socket(env, values[0], fd) || wrong(env, usage) != NULL;
}

static bool socket_and_switch(napi_env env, napi_callback_info info, const char *usage, int *fd, bool *on) {
  napi_value values[CALLS_MOST];
  if (!arguments(env, info, 2, values, usage)) return false;
  if (is_socket(env, values[0], fd) && napi_get_value_bool(env, values[1], on) == napi_ok) return true;
  return wrong(env, usage) != NULL;
}

static bool socket_and_number(napi_env env, napi_callback_info info, const char *usage, int *fd, int *number) {
  napi_value values[CALLS_MOST];
  if (!arguments(env, info, 2, values, usage)) return false;
  if (is_socket(env, values[0], fd) && napi_get_value_int32(env, values[1], number) == napi_ok) return true;
  return wrong(env, usage) != NULL;
}

static napi_value boolean(napi_env env, bool value) {
  napi_value result;
  napi_get_boolean(env, value, &result);
  return result;
}

static napi_value number(napi_env env, int64_t value) {
  napi_value result;
  napi_create_int64(env, value, &result);
  return result;
}

static bool bytes_of(napi_env env, napi_value value, void **bytes, size_t *length) {
  napi_typedarray_type type;
  return napi_get_typedarray_info(env, value, &type, length, bytes, NULL, NULL) == napi_ok && type == napi_uint8_array;
}

static napi_value latin1(napi_env env, const char *text, size_t length) {
  napi_value result;
  napi_create_string_latin1(env, text, length, &result);
  return result;
}

/* --- the whole */

static _Thread_local napi_threadsafe_function half_closed;

static void call_half_closed(napi_env env, napi_value callback, void *context, void *data) {
  napi_value receiver;
  napi_value values[3];
  intptr_t told = (intptr_t)data;
  (void)context;
  if (env == NULL) return;
  napi_get_undefined(env, &receiver);
  napi_create_int32(env, (int32_t)(told >> 2), &values[0]);
  napi_get_boolean(env, (told & 2) != 0, &values[1]);
  napi_get_boolean(env, (told & 1) != 0, &values[2]);
  napi_call_function(env, receiver, callback, 3, values, NULL);
}

static void tell_half_closed(int fd, bool asked, bool early) {
  intptr_t told = ((intptr_t)fd << 2) | ((intptr_t)asked << 1) | (intptr_t)early;
  if (half_closed != NULL) napi_call_threadsafe_function(half_closed, (void *)told, napi_tsfn_nonblocking);
}

static _Thread_local napi_threadsafe_function unfinished;

static void call_unfinished(napi_env env, napi_value callback, void *context, void *data) {
  napi_value receiver;
  napi_value socket;
  (void)context;
  if (env == NULL) return;
  napi_get_undefined(env, &receiver);
  napi_create_int32(env, (int32_t)(intptr_t)data, &socket);
  napi_call_function(env, receiver, callback, 1, &socket, NULL);
}

static void tell_unfinished(int fd) {
  if (unfinished != NULL) napi_call_threadsafe_function(unfinished, (void *)(intptr_t)fd, napi_tsfn_nonblocking);
}

/* What `run` is called by, for this thread, in the place of `*place`: the last one given counts. */
static napi_value listen_by(napi_env env, napi_callback_info info, const char *usage, napi_threadsafe_function *place,
                            napi_threadsafe_function_call_js call) {
  napi_value values[CALLS_MOST];
  napi_value name;
  napi_valuetype type;
  if (!arguments(env, info, 1, values, usage)) return NULL;
  if (napi_typeof(env, values[0], &type) != napi_ok || type != napi_function) return wrong(env, usage);
  if (*place != NULL) napi_release_threadsafe_function(*place, napi_tsfn_release);
  *place = NULL;
  napi_create_string_utf8(env, usage, NAPI_AUTO_LENGTH, &name);
  if (napi_create_threadsafe_function(env, values[0], NULL, name, 0, 1, NULL, NULL, NULL, call, place) != napi_ok) {
    return wrong(env, usage);
  }
  /* It keeps no process alive. */
  napi_unref_threadsafe_function(env, *place);
  return NULL;
}

/* onHalfClosed(run: (socket: number, asked: boolean, early: boolean) => void): void */
static napi_value on_half_closed_(napi_env env, napi_callback_info info) {
  static const char usage[] = "onHalfClosed(run: (socket: number, asked: boolean, early: boolean) => void)";
  return listen_by(env, info, usage, &half_closed, call_half_closed);
}

/* onUnfinishedMessage(run: (socket: number) => void): void */
static napi_value on_unfinished_message(napi_env env, napi_callback_info info) {
  return listen_by(env, info, "onUnfinishedMessage(run: (socket: number) => void)", &unfinished, call_unfinished);
}

/* Once for the process: the next thread must find no page of it writable, which the one before makes it for a moment. */
static bool installed_for(const char *object) {
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  static bool is_installed = false;
  pthread_mutex_lock(&lock);
  if (!is_installed) {
    on_all_sent = settle_reads;
    on_half_closed = tell_half_closed;
    on_unfinished = tell_unfinished;
    on_send_failed = send_has_failed;
    on_flushed = settle_reads;
    on_flush_failed = send_has_failed;
    find_output(object);
    is_installed = replace_calls(object, REPLACEMENTS, sizeof REPLACEMENTS / sizeof *REPLACEMENTS);
  }
  pthread_mutex_unlock(&lock);
  return is_installed;
}

/* install(object: string, usualRead: number, bulkRead: number): boolean — in bytes. False: the object has another layout. */
static napi_value install(napi_env env, napi_callback_info info) {
  static const char usage[] = "install(object: string, usualRead: number, bulkRead: number)";
  napi_value values[CALLS_MOST];
  char object[1024];
  size_t length = 0;
  int64_t usual = 0;
  int64_t bulk = 0;
  if (!arguments(env, info, 3, values, usage)) return NULL;
  if (napi_get_value_string_utf8(env, values[0], object, sizeof object, &length) != napi_ok || length == 0 ||
      length == sizeof object - 1 || napi_get_value_int64(env, values[1], &usual) != napi_ok || usual < 16384 ||
      napi_get_value_int64(env, values[2], &bulk) != napi_ok || bulk < 16384) {
    return wrong(env, usage);
  }
  usual_read = (size_t)usual;
  bulk_read = (size_t)bulk;
  return boolean(env, installed_for(object));
}

/* setBulkRead(bytes: number): void — the most that a bulk read brings from now on, for all sockets. */
static napi_value set_bulk_read(napi_env env, napi_callback_info info) {
  static const char usage[] = "setBulkRead(bytes: number)";
  napi_value values[CALLS_MOST];
  int64_t bytes;
  if (!arguments(env, info, 1, values, usage)) return NULL;
  if (napi_get_value_int64(env, values[0], &bytes) != napi_ok || bytes < 16384) return wrong(env, usage);
  bulk_read = (size_t)bytes;
  return NULL;
}

/* stageFrom(sends: number): void — so many sends of one read pay for staging the next one. 0: none do. */
static napi_value stage_from_(napi_env env, napi_callback_info info) {
  static const char usage[] = "stageFrom(sends: number)";
  napi_value values[CALLS_MOST];
  uint32_t sends;
  if (!arguments(env, info, 1, values, usage)) return NULL;
  if (napi_get_value_uint32(env, values[0], &sends) != napi_ok) return wrong(env, usage);
  stage_from = sends == 0 ? UINT32_MAX : sends;
  return NULL;
}

/* stageCopy(original: Uint8Array, copy: Uint8Array): void */
static napi_value stage_copy_(napi_env env, napi_callback_info info) {
  static const char usage[] = "stageCopy(original: Uint8Array, copy: Uint8Array)";
  napi_value values[CALLS_MOST];
  void *original;
  void *copy;
  size_t length;
  size_t room;
  if (!arguments(env, info, 2, values, usage)) return NULL;
  if (!bytes_of(env, values[0], &original, &length) || !bytes_of(env, values[1], &copy, &room)) return wrong(env, usage);
  stage_copy(original, copy, length < room ? length : room);
  return NULL;
}

/* stageRelease(copy: Uint8Array): void */
static napi_value stage_release_(napi_env env, napi_callback_info info) {
  static const char usage[] = "stageRelease(copy: Uint8Array)";
  napi_value values[CALLS_MOST];
  void *copy;
  size_t length;
  if (!arguments(env, info, 1, values, usage)) return NULL;
  if (!bytes_of(env, values[0], &copy, &length)) return wrong(env, usage);
  stage_release(copy);
  return NULL;
}

/* sentStaged(): number — bytes that have left without being copied, since the start. */
static napi_value sent_staged(napi_env env, napi_callback_info info) {
  (void)info;
  return number(env, (int64_t)bytes_sent_staged());
}

/* openForTls(place: number): void — with which certificates ports that are opened from now on speak TLS; 0: they do not. */
static napi_value open_for_tls_(napi_env env, napi_callback_info info) {
  int place;
  if (only_socket(env, info, "openForTls(place: number)", &place)) open_for_tls(place);
  return NULL;
}

/* watchPeers(seconds: number): void — for ports that are opened from now on. */
static napi_value watch_peers_(napi_env env, napi_callback_info info) {
  static const char usage[] = "watchPeers(seconds: number)";
  napi_value values[CALLS_MOST];
  int seconds;
  if (!arguments(env, info, 1, values, usage)) return NULL;
  if (napi_get_value_int32(env, values[0], &seconds) != napi_ok || seconds < 0 || seconds > 900) return wrong(env, usage);
  watch_peers(seconds);
  return NULL;
}

/* turnedAway(): number */
static napi_value turned_away(napi_env env, napi_callback_info info) {
  (void)info;
  return number(env, connections_turned_away());
}

/* handshakesFailed(place: number): number */
static napi_value handshakes_failed_(napi_env env, napi_callback_info info) {
  int place;
  if (!only_socket(env, info, "handshakesFailed(place: number)", &place)) return NULL;
  return number(env, handshakes_failed(place));
}

/* failedHandshakes(place: number): string — a line for each kind: how many, and the address of the last. */
static napi_value failed_handshakes(napi_env env, napi_callback_info info) {
  char text[HANDSHAKE_FAULTS * (INET6_ADDRSTRLEN + 12)];
  int place;
  if (!only_socket(env, info, "failedHandshakes(place: number)", &place)) return NULL;
  return latin1(env, text, describe_failed(place, text, sizeof text));
}

/* keptEncrypted(): number — of all connections, in bytes. */
static napi_value kept_encrypted(napi_env env, napi_callback_info info) {
  (void)info;
  return number(env, (int64_t)kept_of_all());
}

/* memoryFile(name: string, bytes: Uint8Array): number — the descriptor of the one file in memory. */
static napi_value memory_file(napi_env env, napi_callback_info info) {
  static const char usage[] = "memoryFile(name: string, bytes: Uint8Array)";
  napi_value values[CALLS_MOST];
  char name[64];
  void *bytes;
  size_t length;
  if (!arguments(env, info, 2, values, usage)) return NULL;
  if (napi_get_value_string_latin1(env, values[0], name, sizeof name, NULL) != napi_ok ||
      !bytes_of(env, values[1], &bytes, &length)) {
    return wrong(env, usage);
  }
  int fd = only_memory_file(name, bytes, length);
  if (fd >= 0) return number(env, fd);
  napi_throw_error(env, NULL, "there is no file in memory to be had");
  return NULL;
}

/* quietly(run: () => void): void — what the engine prints on standard output meanwhile is dropped. Throws what `run` throws. */
static napi_value quietly(napi_env env, napi_callback_info info) {
  static const char usage[] = "quietly(run: () => void)";
  napi_value values[CALLS_MOST];
  napi_value receiver;
  napi_valuetype type;
  if (!arguments(env, info, 1, values, usage)) return NULL;
  if (napi_typeof(env, values[0], &type) != napi_ok || type != napi_function) return wrong(env, usage);
  napi_get_undefined(env, &receiver);
  mute_output();
  napi_call_function(env, receiver, values[0], 0, NULL, NULL);
  restore_output();
  return NULL;
}

/* --- requests */

/* currentSocket(): number — in a callback that a read caused: the socket that was read. */
static napi_value current_socket(napi_env env, napi_callback_info info) {
  (void)info;
  return number(env, socket_read_last());
}

#define FIRST_LINE_MOST 96

/*
 * currentHead(): string | undefined — in the handler of a request: its head. The first line is a digit each for keep-alive,
 * Expect, WebSocket, framing (0 none, 1 a length, 2 chunks) and HTTP/1.0, the length, a space, and what is wrong with it;
 * then what head.h says. Undefined: it was not read here.
 */
static napi_value current_head(napi_env env, napi_callback_info info) {
  static _Thread_local unsigned char text[FIRST_LINE_MOST + HEAD_MOST];
  const struct reading *reading = head_read_last();
  (void)info;
  if (reading == NULL) return NULL;
  const struct head *head = &reading->head;
  const char *problem = problem_name((enum problem)head->problem);
  unsigned char *at = PUT_BEFORE(text + FIRST_LINE_MOST, "\n");
  at = put_before(at, problem, strlen(problem));
  at = put_number_before(PUT_BEFORE(at, " "), head->length);
  *--at = (unsigned char)('0' + (head->minor == 0));
  *--at = (unsigned char)('0' + head->framing);
  *--at = (unsigned char)('0' + head->is_websocket);
  *--at = (unsigned char)('0' + head->expects_continue);
  *--at = (unsigned char)('0' + head->keeps_alive);
  memcpy(text + FIRST_LINE_MOST, reading->text, head->text_length);
  return latin1(env, (const char *)at, (size_t)(text + FIRST_LINE_MOST - at) + head->text_length);
}

/* responseIsOver(socket: number, closes: boolean): void */
static napi_value response_is_over_(napi_env env, napi_callback_info info) {
  int fd;
  bool closes;
  if (socket_and_switch(env, info, "responseIsOver(socket: number, closes: boolean)", &fd, &closes)) response_is_over(fd, closes);
  return NULL;
}

/* discard(socket: number): void */
static napi_value discard(napi_env env, napi_callback_info info) {
  int fd;
  if (only_socket(env, info, "discard(socket: number)", &fd)) discard_reads(fd);
  return NULL;
}

/* becomeWebSocket(socket: number, most: number): void */
static napi_value become_websocket_(napi_env env, napi_callback_info info) {
  int fd;
  int most;
  if (socket_and_number(env, info, "becomeWebSocket(socket: number, most: number)", &fd, &most)) {
    become_websocket(fd, (uint64_t)most);
  }
  return NULL;
}

/* unfinishedMessage(socket: number): number */
static napi_value unfinished_message_(napi_env env, napi_callback_info info) {
  int fd;
  if (!only_socket(env, info, "unfinishedMessage(socket: number)", &fd)) return NULL;
  return number(env, unfinished_message(fd));
}

/* bodyIsSound(socket: number): boolean */
static napi_value body_is_sound_(napi_env env, napi_callback_info info) {
  int fd;
  if (!only_socket(env, info, "bodyIsSound(socket: number)", &fd)) return NULL;
  return boolean(env, body_is_sound(fd));
}

/* expectBulk(socket: number, on: boolean): void */
static napi_value expect_bulk_(napi_env env, napi_callback_info info) {
  int fd;
  bool on;
  if (socket_and_switch(env, info, "expectBulk(socket: number, on: boolean)", &fd, &on)) expect_bulk(fd, on);
  return NULL;
}

/* --- responses */

/* joinChunks(socket: number): boolean */
static napi_value join_chunks_(napi_env env, napi_callback_info info) {
  int fd;
  if (!only_socket(env, info, "joinChunks(socket: number)", &fd)) return NULL;
  return boolean(env, join_chunks(fd));
}

/* endHead(socket: number): boolean */
static napi_value end_head_(napi_env env, napi_callback_info info) {
  int fd;
  if (!only_socket(env, info, "endHead(socket: number)", &fd)) return NULL;
  return boolean(env, end_head(fd));
}

/* pauseWebSocket(socket: number, on: boolean): void */
static napi_value pause_websocket_(napi_env env, napi_callback_info info) {
  int fd;
  bool on;
  if (socket_and_switch(env, info, "pauseWebSocket(socket: number, on: boolean)", &fd, &on)) pause_websocket(fd, on);
  return NULL;
}

/* closeWebSocket(socket: number): boolean */
static napi_value close_websocket_(napi_env env, napi_callback_info info) {
  int fd;
  if (!only_socket(env, info, "closeWebSocket(socket: number)", &fd)) return NULL;
  return boolean(env, close_websocket(fd));
}

/* endBody(socket: number): boolean */
static napi_value end_body_(napi_env env, napi_callback_info info) {
  int fd;
  if (!only_socket(env, info, "endBody(socket: number)", &fd)) return NULL;
  return boolean(env, end_body(fd));
}

/* askInBody(socket: number): boolean */
static napi_value ask_in_body_(napi_env env, napi_callback_info info) {
  int fd;
  if (!only_socket(env, info, "askInBody(socket: number)", &fd)) return NULL;
  return boolean(env, ask_in_body(fd));
}

/* bytesDue(socket: number): number */
static napi_value bytes_due_(napi_env env, napi_callback_info info) {
  int fd;
  if (!only_socket(env, info, "bytesDue(socket: number)", &fd)) return NULL;
  return number(env, (int64_t)bytes_due(fd));
}

/* sendDue(socket: number, bytes: Uint8Array): number — how many of them were taken, from the front. */
static napi_value send_due_(napi_env env, napi_callback_info info) {
  static const char usage[] = "sendDue(socket: number, bytes: Uint8Array)";
  napi_value values[CALLS_MOST];
  int fd;
  void *data;
  size_t length;
  if (!arguments(env, info, 2, values, usage)) return NULL;
  if (!is_socket(env, values[0], &fd) || !bytes_of(env, values[1], &data, &length)) return wrong(env, usage);
  return number(env, (int64_t)send_due(fd, data, length));
}

/* sentAll(socket: number): boolean — nothing that was given to uWebSockets waits in its buffer. */
static napi_value sent_all(napi_env env, napi_callback_info info) {
  int fd;
  if (!only_socket(env, info, "sentAll(socket: number)", &fd)) return NULL;
  return boolean(env, left_with_engine(fd) == 0);
}

/* hasAcknowledged(socket: number): boolean */
static napi_value has_acknowledged(napi_env env, napi_callback_info info) {
  int fd;
  if (!only_socket(env, info, "hasAcknowledged(socket: number)", &fd)) return NULL;
  return boolean(env, sent_of_response(fd) > (uint64_t)queued_bytes(fd));
}

/* hasRoom(socket: number, queued: number): boolean */
static napi_value has_room_(napi_env env, napi_callback_info info) {
  int fd;
  int most;
  if (!socket_and_number(env, info, "hasRoom(socket: number, queued: number)", &fd, &most)) return NULL;
  return boolean(env, has_room(fd, most));
}

/* queued(socket: number): number */
static napi_value queued(napi_env env, napi_callback_info info) {
  int fd;
  if (!only_socket(env, info, "queued(socket: number)", &fd)) return NULL;
  return number(env, queued_bytes(fd));
}

/* sendInterim(socket: number, status: number): void */
static napi_value send_interim_(napi_env env, napi_callback_info info) {
  int fd;
  int status;
  if (socket_and_number(env, info, "sendInterim(socket: number, status: number)", &fd, &status)) send_interim(fd, status);
  return NULL;
}

/* resetAtClose(socket: number): void */
static napi_value reset_at_close_(napi_env env, napi_callback_info info) {
  int fd;
  if (only_socket(env, info, "resetAtClose(socket: number)", &fd)) reset_at_close(fd);
  return NULL;
}

/* peerIsGone(socket: number): boolean */
static napi_value peer_is_gone_(napi_env env, napi_callback_info info) {
  int fd;
  if (!only_socket(env, info, "peerIsGone(socket: number)", &fd)) return NULL;
  return boolean(env, peer_is_gone(fd));
}

/* hasVanished(socket: number, silentMs: number): boolean */
static napi_value has_vanished_(napi_env env, napi_callback_info info) {
  int fd;
  int silent;
  if (!socket_and_number(env, info, "hasVanished(socket: number, silentMs: number)", &fd, &silent)) return NULL;
  return boolean(env, has_vanished(fd, silent));
}

/* isHere(socket: number): boolean */
static napi_value is_here(napi_env env, napi_callback_info info) {
  int fd;
  if (!only_socket(env, info, "isHere(socket: number)", &fd)) return NULL;
  return boolean(env, client_is_here(fd));
}

/* --- what has arrived: a connection that is followed has a number of its own */

/* follow(socket: number): number */
static napi_value follow_(napi_env env, napi_callback_info info) {
  int fd;
  if (!only_socket(env, info, "follow(socket: number)", &fd)) return NULL;
  return number(env, follow(fd));
}

/* unfollow(connection: number): void */
static napi_value unfollow(napi_env env, napi_callback_info info) {
  int id;
  if (only_socket(env, info, "unfollow(connection: number)", &id)) forget_arrival(id);
  return NULL;
}

/* written(connection: number): number */
static napi_value written(napi_env env, napi_callback_info info) {
  int id;
  if (!only_socket(env, info, "written(connection: number)", &id)) return NULL;
  return number(env, (int64_t)bytes_written(id));
}

/* acknowledged(connection: number): number */
static napi_value acknowledged(napi_env env, napi_callback_info info) {
  int id;
  if (!only_socket(env, info, "acknowledged(connection: number)", &id)) return NULL;
  return number(env, (int64_t)bytes_acknowledged(id));
}

/* beginsAt(connection: number, offset: number): void */
static napi_value begins_at_(napi_env env, napi_callback_info info) {
  static const char usage[] = "beginsAt(connection: number, offset: number)";
  napi_value values[CALLS_MOST];
  int id;
  int64_t offset;
  if (!arguments(env, info, 2, values, usage)) return NULL;
  if (!is_socket(env, values[0], &id) || napi_get_value_int64(env, values[1], &offset) != napi_ok || offset < 0) {
    return wrong(env, usage);
  }
  begins_at(id, (uint64_t)offset);
  return NULL;
}

/* hasArrived(connection: number): boolean */
static napi_value has_arrived_(napi_env env, napi_callback_info info) {
  int id;
  if (!only_socket(env, info, "hasArrived(connection: number)", &id)) return NULL;
  return boolean(env, has_arrived(id));
}

/* socketOf(connection: number): number */
static napi_value socket_of(napi_env env, napi_callback_info info) {
  int id;
  if (!only_socket(env, info, "socketOf(connection: number)", &id)) return NULL;
  return number(env, followed_by(id));
}

/* abandon(connection: number): void */
static napi_value abandon_(napi_env env, napi_callback_info info) {
  int id;
  if (only_socket(env, info, "abandon(connection: number)", &id)) abandon(id);
  return NULL;
}

/* --- TLS */

/* The text, to be freed with free(); NULL: it is none, or there is no memory. */
static char *copied_text(napi_env env, napi_value value) {
  size_t length;
  if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok) return NULL;
  char *text = malloc(length + 1);
  if (text != NULL) napi_get_value_string_utf8(env, value, text, length + 1, &length);
  return text;
}

static char *copied_element(napi_env env, napi_value list, uint32_t at) {
  napi_value value;
  return napi_get_element(env, list, at, &value) == napi_ok ? copied_text(env, value) : NULL;
}

/* One of them: its chain, its key, and its names behind them. */
static bool add_listed(napi_env env, napi_value list, struct identities *identities, char *why, size_t room) {
  uint32_t length = 0;
  napi_get_array_length(env, list, &length);
  char *chain = copied_element(env, list, 0);
  char *key = copied_element(env, list, 1);
  bool good = chain != NULL && key != NULL && add_identity(identities, chain, key, why, room);
  free(chain);
  if (key != NULL) OPENSSL_cleanse(key, strlen(key));
  free(key);
  for (uint32_t i = 2; good && i < length; i++) {
    char *name = copied_element(env, list, i);
    good = name != NULL && add_name(identities, name);
    free(name);
  }
  return good;
}

static bool add_all(napi_env env, napi_value lists, struct identities *identities, char *why, size_t room) {
  uint32_t count = 0;
  if (identities == NULL || napi_get_array_length(env, lists, &count) != napi_ok || count == 0) return false;
  for (uint32_t i = 0; i < count; i++) {
    napi_value list;
    if (napi_get_element(env, lists, i, &list) != napi_ok || !add_listed(env, list, identities, why, room)) return false;
  }
  return true;
}

/* newPlace(): number — for the certificates of a gateway; 0: there is none. */
static napi_value new_place_(napi_env env, napi_callback_info info) {
  (void)info;
  return number(env, new_place());
}

/* leavePlace(place: number): void */
static napi_value leave_place(napi_env env, napi_callback_info info) {
  int place;
  if (only_socket(env, info, "leavePlace(place: number)", &place)) use_identities(place, NULL);
  return NULL;
}

/*
 * useCertificates(place: number, certificates: string[][], clients: number, authorities: string, revoked: string): void — chain, key and names of each, in PEM;
 * whether clients are not asked for one (0), may (1) or have to (2) show one, by whose authorities, and which ones were revoked; "" is none. Throws
 * why they cannot be used.
 */
static napi_value use_certificates(napi_env env, napi_callback_info info) {
  static const char usage[] = "useCertificates(place: number, certificates: string[][], clients: number, authorities: string, revoked: string)";
  napi_value values[CALLS_MOST];
  uint32_t rule;
  int place;
  if (!arguments(env, info, 5, values, usage)) return NULL;
  char *authorities = copied_text(env, values[3]);
  char *revoked = copied_text(env, values[4]);
  if (!is_socket(env, values[0], &place) || napi_get_value_uint32(env, values[2], &rule) != napi_ok || rule > REQUIRED || authorities == NULL || revoked == NULL) {
    free(authorities);
    free(revoked);
    return wrong(env, usage);
  }
  char why[512] = "certificates, keys and names are text";
  struct authorities *trusted = rule == NEVER_ASKED ? NULL : new_authorities((enum client_certificates)rule, authorities, *revoked == 0 ? NULL : revoked, why, sizeof why);
  struct identities *identities = rule != NEVER_ASKED && trusted == NULL ? NULL : new_identities(trusted);
  bool good = add_all(env, values[1], identities, why, sizeof why);
  free(authorities);
  free(revoked);
  if (good) {
    use_identities(place, identities);
  } else {
    drop_identities(identities);
    napi_throw_error(env, NULL, why);
  }
  return NULL;
}

/* secureTerms(socket: number): string | undefined */
static napi_value secure_terms_(napi_env env, napi_callback_info info) {
  char text[128];
  int fd;
  if (!only_socket(env, info, "secureTerms(socket: number)", &fd) || !secure_terms(fd, text, sizeof text)) return NULL;
  return latin1(env, text, NAPI_AUTO_LENGTH);
}

/* clientOf(socket: number): number */
static napi_value client_of_(napi_env env, napi_callback_info info) {
  int fd;
  return only_socket(env, info, "clientOf(socket: number)", &fd) ? number(env, client_of(fd)) : NULL;
}

/* clientCertificate(socket: number): Buffer | undefined — in DER. */
static napi_value client_certificate_(napi_env env, napi_callback_info info) {
  int fd;
  int length;
  if (!only_socket(env, info, "clientCertificate(socket: number)", &fd)) return NULL;
  unsigned char *der = client_certificate(fd, &length);
  napi_value result = NULL;
  if (der != NULL) napi_create_buffer_copy(env, (size_t)length, der, NULL, &result);
  free(der);
  return result;
}

/* clientCertificateFault(socket: number): string | undefined */
static napi_value client_certificate_fault_(napi_env env, napi_callback_info info) {
  int fd;
  if (!only_socket(env, info, "clientCertificateFault(socket: number)", &fd)) return NULL;
  const char *fault = client_certificate_fault(fd);
  return fault == NULL ? NULL : latin1(env, fault, NAPI_AUTO_LENGTH);
}

/* --- several threads */

static bool text_of(napi_env env, napi_value value, char *text, size_t room, size_t *length) {
  return napi_get_value_string_latin1(env, value, text, room, length) == napi_ok && *length < room - 1;
}

/* spreadNames(prefix: string, threads: number): void — once, before any thread joins. */
static napi_value spread_names_(napi_env env, napi_callback_info info) {
  static const char usage[] = "spreadNames(prefix: string, threads: number)";
  napi_value values[CALLS_MOST];
  struct naming naming = {.threads = 0};
  if (!arguments(env, info, 2, values, usage)) return NULL;
  if (!text_of(env, values[0], naming.prefix, sizeof naming.prefix, &naming.prefix_length) ||
      napi_get_value_uint32(env, values[1], &naming.threads) != napi_ok || naming.threads < 1 || naming.threads > THREADS_MOST) {
    return wrong(env, usage);
  }
  spread_names(&naming);
  return NULL;
}

/* ownerOf(target: string): number — the number of the thread that has its name. The target is text of Latin-1, an octet each. */
static napi_value owner_of_(napi_env env, napi_callback_info info) {
  static const char usage[] = "ownerOf(target: string)";
  napi_value values[CALLS_MOST];
  char target[8192];
  size_t length;
  if (!arguments(env, info, 1, values, usage)) return NULL;
  if (!text_of(env, values[0], target, sizeof target, &length)) return wrong(env, usage);
  return number(env, owner_of_target(names_are_spread(), target, length));
}

static _Thread_local napi_threadsafe_function bell_of_mailbox;

static void call_ring(napi_env env, napi_value callback, void *context, void *data) {
  napi_value receiver;
  (void)context;
  (void)data;
  if (env == NULL) return;
  napi_get_undefined(env, &receiver);
  napi_call_function(env, receiver, callback, 0, NULL, NULL);
}

static void ring(void *bell) { napi_call_threadsafe_function((napi_threadsafe_function)bell, NULL, napi_tsfn_nonblocking); }

static void leave(void *nothing) {
  (void)nothing;
  leave_threads();
}

/* onConnections(run: () => void): void — called when there are some to be taken, once the thread has joined. */
static napi_value on_connections(napi_env env, napi_callback_info info) {
  return listen_by(env, info, "onConnections(run: () => void)", &bell_of_mailbox, call_ring);
}

/* joinThreads(number: number): void */
static napi_value join_threads_(napi_env env, napi_callback_info info) {
  static const char usage[] = "joinThreads(number: number), after onConnections()";
  napi_value values[CALLS_MOST];
  uint32_t own;
  if (!arguments(env, info, 1, values, usage)) return NULL;
  if (napi_get_value_uint32(env, values[0], &own) != napi_ok || own >= names_are_spread()->threads || bell_of_mailbox == NULL) {
    return wrong(env, usage);
  }
  join_threads(own, ring, bell_of_mailbox);
  /* Nobody may ring when the thread is over. Hooks run in the opposite order of their making, so this one runs before the bell's. */
  napi_add_env_cleanup_hook(env, leave, NULL);
  return NULL;
}

/* takeConnection(): number — -1: there is none. */
static napi_value take_connection_(napi_env env, napi_callback_info info) {
  (void)info;
  return number(env, take_connection());
}

/* openDoor(host: string, port: number): number — the port, or -errno. */
static napi_value open_door_(napi_env env, napi_callback_info info) {
  static const char usage[] = "openDoor(host: string, port: number)";
  napi_value values[CALLS_MOST];
  char host[256];
  size_t length;
  int port;
  if (!arguments(env, info, 2, values, usage)) return NULL;
  if (!text_of(env, values[0], host, sizeof host, &length) || napi_get_value_int32(env, values[1], &port) != napi_ok) {
    return wrong(env, usage);
  }
  return number(env, open_door(host, port));
}

/* closeDoor(): void */
static napi_value close_door_(napi_env env, napi_callback_info info) {
  (void)env;
  (void)info;
  close_door();
  return NULL;
}

/* handedOver(): number — connections that this thread has given to others. */
static napi_value handed_over(napi_env env, napi_callback_info info) {
  (void)info;
  return number(env, (int64_t)connections_given());
}

/* remoteIpv4(socket: number): string | undefined */
static napi_value remote_ipv4(napi_env env, napi_callback_info info) {
  char text[INET_ADDRSTRLEN];
  int fd;
  if (!only_socket(env, info, "remoteIpv4(socket: number)", &fd) || !ipv4_of_peer(fd, text, sizeof text)) return NULL;
  return latin1(env, text, NAPI_AUTO_LENGTH);
}

#define FUNCTION(name, function) {name, NULL, function, NULL, NULL, NULL, napi_enumerable, NULL}

NAPI_MODULE_INIT() {
  const napi_property_descriptor functions[] = {
      FUNCTION("install", install),
      FUNCTION("setBulkRead", set_bulk_read),
      FUNCTION("openForTls", open_for_tls_),
      FUNCTION("watchPeers", watch_peers_),
      FUNCTION("turnedAway", turned_away),
      FUNCTION("handshakesFailed", handshakes_failed_),
      FUNCTION("failedHandshakes", failed_handshakes),
      FUNCTION("keptEncrypted", kept_encrypted),
      FUNCTION("stageFrom", stage_from_),
      FUNCTION("stageCopy", stage_copy_),
      FUNCTION("stageRelease", stage_release_),
      FUNCTION("sentStaged", sent_staged),
      FUNCTION("memoryFile", memory_file),
      FUNCTION("quietly", quietly),
      FUNCTION("currentSocket", current_socket),
      FUNCTION("currentHead", current_head),
      FUNCTION("onHalfClosed", on_half_closed_),
      FUNCTION("responseIsOver", response_is_over_),
      FUNCTION("discard", discard),
      FUNCTION("becomeWebSocket", become_websocket_),
      FUNCTION("onUnfinishedMessage", on_unfinished_message),
      FUNCTION("unfinishedMessage", unfinished_message_),
      FUNCTION("bodyIsSound", body_is_sound_),
      FUNCTION("expectBulk", expect_bulk_),
      FUNCTION("joinChunks", join_chunks_),
      FUNCTION("endHead", end_head_),
      FUNCTION("pauseWebSocket", pause_websocket_),
      FUNCTION("closeWebSocket", close_websocket_),
      FUNCTION("endBody", end_body_),
      FUNCTION("askInBody", ask_in_body_),
      FUNCTION("bytesDue", bytes_due_),
      FUNCTION("sendDue", send_due_),
      FUNCTION("sentAll", sent_all),
      FUNCTION("hasAcknowledged", has_acknowledged),
      FUNCTION("hasRoom", has_room_),
      FUNCTION("queued", queued),
      FUNCTION("sendInterim", send_interim_),
      FUNCTION("resetAtClose", reset_at_close_),
      FUNCTION("peerIsGone", peer_is_gone_),
      FUNCTION("hasVanished", has_vanished_),
      FUNCTION("isHere", is_here),
      FUNCTION("follow", follow_),
      FUNCTION("unfollow", unfollow),
      FUNCTION("written", written),
      FUNCTION("acknowledged", acknowledged),
      FUNCTION("beginsAt", begins_at_),
      FUNCTION("hasArrived", has_arrived_),
      FUNCTION("socketOf", socket_of),
      FUNCTION("abandon", abandon_),
      FUNCTION("remoteIpv4", remote_ipv4),
      FUNCTION("newPlace", new_place_),
      FUNCTION("leavePlace", leave_place),
      FUNCTION("useCertificates", use_certificates),
      FUNCTION("secureTerms", secure_terms_),
      FUNCTION("clientOf", client_of_),
      FUNCTION("clientCertificate", client_certificate_),
      FUNCTION("clientCertificateFault", client_certificate_fault_),
      FUNCTION("spreadNames", spread_names_),
      FUNCTION("ownerOf", owner_of_),
      FUNCTION("onConnections", on_connections),
      FUNCTION("joinThreads", join_threads_),
      FUNCTION("takeConnection", take_connection_),
      FUNCTION("openDoor", open_door_),
      FUNCTION("closeDoor", close_door_),
      FUNCTION("handedOver", handed_over),
  };
  napi_value sources = latin1(env, SOURCES, NAPI_AUTO_LENGTH);
  if (napi_set_named_property(env, exports, "sources", sources) != napi_ok ||
      napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions) != napi_ok) {
    return NULL;
  }
  return exports;
}
