/* Between uSockets and libuv: when a socket is said to be readable. */
#ifndef PIPEGATE_POLLS_H
#define PIPEGATE_POLLS_H

#include <stdbool.h>
#include <uv.h>

/* What uSockets calls in place of uv_poll_start() and uv_poll_stop(). */
int helped_poll_start(uv_poll_t *handle, int events, uv_poll_cb callback);
int helped_poll_stop(uv_poll_t *handle);

/* The socket is a new one, and what follows holds for it; nothing is held or due. */
void watch_polls(int fd);
/* The socket is polled as uSockets says from here on. */
void forget_polls(int fd);
/* The client had closed its side before what uSockets has read last was read. */
bool has_hung_up(int fd);
/* While on, uSockets is not told that there is something to read, only of a reset. */
void hold_reads(int fd, bool on);
/* While on, flush_secure() is called when there is room to write. */
void expect_write(int fd, bool on);
/* The time at which the present turn of this thread's event loop began, in milliseconds. */
uint64_t turn_of_loop(void);
/* While on, uSockets is told that there is something to read, although the kernel has nothing: as soon as it wants to read. */
void expect_read(int fd, bool on);

#endif
