/*
 * Chunks that come in one size (RFC 9112, section 7.1), as curl and most libraries send them: a buffer each. Where the framing
 * between them will stand is known before it is read, so a read can put it aside, and the data come together without being moved.
 * What was expected is checked when it has come; if it is something else, all is put back as it was sent.
 */
#ifndef PIPEGATE_SCATTER_H
#define PIPEGATE_SCATTER_H

#include "chunks.h"
#include <sys/uio.h>

/* Smaller chunks are cheaper to move than to put aside. */
#ifndef SCATTER_LEAST
#define SCATTER_LEAST 8192
#endif
/* So many times a size has to come again before it is expected. */
#ifndef SCATTER_AFTER
#define SCATTER_AFTER 3
#endif
#define SCATTER_FRAMES 32
/* A longer line is not expected. */
#define SCATTER_FRAME_MOST 32

/* Where a read puts what it brings. */
struct scatter {
  /* The rest of the present chunk, and by turns a frame (a line break and a size line) and a chunk. */
  struct iovec pieces[1 + 2 * SCATTER_FRAMES];
  int count;
  size_t frame_length;
  unsigned char frames[SCATTER_FRAMES][SCATTER_FRAME_MOST];
};

/*
 * Plans a read of at most `most` octets, with the data to `data` and on: in one piece when all of it will be of the present chunk.
 * False: nothing is expected, and all goes to one place.
 */
bool scatter_plan(struct scatter *scatter, const struct chunks *chunks, unsigned char *data, size_t most);

/*
 * After a read of so many octets: takes the frames that are as expected, with the data around them. The rest is put behind the
 * data that was taken, as it was sent. Returns how long that data is, and in `rest` how long the rest.
 */
size_t scatter_join(const struct scatter *scatter, struct chunks *chunks, size_t got, size_t *rest);

#endif
