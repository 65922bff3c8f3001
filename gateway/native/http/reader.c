#include "reader.h"
#include "engine-head.h"
#include <string.h>

_Static_assert(METHOD_MOST + AGREEMENT_MOST + 256 <= READER_ROOM_BEFORE, "a head of ours may be longer than the room for it");
_Static_assert(sizeof(struct reader) <= 128, "there is one for each connection");

/* Copies a head and its text to where nobody takes them away before the next call. */
static void copy_head(struct reading *reading, const struct head *head) {
  reading->head = *head;
  reading->head.text = reading->text;
  memcpy(reading->text, head->text, head->text_length);
}

/* --- bodies */

/* Room for a size line and, when there is no data behind it, for what stands in its place. */
#define SIZE_LINE_ROOM 24

static void end_request(struct reader *reader) {
  reader->state = reader->answered ? READER_HEAD : READER_AWAIT;
  reader->answered = false;
}

/* How much of this is of the body with a length. */
static size_t take_length(struct reader *reader, size_t available) {
  size_t taken = available < reader->left ? available : (size_t)reader->left;
  reader->left -= taken;
  reader->body_bytes += taken;
  if (reader->left == 0) end_request(reader);
  return taken;
}

/* The data of all chunks of a read, brought together. */
struct gathered {
  /* Where it starts, NULL while there is none, and where it ends. */
  unsigned char *data;
  unsigned char *end;
};

/* Takes the data of all chunks together, and leaves it where the first of it was read. Returns where it came. */
static unsigned char *gather(struct reader *reader, unsigned char *at, unsigned char *end, struct gathered *gathered) {
  struct chunks *chunks = &reader->chunks;
  while (at < end && !chunks_are_over(chunks)) {
    /* What comes back points into the same memory, which is ours to write. */
    at += chunks_follow(chunks, at, end) - at;
    /* A chunk without data would be the last one. */
    if (!chunks_at_data(chunks) || at == end) break;
    size_t here = chunks_take(chunks, (size_t)(end - at));
    if (gathered->data == NULL) gathered->data = gathered->end = at;
    else memmove(gathered->end, at, here);
    gathered->end += here;
    reader->body_bytes += here;
    at += here;
  }
  return at;
}

/* Puts the gathered data behind the line with its size, or nothing at `at` when there is none. */
static void put_chunk(struct reading *reading, const struct gathered *gathered, unsigned char *at) {
  reading->start = at;
  if (gathered->data == NULL) return;
  size_t size = (size_t)(gathered->end - gathered->data);
  reading->start = put_size_before(gathered->data, size);
  memcpy(gathered->end, "\r\n", 2);
  reading->length = (size_t)(gathered->end + 2 - reading->start);
}

static void put_last_chunk(struct reading *reading) {
  static const char LAST[] = "0\r\n\r\n";
  /* Without data in this read its start may have come earlier, so it need not fit in the place of what has come here. */
  if (reading->length == 0) reading->start -= sizeof LAST - 1;
  memcpy(reading->start + reading->length, LAST, sizeof LAST - 1);
  reading->length += sizeof LAST - 1;
}

/* JavaScript finds out that a body is broken when it is called, so there has to be something to call it for. */
static void put_dummy(struct reading *reading) {
  if (reading->length > 0) return;
  reading->start = PUT_BEFORE(reading->start, "1\r\nx\r\n");
  reading->length = 6;
}

/* Makes one chunk of all data that was read, of which so much is together already, and the body's end if it has come. */
static void take_chunks(struct reader *reader, unsigned char *octets, size_t joined, size_t length, struct reading *reading) {
  struct gathered gathered = {joined > 0 ? octets : NULL, octets + joined};
  unsigned char *at = gather(reader, octets + joined, octets + length, &gathered);
  reading->consumed = (size_t)(at - octets);
  put_chunk(reading, &gathered, octets);
  if (reader->chunks.place == CHUNKS_COMPLETE) {
    put_last_chunk(reading);
    end_request(reader);
  } else if (reader->chunks.place == CHUNKS_BROKEN) {
    put_dummy(reading);
    reader->state = READER_BROKEN;
    reader->dropped += length - reading->consumed;
    reading->consumed = length;
  }
}

/* No more zeros than this: the size line shall not look like an attack to those who count its digits. */
#define PADDING_MOST 128

/* Lets the output start at `front`: by zeros in front of a size, which are cheaper than what follows is to move, or by moving. */
static void bring_to_front(struct reading *reading, unsigned char *front, bool starts_with_size) {
  size_t gap = (size_t)(reading->start - front);
  if (starts_with_size && gap <= PADDING_MOST) {
    memset(front, '0', gap);
    reading->length += gap;
  } else if (gap > 0 && reading->length > 0) {
    memmove(front, reading->start, reading->length);
  }
  reading->start = front;
}

/* --- heads */

static bool has_bodys_start(const struct head *head) {
  return head->problem == PROBLEM_NONE && (head->framing == BODY_IN_CHUNKS || head->length > 0);
}

/* What is behind a head in the same read, as far as it belongs to the request. */
static void take_bodys_start(struct reader *reader, unsigned char *octets, size_t length, struct reading *reading) {
  if (reading->head.framing == BODY_IN_CHUNKS) {
    reader->state = READER_BODY_IN_CHUNKS;
    take_chunks(reader, octets, 0, length, reading);
  } else {
    reader->state = READER_BODY_OF_LENGTH;
    reader->left = reading->head.length;
    reading->consumed = reading->length = take_length(reader, length);
  }
}

/* A head is over: what is read next is said by it. */
static void end_head(struct reader *reader, unsigned char *octets, size_t length, struct reading *reading) {
  const struct head *head = &reading->head;
  reading->has_head = true;
  reader->body_bytes = 0;
  reader->chunks = (struct chunks){0};
  if (has_bodys_start(head)) {
    take_bodys_start(reader, octets, length, reading);
  } else if (head->problem == PROBLEM_NONE) {
    reader->state = READER_AWAIT;
  } else {
    reader->state = READER_DISCARD;
    reader->dropped += length;
    reading->consumed = length;
  }
  unsigned char *start = put_head_before(reading->start, head);
  reading->length += (size_t)(reading->start - start);
  reading->start = start;
}

/* For the next call, unless this head is over or kept by itself. */
static void remember_place(struct reader *reader, const struct head *head) {
  bool has_begun = head_has_begun(head);
  reader->head_place = has_begun ? 0 : head->place;
  reader->empty_lines = has_begun ? 0 : head->empty_lines;
}

/* Reads on in a head that has come whole until now, or of which nothing has come before. False: it is not over. */
static bool take_fresh(struct reader *reader, const unsigned char *octets, size_t length, struct reading *reading) {
  struct head *head = &reading->head;
  /* Until it says what it speaks it is answered as HTTP/1.1. */
  *head = (struct head){.text = reading->text, .minor = 1, .place = reader->head_place, .empty_lines = reader->empty_lines};
  reading->consumed = head_take(head, octets, length);
  if (!head_is_over(head) && head_has_begun(head) && !keep_half(&reader->half_head, head)) {
    head_refuse(head, PROBLEM_TOO_MANY_HALF_HEADS);
  }
  remember_place(reader, head);
  return head_is_over(head);
}

static bool take_more(struct reader *reader, const unsigned char *octets, size_t length, struct reading *reading) {
  if (!make_room(&reader->half_head, reader->half_head->head.text_length + length)) {
    head_refuse(&reader->half_head->head, PROBLEM_TOO_MANY_HALF_HEADS);
  }
  struct head *head = &reader->half_head->head;
  if (!head_is_over(head)) reading->consumed = head_take(head, octets, length);
  if (!head_is_over(head)) return false;
  copy_head(reading, head);
  drop_half(&reader->half_head);
  return true;
}

static void take_head(struct reader *reader, unsigned char *octets, size_t length, struct reading *reading) {
  bool over = reader->half_head == NULL ? take_fresh(reader, octets, length, reading)
                                        : take_more(reader, octets, length, reading);
  if (!over) return;
  const struct head *head = &reading->head;
  reading->leaves = head->problem == PROBLEM_NONE && reading->is_elsewhere != NULL && reading->is_elsewhere(head);
  if (reading->leaves) return;
  size_t of_head = reading->consumed;
  reading->start = octets + of_head;
  reading->consumed = 0;
  end_head(reader, octets + of_head, length - of_head, reading);
  reading->consumed += of_head;
}

/* --- all of it */

size_t reader_room(const struct reader *reader) {
  switch (reader->state) {
    case READER_HEAD: return READER_ROOM_BEFORE;
    case READER_BODY_IN_CHUNKS: return SIZE_LINE_ROOM;
    default: return 0;
  }
}

static void take(struct reader *reader, unsigned char *octets, size_t joined, size_t length, struct reading *reading) {
  switch (reader->state) {
    case READER_HEAD: take_head(reader, octets, length, reading); break;
    case READER_BODY_OF_LENGTH: reading->consumed = reading->length = take_length(reader, length); break;
    case READER_BODY_IN_CHUNKS: take_chunks(reader, octets, joined, length, reading); break;
    case READER_AWAIT: break;
    case READER_TUNNEL: reading->consumed = reading->length = length; break;
    default:
      reading->consumed = length;
      reader->dropped += length;
  }
}

static void read_on(struct reader *reader, unsigned char *octets, size_t joined, size_t length, struct reading *reading) {
  unsigned char *front = octets - reader_room(reader);
  bool in_chunks = reader->state == READER_BODY_IN_CHUNKS;
  reading->start = octets;
  reading->length = 0;
  reading->consumed = 0;
  reading->has_head = false;
  reading->leaves = false;
  take(reader, octets, joined, length, reading);
  reading->rest = length - reading->consumed;
  bring_to_front(reading, front, in_chunks && reading->length > 0);
}

void reader_take(struct reader *reader, unsigned char *octets, size_t length, struct reading *reading) {
  read_on(reader, octets, 0, length, reading);
}

bool reader_scatter(const struct reader *reader, struct scatter *scatter, unsigned char *octets, size_t most) {
  return reader->state == READER_BODY_IN_CHUNKS && scatter_plan(scatter, &reader->chunks, octets, most);
}

void reader_take_scattered(struct reader *reader, const struct scatter *scatter, size_t got, struct reading *reading) {
  size_t rest;
  size_t joined = scatter_join(scatter, &reader->chunks, got, &rest);
  reader->body_bytes += joined;
  reading->joined = joined;
  read_on(reader, scatter->pieces[0].iov_base, joined, joined + rest, reading);
}

void reader_next(struct reader *reader) {
  if (reader->state == READER_AWAIT) reader->state = READER_HEAD;
  else if (reader->state == READER_BODY_OF_LENGTH || reader->state == READER_BODY_IN_CHUNKS) reader->answered = true;
}

void reader_tunnel(struct reader *reader) {
  if (reader->state == READER_AWAIT) reader->state = READER_TUNNEL;
}

void reader_discard(struct reader *reader) {
  drop_half(&reader->half_head);
  reader->state = READER_DISCARD;
}

void reader_forget(struct reader *reader) {
  drop_half(&reader->half_head);
  *reader = (struct reader){0};
}
