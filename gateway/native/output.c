/*
 * What uWebSockets prints on standard output, where the log is, and whoever reads that expects JSON: two lines for every
 * server name that gets a handler ("Browsed to SNI: ..."). What it warns of goes to standard error, and stays.
 */
#include "sockets.h"

int silent_printf(const char *format, ...) {
  (void)format;
  return 0;
}

/* This and putc() are what std::cout comes down to. */
size_t silent_fwrite(const void *bytes, size_t size, size_t count, FILE *stream) {
  return stream == stdout ? count : fwrite(bytes, size, count, stream);
}

int silent_putc(int c, FILE *stream) {
  return stream == stdout ? c : putc(c, stream);
}
