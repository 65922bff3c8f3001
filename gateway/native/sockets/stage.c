/*
 * A read whose bytes go to many receivers is taken from its socket by splice(), into a pipe: the stage. There it is no copy but
 * references to the pages into which the kernel had received it. tee() and read() give uWebSockets its bytes as recv() would have
 * done; and a send of bytes that stand in the stage is made by tee() and splice(), which give the receiver's socket references to
 * the same pages. It takes what it has room for, as of send(), so nobody above notices.
 *
 * Nobody writes to such a page again. The kernel received it, and gives it back when the last reference is gone, which is
 * when the last receiver's machine has acknowledged it. There is one exception, and it is the sender's: on the same machine,
 * what a sender has sent by sendfile() arrives as references to the pages of its file, so a file that is changed in place during
 * the transfer may reach receivers in different states. Over a network, and with send() and MSG_ZEROCOPY, there is none.
 *
 * uWebSockets reads everything into one buffer, so the stage lasts until this thread reads anything at all. A receiver that could
 * take nothing until then gets a copy, from where the stream is kept for those who lag.
 */
#include "stage.h"
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

unsigned stage_from = 16;

/* The largest that everybody may have. A read brings less if its pages are more than fit. */
#define PIPE_BYTES (1 << 20)

enum state { NEW, READY, OFF };

struct stage {
  enum state state;
  /* Each has a read end and a write end. In `copy` is something only while this file runs. */
  int staged[2];
  int copy[2];
  int nowhere;
  /* What was read last, and how much of it is staged: all or nothing. */
  const unsigned char *at;
  size_t length;
  size_t staged_length;
  unsigned sends;
};

static _Thread_local struct stage stage;
static _Thread_local uint64_t bytes_staged;

uint64_t bytes_sent_staged(void) { return bytes_staged; }

static void close_all(void) {
  const int ends[] = {stage.staged[0], stage.staged[1], stage.copy[0], stage.copy[1], stage.nowhere};
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
    if (ends[i] >= 0) close(ends[i]);
  }
  stage.staged_length = 0;
  stage.state = OFF;
}

static bool open_pipe(int ends[2]) {
  return pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0 && fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES) >= 0;
}

/* Without descriptors or the pages for pipes everything is copied. */
static bool is_ready(void) {
  if (stage.state == NEW) {
    stage.staged[0] = stage.staged[1] = stage.copy[0] = stage.copy[1] = -1;
    stage.nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    stage.state = READY;
    if (stage.nowhere < 0 || !open_pipe(stage.staged) || !open_pipe(stage.copy)) close_all();
  }
  return stage.state == READY;
}

/* Of what has just been seen to be there. */
static void drop(int from, size_t length) {
  while (length > 0) {
    ssize_t dropped = splice(from, NULL, stage.nowhere, NULL, length, SPLICE_F_NONBLOCK);
    if (dropped <= 0) {
      close_all();
      return;
    }
    length -= (size_t)dropped;
  }
}

unsigned stage_clear(void) {
  unsigned sends = stage.sends;
  if (stage.staged_length > 0) drop(stage.staged[0], stage.staged_length);
  stage.staged_length = 0;
  stage.length = 0;
  stage.sends = 0;
  return sends;
}

void stage_note(const unsigned char *bytes, size_t length) {
  stage.at = bytes;
  stage.length = length;
}

/* Copies all that is staged. */
static bool read_staged(unsigned char *bytes, size_t length) {
  if (tee(stage.staged[0], stage.copy[1], length, SPLICE_F_NONBLOCK) != (ssize_t)length) return false;
  for (size_t done = 0; done < length;) {
    ssize_t got = read(stage.copy[0], bytes + done, length - done);
    if (got <= 0) return false;
    done += (size_t)got;
  }
  return true;
}

ssize_t stage_recv(int fd, unsigned char *bytes, size_t most) {
  if (!is_ready()) return recv(fd, bytes, most, 0);
  ssize_t got = splice(fd, NULL, stage.staged[1], NULL, most, SPLICE_F_NONBLOCK);
  /* Not every kind of socket can be spliced. */
  if (got < 0 && errno == EINVAL) return recv(fd, bytes, most, 0);
  if (got <= 0) return got;
  if (!read_staged(bytes, (size_t)got)) {
    /* The bytes are lost, and so is the connection. */
    close_all();
    errno = ECONNRESET;
    return -1;
  }
  stage.staged_length = (size_t)got;
  return got;
}

static bool is_of_last_read(const unsigned char *bytes, size_t length) {
  return bytes >= stage.at && bytes < stage.at + stage.length && length <= (size_t)(stage.at + stage.length - bytes);
}

bool stage_has(const unsigned char *bytes, size_t length) {
  if (length < STAGE_LEAST || !is_of_last_read(bytes, length)) return false;
  stage.sends++;
  return stage.staged_length > 0;
}

/* Puts these bytes of the stage into the other pipe. */
static bool copy_staged(size_t before, size_t length) {
  ssize_t copied = tee(stage.staged[0], stage.copy[1], before + length, SPLICE_F_NONBLOCK);
  bool is_all = copied == (ssize_t)(before + length);
  if (copied > 0) drop(stage.copy[0], is_all ? before : (size_t)copied);
  return is_all && stage.state == READY;
}

ssize_t stage_send(int fd, const unsigned char *bytes, size_t length, int flags) {
  if (!copy_staged((size_t)(bytes - stage.at), length)) return send(fd, bytes, length, flags);
  unsigned of_splice = SPLICE_F_NONBLOCK | (flags & MSG_MORE ? SPLICE_F_MORE : 0);
  size_t sent = 0;
  int why = 0;
  while (sent < length) {
    ssize_t taken = splice(stage.copy[0], NULL, fd, NULL, length - sent, of_splice);
    if (taken <= 0) {
      why = taken < 0 ? errno : EAGAIN;
      break;
    }
    sent += (size_t)taken;
  }
  if (sent < length) drop(stage.copy[0], length - sent);
  bytes_staged += sent;
  if (sent > 0) return (ssize_t)sent;
  errno = why;
  return -1;
}
