#include "scatter.h"
#include <string.h>

static void add(struct scatter *scatter, void *at, size_t length) {
  scatter->pieces[scatter->count++] = (struct iovec){at, length};
}

bool scatter_plan(struct scatter *scatter, const struct chunks *chunks, unsigned char *data, size_t most) {
  size_t frame = (size_t)chunks->line_octets + 4;
  if (!chunks_at_data(chunks)) return false;
  scatter->count = 0;
  scatter->frame_length = frame;
  if (chunks->size >= most) {
    add(scatter, data, most);
    return true;
  }
  if (chunks->repeats < SCATTER_AFTER || chunks->whole < SCATTER_LEAST || frame > SCATTER_FRAME_MOST) return false;
  add(scatter, data, (size_t)chunks->size);
  data += chunks->size;
  most -= (size_t)chunks->size;
  for (int i = 0; i < SCATTER_FRAMES && most > frame; i++) {
    most -= frame;
    size_t length = most < chunks->whole ? most : (size_t)chunks->whole;
    add(scatter, scatter->frames[i], frame);
    add(scatter, data, length);
    data += length;
    most -= length;
  }
  return scatter->count > 1;
}

static size_t least(size_t one, size_t other) { return one < other ? one : other; }

/* The frame is what was expected: a line break, and a line with the same size. */
static bool take_frame(const struct scatter *scatter, struct chunks *chunks, const unsigned char *frame) {
  struct chunks ahead = *chunks;
  const unsigned char *end = frame + scatter->frame_length;
  if (chunks_follow(&ahead, frame, end) != end || !chunks_at_data(&ahead) || ahead.size != chunks->whole) return false;
  *chunks = ahead;
  return true;
}

/* Puts what so many octets have filled of these pieces to `front`, as it was sent. The data among them move away from the front. */
static void put_back(const struct iovec *pieces, size_t got, unsigned char *front) {
  const struct iovec *piece = pieces;
  unsigned char *to = front + got;
  for (; got > piece->iov_len; piece++) got -= piece->iov_len;
  for (size_t length = got;; length = (--piece)->iov_len) {
    to -= length;
    memmove(to, piece->iov_base, length);
    if (piece == pieces) return;
  }
}

size_t scatter_join(const struct scatter *scatter, struct chunks *chunks, size_t got, size_t *rest) {
  const struct iovec *piece = scatter->pieces;
  const struct iovec *end = piece + scatter->count;
  size_t joined = chunks_take(chunks, least(got, piece->iov_len));
  got -= joined;
  for (piece++; piece < end && got >= scatter->frame_length; piece += 2) {
    if (!take_frame(scatter, chunks, piece->iov_base)) break;
    got -= scatter->frame_length;
    size_t here = chunks_take(chunks, least(got, piece[1].iov_len));
    got -= here;
    joined += here;
  }
  if (got > 0) put_back(piece, got, (unsigned char *)scatter->pieces[0].iov_base + joined);
  *rest = got;
  return joined;
}
