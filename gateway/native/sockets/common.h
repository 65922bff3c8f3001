/* What the files of this folder share. It includes none of them. */
#ifndef PIPEGATE_COMMON_H
#define PIPEGATE_COMMON_H

/*
 * Sockets with a higher number are served, but without the help that needs to remember what they did. That memory is written
 * and read by the thread that owns the socket.
 */
#define MOST_SOCKETS (1 << 18)

/* The value of a hexadecimal digit; -1 if it is not one. */
static inline int hex(unsigned char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c |= 0x20;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

#endif
