/*
 * Something can be done quietly. uWebSockets prints a line on standard output for every server name that gets a handler
 * ("Browsed to SNI: ..."), and whoever reads the log there expects JSON.
 *
 * Its calls to what prints are pointed at functions that do nothing for a while. The descriptor stays as it is: a thread of Node's
 * pool may be writing lines of the log to it at this moment, and if it led elsewhere, would be told that they were written.
 */
#include "output.h"
#include "slots.h"
#include <pthread.h>

/* What a stream's functions return: the stream. */
static void *drop(void *stream) { return stream; }

static int print_nothing(void) { return 0; }

/* Of C++ by their names for the linker: operator<< of a text, what it and others call, endl, put() and flush(). */
static const struct replacement PRINTERS[] = {
    {"printf", (void *)print_nothing},
    {"puts", (void *)print_nothing},
    {"_ZStlsISt11char_traitsIcEERSt13basic_ostreamIcT_ES5_PKc", (void *)drop},
    {"_ZSt16__ostream_insertIcSt11char_traitsIcEERSt13basic_ostreamIT_T0_ES6_PKS3_l", (void *)drop},
    {"_ZSt4endlIcSt11char_traitsIcEERSt13basic_ostreamIT_T0_ES6_", (void *)drop},
    {"_ZNSo3putEc", (void *)drop},
    {"_ZNSo5flushEv", (void *)drop},
};

/* One for all threads, and so are the slots. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct calls printers;
static bool is_muted = false;
static int depth = 0;

void find_output(const char *object) {
  pthread_mutex_lock(&mutex);
  if (depth == 0) find_calls(object, PRINTERS, sizeof PRINTERS / sizeof *PRINTERS, &printers);
  pthread_mutex_unlock(&mutex);
}

void mute_output(void) {
  pthread_mutex_lock(&mutex);
  if (depth++ == 0) is_muted = point_calls(&printers);
  pthread_mutex_unlock(&mutex);
}

void restore_output(void) {
  pthread_mutex_lock(&mutex);
  if (--depth == 0 && is_muted) point_back(&printers);
  pthread_mutex_unlock(&mutex);
}
