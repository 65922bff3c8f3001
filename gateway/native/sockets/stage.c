/*
 * A read whose bytes go to many receivers is taken from its socket by splice(), into a pipe: a stage. There it is no copy but
 * references to the pages into which the kernel had received it. tee() and read() give uWebSockets its bytes as recv() would have
 * done; and a send of bytes that stand on a stage is made by tee() and splice(), which give the receiver's socket references to
 * the same pages. It takes what it has room for, as of send(), so nobody above notices.
 *
 * Nobody writes to such a page again. The kernel received it, and gives it back when the last reference is gone, which is
 * when the last receiver's machine has acknowledged it. There is one exception, and it is the sender's: on the same machine,
 * what a sender has sent by sendfile() arrives as references to the pages of its file, so a file that is changed in place during
 * the transfer may reach receivers in different states. Over a network, and with send() and MSG_ZEROCOPY, there is none.
 *
 * What is sent is recognized by its address. uWebSockets reads everything into one buffer, so there it stands until this thread
 * reads anything at all. What receivers take later is sent from a copy, which says when it is given up: for so long its stage lasts.
 */
#include "stage.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

unsigned stage_from = 16;

/* The largest that everybody may have. A read brings less if its pages are more than fit. */
#define PIPE_BYTES (1 << 20)
/* Reads that may be staged at once by one thread. Beyond that they are copied. */
#define STAGES 4

#define BY_NOW SPLICE_F_NONBLOCK
#define MORE_COMES (SPLICE_F_NONBLOCK | SPLICE_F_MORE)

enum state { NEW, READY, OFF };

struct stage {
  int ends[2];
  /* All that is in it. 0: it is free. */
  size_t length;
  struct gaps gaps;
  /* The copy of these bytes of it. Its length is 0: there is none. */
  const unsigned char *copy;
  size_t copy_from;
  size_t copy_length;
};

struct stages {
  enum state state;
  struct stage all[STAGES];
  /* Something is in it only while this file runs. */
  int passing[2];
  int nowhere;
  /* Where what was read last stands. */
  const unsigned char *at;
  size_t length;
  /* Its stage; NULL: it was copied. */
  struct stage *last;
  /* Sends that were made of it, and whether it is kept for others. */
  unsigned sends;
  bool is_kept;
  uint64_t bytes_sent;
};

static _Thread_local struct stages stages;

static void close_both(int ends[2]) {
  for (int i = 0; i < 2; i++) {
    if (ends[i] >= 0) close(ends[i]);
  }
}

/* From here on everything is copied. */
static void close_all(void) {
  for (int i = 0; i < STAGES; i++) {
    close_both(stages.all[i].ends);
    stages.all[i].length = stages.all[i].copy_length = 0;
  }
  close_both(stages.passing);
  if (stages.nowhere >= 0) close(stages.nowhere);
  stages.last = NULL;
  stages.state = OFF;
}

static bool open_pipe(int ends[2]) {
  return pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0 && fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES) >= 0;
}

static bool open_all(void) {
  stages.nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  bool all = stages.nowhere >= 0 && open_pipe(stages.passing);
  for (int i = 0; all && i < STAGES; i++) all = open_pipe(stages.all[i].ends);
  return all;
}

/* Without descriptors, or pages for pipes, everything is copied. */
static bool is_ready(void) {
  if (stages.state == NEW) {
    for (int i = 0; i < STAGES; i++) stages.all[i].ends[0] = stages.all[i].ends[1] = -1;
    stages.passing[0] = stages.passing[1] = -1;
    stages.state = READY;
    if (!open_all()) close_all();
  }
  return stages.state == READY;
}

/* Of what is known to be there. */
static void drop(int from, size_t length) {
  while (length > 0) {
    ssize_t dropped = splice(from, NULL, stages.nowhere, NULL, length, SPLICE_F_NONBLOCK);
    if (dropped <= 0) {
      close_all();
      return;
    }
    length -= (size_t)dropped;
  }
}

static void free_stage(struct stage *stage) {
  size_t length = stage->length;
  stage->length = stage->copy_length = 0;
  drop(stage->ends[0], length);
}

/* --- reads */

bool stage_next_read(void) {
  bool is_crowd = stages.is_kept || stages.sends >= stage_from;
  if (stages.last != NULL && stages.last->copy_length == 0) free_stage(stages.last);
  stages.last = NULL;
  stages.length = 0;
  stages.sends = 0;
  stages.is_kept = false;
  return is_crowd;
}

static struct stage *unused(void) {
  if (!is_ready()) return NULL;
  for (int i = 0; i < STAGES; i++) {
    if (stages.all[i].length == 0) return &stages.all[i];
  }
  return NULL;
}

/* Copies all of it. A pipe gives what it has in one call. */
static bool read_all(const struct stage *stage, const struct iovec *pieces, int count) {
  ssize_t length = (ssize_t)stage->length;
  return tee(stage->ends[0], stages.passing[1], stage->length, SPLICE_F_NONBLOCK) == length &&
         readv(stages.passing[0], pieces, count) == length;
}

static ssize_t read_copying(int fd, const struct iovec *pieces, int count) {
  struct msghdr message = {.msg_iov = (struct iovec *)pieces, .msg_iovlen = (size_t)count};
  return recvmsg(fd, &message, 0);
}

ssize_t stage_recv(int fd, const struct iovec *pieces, int count) {
  struct stage *stage = unused();
  if (stage == NULL) return read_copying(fd, pieces, count);
  size_t most = 0;
  for (int i = 0; i < count; i++) most += pieces[i].iov_len;
  ssize_t got = splice(fd, NULL, stage->ends[1], NULL, most, SPLICE_F_NONBLOCK);
  /* Not every kind of socket can be spliced. */
  if (got < 0 && errno == EINVAL) return read_copying(fd, pieces, count);
  if (got <= 0) return got;
  stage->length = (size_t)got;
  if (!read_all(stage, pieces, count)) {
    /* The bytes are lost, and so is the connection. */
    close_all();
    errno = ECONNRESET;
    return -1;
  }
  stages.last = stage;
  return got;
}

void stage_note(const unsigned char *bytes, size_t length, struct gaps gaps) {
  stages.at = bytes;
  stages.length = length;
  if (stages.last != NULL) stages.last->gaps = gaps;
}

/* --- where it stands */

/* Whether all of these bytes are among those. */
static bool is_within(const unsigned char *bytes, size_t length, const unsigned char *those, size_t most) {
  return bytes >= those && length <= most && bytes <= those + (most - length);
}

void stage_copy(const unsigned char *bytes, const unsigned char *copy, size_t length) {
  if (length == 0 || !is_within(bytes, length, stages.at, stages.length)) return;
  stages.is_kept = true;
  struct stage *stage = stages.last;
  if (stage == NULL || stage->copy_length > 0) return;
  stage->copy = copy;
  stage->copy_from = (size_t)(bytes - stages.at);
  stage->copy_length = length;
}

void stage_release(const unsigned char *copy) {
  for (int i = 0; i < STAGES; i++) {
    struct stage *stage = &stages.all[i];
    if (stage->copy_length == 0 || stage->copy != copy) continue;
    stage->copy_length = 0;
    if (stage != stages.last) free_stage(stage);
  }
}

/* The stage on which these bytes stand, and behind how many others without the gaps; NULL: none. */
static struct stage *find(const unsigned char *bytes, size_t length, size_t *before) {
  if (stages.last != NULL && is_within(bytes, length, stages.at, stages.length)) {
    *before = (size_t)(bytes - stages.at);
    return stages.last;
  }
  for (int i = 0; i < STAGES; i++) {
    struct stage *stage = &stages.all[i];
    if (stage->copy_length == 0 || !is_within(bytes, length, stage->copy, stage->copy_length)) continue;
    *before = stage->copy_from + (size_t)(bytes - stage->copy);
    return stage;
  }
  return NULL;
}

/* --- sends */

bool stage_has(const unsigned char *bytes, size_t length) {
  size_t before;
  if (length < STAGE_LEAST) return false;
  if (is_within(bytes, length, stages.at, stages.length)) stages.sends++;
  return find(bytes, length, &before) != NULL;
}

/* Where on the stage the byte behind so many others is. */
static size_t place_of(const struct gaps *gaps, size_t before) {
  return before < gaps->first ? before : before + gaps->length * (1 + (before - gaps->first) / gaps->every);
}

/* How many bytes behind so many others are together with the first of them. */
static size_t run_from(const struct gaps *gaps, size_t before) {
  return before < gaps->first ? gaps->first - before : gaps->every - (before - gaps->first) % gaps->every;
}

/* Puts the stage from one place to another into the pipe from which it leaves. */
static bool pass(const struct stage *stage, size_t from, size_t to) {
  ssize_t passing = tee(stage->ends[0], stages.passing[1], to, SPLICE_F_NONBLOCK);
  bool is_all = passing == (ssize_t)to;
  if (passing > 0) drop(stages.passing[0], is_all ? from : (size_t)passing);
  return is_all && stages.state == READY;
}

ssize_t stage_send(int fd, const unsigned char *bytes, size_t length, int flags) {
  size_t before = 0;
  const struct stage *stage = find(bytes, length, &before);
  if (stage == NULL) return send(fd, bytes, length, flags);
  const struct gaps *gaps = &stage->gaps;
  size_t from = place_of(gaps, before);
  size_t to = place_of(gaps, before + length - 1) + 1;
  if (!pass(stage, from, to)) return send(fd, bytes, length, flags);
  size_t sent = 0;
  size_t passing = to - from;
  int why = EAGAIN;
  while (sent < length) {
    size_t run = run_from(gaps, before + sent);
    size_t most = run < length - sent ? run : length - sent;
    bool is_last = sent + most == length;
    ssize_t taken = splice(stages.passing[0], NULL, fd, NULL, most, is_last && !(flags & MSG_MORE) ? BY_NOW : MORE_COMES);
    if (taken < 0) why = errno;
    if (taken <= 0) break;
    sent += (size_t)taken;
    passing -= (size_t)taken;
    if ((size_t)taken < most) break;
    if (is_last) break;
    drop(stages.passing[0], gaps->length);
    passing -= gaps->length;
  }
  drop(stages.passing[0], passing);
  stages.bytes_sent += sent;
  if (sent > 0) return (ssize_t)sent;
  errno = why;
  return -1;
}

uint64_t bytes_sent_staged(void) { return stages.bytes_sent; }
