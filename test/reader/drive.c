#define _GNU_SOURCE
#include "drive.h"
#include "reader.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MUST(fact) \
  do { \
    if (!(fact)) fprintf(stderr, "drive.c:%d: not true: %s\n", __LINE__, #fact), abort(); \
  } while (0)

/* --- the log */

static void reserve(struct log *log, size_t more) {
  if (log->length + more + 1 <= log->room) return;
  log->room = (log->length + more + 1) * 2;
  log->text = realloc(log->text, log->room);
  MUST(log->text != NULL);
}

static void tell(struct log *log, const char *format, ...) {
  va_list arguments;
  reserve(log, 256);
  va_start(arguments, format);
  log->length += (size_t)vsnprintf(log->text + log->length, 256, format, arguments);
  va_end(arguments);
}

static void tell_bytes(struct log *log, const char *what, const void *bytes, size_t length) {
  static const char DIGITS[] = "0123456789abcdef";
  const unsigned char *at = bytes;
  tell(log, "%s", what);
  reserve(log, 2 * length + 1);
  for (size_t i = 0; i < length; i++) {
    log->text[log->length++] = DIGITS[at[i] >> 4];
    log->text[log->length++] = DIGITS[at[i] & 15];
  }
  tell(log, "\n");
}

/* --- what stands for uWebSockets: it knows as little as will do, and forgives nothing */

enum engine_place { E_HEAD, E_LENGTH, E_SIZE, E_SIZE_LF, E_DATA, E_DATA_CR, E_DATA_LF, E_LAST_CR, E_LAST_LF, E_RAW };

struct engine {
  enum engine_place place;
  char head[4096];
  size_t head_length;
  uint64_t left;
  bool chunked;
  bool websocket;
  bool has_digit;
  /* Requests begun and ended. */
  int begun;
  int ended;
  /* The body of this request, or what came through a tunnel. */
  unsigned char *body;
  size_t body_length;
};

/* The value of a field, to the line's end; NULL: there is none. */
static const char *field(const struct engine *engine, const char *name) {
  const char *found = strstr(engine->head, name);
  return found == NULL ? NULL : found + strlen(name);
}

static void engine_begins(struct engine *engine) {
  const char *length = field(engine, "\r\ncontent-length:");
  const char *coding = field(engine, "\r\ntransfer-encoding:");
  MUST(strstr(engine->head, " / HTTP/1.1\r\nhost:h\r\n") != NULL);
  MUST(length == NULL || coding == NULL);
  MUST(coding == NULL || strncmp(coding, "chunked\r\n", 9) == 0);
  engine->chunked = coding != NULL;
  engine->websocket = field(engine, "\r\nupgrade:") != NULL;
  engine->left = length == NULL ? 0 : strtoull(length, NULL, 10);
  MUST(length == NULL || engine->left > 0);
  engine->body_length = 0;
  engine->has_digit = false;
  engine->begun++;
  engine->place = engine->chunked ? E_SIZE : engine->left > 0 ? E_LENGTH : E_HEAD;
  if (engine->place == E_HEAD) engine->ended++;
  engine->head_length = 0;
  if (engine->chunked) engine->left = 0;
}

static void engine_reads_head(struct engine *engine, unsigned char c) {
  MUST(c != '\0' && engine->head_length < sizeof engine->head - 1);
  engine->head[engine->head_length++] = (char)c;
  engine->head[engine->head_length] = '\0';
  if (engine->head_length >= 4 && strcmp(engine->head + engine->head_length - 4, "\r\n\r\n") == 0) engine_begins(engine);
}

static void engine_ends(struct engine *engine) {
  engine->ended++;
  engine->place = E_HEAD;
}

static void engine_reads(struct engine *engine, unsigned char c) {
  switch (engine->place) {
    case E_HEAD: engine_reads_head(engine, c); break;
    case E_LENGTH:
      engine->body[engine->body_length++] = c;
      if (--engine->left == 0) engine_ends(engine);
      break;
    case E_SIZE:
      if (c == '\r') {
        MUST(engine->has_digit);
        engine->place = E_SIZE_LF;
        break;
      }
      MUST(strchr("0123456789abcdef", c) != NULL && c != '\0' && engine->left < UINT64_MAX / 16);
      engine->left = engine->left * 16 + (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
      engine->has_digit = true;
      break;
    case E_SIZE_LF:
      MUST(c == '\n');
      engine->has_digit = false;
      engine->place = engine->left > 0 ? E_DATA : E_LAST_CR;
      break;
    case E_DATA:
      engine->body[engine->body_length++] = c;
      if (--engine->left == 0) engine->place = E_DATA_CR;
      break;
    case E_DATA_CR:
      MUST(c == '\r');
      engine->place = E_DATA_LF;
      break;
    case E_DATA_LF:
      MUST(c == '\n');
      engine->place = E_SIZE;
      break;
    case E_LAST_CR:
      MUST(c == '\r');
      engine->place = E_LAST_LF;
      break;
    case E_LAST_LF:
      MUST(c == '\n');
      engine_ends(engine);
      break;
    case E_RAW: engine->body[engine->body_length++] = c; break;
  }
}

/* --- a connection */

struct connection {
  struct reader reader;
  struct engine engine;
  struct reading reading;
  enum answer answer;
  struct log *log;
  /* The present request's body is to be told. */
  bool in_request;
  bool upgraded;
  /* The present request's response is over. */
  bool answered;
};

static bool text_starts(const struct head *head, const char *start) {
  return head->text_length >= strlen(start) && memcmp(head->text, start, strlen(start)) == 0;
}

static void check_head(const struct connection *connection) {
  const struct head *head = &connection->reading.head;
  const struct engine *engine = &connection->engine;
  MUST(head->text == connection->reading.text && head->text_length <= HEAD_MOST);
  MUST(head->text_length == 0 || head->text[head->text_length - 1] == '\n');
  if (head->problem != PROBLEM_NONE) {
    MUST(connection->reader.state == READER_DISCARD && strcmp(engine->head, "GET / HTTP/1.1\r\nhost:h\r\n\r\n") == 0);
    return;
  }
  MUST(head->method_length > 0 && memcmp(engine->head, head->text, head->method_length) == 0);
  MUST(engine->head[head->method_length] == ' ');
  MUST(engine->chunked == (head->framing == BODY_IN_CHUNKS));
  MUST(engine->websocket == head->is_websocket);
  MUST(!head->is_websocket || text_starts(head, "GET "));
}

static void tell_head(struct connection *connection) {
  const struct head *head = &connection->reading.head;
  if (head->problem != PROBLEM_NONE) {
    const char *name = problem_name((enum problem)head->problem);
    tell(connection->log, "refused %s %d ", name, problem_status((enum problem)head->problem));
    tell_bytes(connection->log, "", head->text, head->text_length);
    return;
  }
  tell(connection->log, "request minor=%d keeps=%d expects=%d websocket=%d framing=%d length=%llu ", head->minor,
       head->keeps_alive, head->expects_continue, head->is_websocket, head->framing, (unsigned long long)head->length);
  tell_bytes(connection->log, "", head->text, head->text_length);
  connection->in_request = true;
  connection->answered = false;
  connection->upgraded = head->is_websocket && memmem(head->text, head->text_length, "/refuse", 7) == NULL;
}

static void tell_body(struct connection *connection, const char *end) {
  /* Where it is broken a byte may have been made up. */
  size_t length = connection->engine.body_length;
  uint64_t counted = connection->reader.body_bytes;
  MUST(counted == length || (reader_is_broken(&connection->reader) && counted + 1 == length));
  tell_bytes(connection->log, "body ", connection->engine.body, (size_t)counted);
  tell(connection->log, "%s\n", end);
  connection->in_request = false;
}

/* What uWebSockets makes of the output, and whether that agrees with what the reader says. */
static void let_engine_read(struct connection *connection, const unsigned char *output, size_t length) {
  struct engine *engine = &connection->engine;
  int begun = engine->begun;
  for (size_t i = 0; i < length; i++) {
    engine_reads(engine, output[i]);
    if (engine->begun > begun && !connection->reading.has_head) MUST(!"a head comes when none is due");
    if (engine->begun == begun || !connection->reading.has_head) continue;
    check_head(connection);
    tell_head(connection);
    begun = engine->begun;
    connection->reading.has_head = false;
  }
  MUST(!connection->reading.has_head);
  if (connection->in_request && reader_is_broken(&connection->reader)) {
    MUST(length > 0 && engine->ended < engine->begun);
    tell_body(connection, "broken");
  } else if (connection->in_request && reader_ended(&connection->reader)) {
    MUST(engine->ended == engine->begun);
    MUST(connection->reader.state == (connection->answered ? READER_HEAD : READER_AWAIT));
    tell_body(connection, "end");
  } else if (connection->in_request) {
    MUST(engine->ended < engine->begun);
  }
}

static size_t most_memory = 1 << 24;

void limit_memory(size_t bytes) {
  most_memory = bytes;
  limit_half_heads(bytes);
}

/* What the kernel does. Returns how many bytes there was a place for. */
static size_t fill(const struct scatter *scatter, const unsigned char *bytes, size_t length) {
  size_t done = 0;
  size_t places = 0;
  for (int i = 0; i < scatter->count; i++) places += scatter->pieces[i].iov_len;
  MUST(places <= length);
  for (int i = 0; i < scatter->count && done < length; i++) {
    size_t here = scatter->pieces[i].iov_len < length - done ? scatter->pieces[i].iov_len : length - done;
    memcpy(scatter->pieces[i].iov_base, bytes + done, here);
    done += here;
  }
  return done;
}

/* Offers these bytes in memory that has no byte too much. Returns how many were taken. */
static size_t offer(struct connection *connection, const unsigned char *bytes, size_t length) {
  struct reader *reader = &connection->reader;
  struct reading *reading = &connection->reading;
  size_t room = reader_room(reader);
  MUST(room <= READER_ROOM_BEFORE);
  unsigned char *memory = malloc(room + length + READER_ROOM_BEHIND);
  MUST(memory != NULL);
  struct scatter scatter;
  if (reader_scatter(reader, &scatter, memory + room, length)) {
    length = fill(&scatter, bytes, length);
    reader_take_scattered(reader, &scatter, length, reading);
  } else {
    memcpy(memory + room, bytes, length);
    reader_take(reader, memory + room, length, reading);
    MUST(reading->consumed + reading->rest == length);
  }
  MUST(reading->rest <= length && reading->start == memory);
  size_t consumed = length - reading->rest;
  MUST(half_heads_used() <= most_memory);
  /* What is not taken is as it was, and none of it is output. */
  size_t most = consumed == length ? room + length + READER_ROOM_BEHIND : room + reading->consumed;
  MUST(reading->length <= most);
  MUST(memcmp(memory + room + reading->consumed, bytes + consumed, reading->rest) == 0);
  let_engine_read(connection, memory, reading->length);
  free(memory);
  return consumed;
}

/* When the request has ended and its time has come, the response does. False: nothing more is taken now. */
static bool go_on(struct connection *connection, bool all_has_come) {
  struct reader *reader = &connection->reader;
  if (connection->upgraded && reader->state == READER_AWAIT) {
    reader_tunnel(reader);
    connection->engine.place = E_RAW;
    connection->engine.body_length = 0;
  }
  if (connection->answer == EARLY || (reader->state == READER_AWAIT && (connection->answer == AT_ONCE || all_has_come))) {
    reader_next(reader);
    connection->answered = true;
  }
  return reader->state != READER_AWAIT;
}

/* Offers bytes until no more are taken. Returns how many were. */
static size_t offer_all(struct connection *connection, const unsigned char *bytes, size_t length, bool all_has_come) {
  size_t taken = 0;
  while (taken < length && go_on(connection, all_has_come)) taken += offer(connection, bytes + taken, length - taken);
  go_on(connection, all_has_come);
  return taken;
}

static void tell_rest(struct connection *connection) {
  struct reader *reader = &connection->reader;
  if (connection->in_request) tell_body(connection, "incomplete");
  if (reader->state == READER_TUNNEL) tell_bytes(connection->log, "tunnel ", connection->engine.body, connection->engine.body_length);
  if (reader->state == READER_HEAD) tell(connection->log, "rest %s\n", reader_is_idle(reader) ? "nothing" : "part");
}

void drive(const unsigned char *bytes, size_t length, struct cuts cuts, enum answer answer, struct log *log) {
  /* Large, and most of it need not be cleared, as in the gateway. */
  static struct connection only;
  struct connection *connection = &only;
  connection->reader = (struct reader){0};
  connection->engine = (struct engine){0};
  connection->in_request = connection->upgraded = false;
  connection->engine.body = malloc(length + 1);
  MUST(connection->engine.body != NULL);
  connection->answer = answer;
  connection->log = log;
  size_t taken = 0;
  for (size_t come = 0; come < length;) {
    size_t next = cuts.next(&cuts, come, length);
    MUST(next > come && next <= length);
    come = next;
    taken += offer_all(connection, bytes + taken, come - taken, false);
  }
  taken += offer_all(connection, bytes + taken, length - taken, true);
  MUST(taken == length);
  tell_rest(connection);
  reader_forget(&connection->reader);
  MUST(half_heads_used() == 0);
  free(connection->engine.body);
}

/* --- cuts */

size_t cut_nowhere(struct cuts *cuts, size_t from, size_t length) {
  (void)cuts;
  (void)from;
  return length;
}

size_t cut_once(struct cuts *cuts, size_t from, size_t length) {
  return from < cuts->at && cuts->at < length ? cuts->at : length;
}

size_t cut_evenly(struct cuts *cuts, size_t from, size_t length) {
  return length - from < cuts->at ? length : from + cuts->at;
}

size_t cut_anywhere(struct cuts *cuts, size_t from, size_t length) {
  cuts->random = cuts->random * 6364136223846793005u + 1442695040888963407u;
  uint64_t random = cuts->random >> 33;
  size_t most = (random & 1) != 0 ? 8 : 700;
  size_t piece = 1 + (size_t)((random >> 1) % most);
  return length - from < piece ? length : from + piece;
}
