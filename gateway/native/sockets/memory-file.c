/* A file in memory that the dynamic linker can load, where a folder that can be written to may be missing. */
#include "memory-file.h"
#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

/* Known since Linux 6.3. */
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int memory_file = -1;

static int write_all(int fd, const unsigned char *bytes, size_t length) {
  while (length > 0) {
    ssize_t wrote = write(fd, bytes, length);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return 0;
    bytes += wrote;
    length -= (size_t)wrote;
  }
  return 1;
}

static int create(const char *name, const unsigned char *bytes, size_t length) {
  int fd = memfd_create(name, MFD_CLOEXEC | MFD_EXEC);
  if (fd < 0 && errno == EINVAL) fd = memfd_create(name, MFD_CLOEXEC);
  if (fd < 0 || write_all(fd, bytes, length)) return fd;
  close(fd);
  return -1;
}

int only_memory_file(const char *name, const unsigned char *bytes, size_t length) {
  pthread_mutex_lock(&mutex);
  if (memory_file < 0) memory_file = create(name, bytes, length);
  int fd = memory_file;
  pthread_mutex_unlock(&mutex);
  return fd;
}
