/*
 * slots.c: points the calls of a loaded shared object at other functions.
 *
 * The object calls recv(), send(), accept4() and bind() through slots of its global offset table, which the dynamic linker
 * fills. Only that one object is changed; every other caller in the process keeps the C library's functions.
 *
 * Linux with glibc, 64 bit, x86-64 and arm64.
 */
#ifndef PIPEGATE_SLOTS_H
#define PIPEGATE_SLOTS_H

#include <stdbool.h>
#include <stddef.h>

/* A function that takes the place of another one. */
struct replacement {
  const char *name;
  void *by;
};

/* The most calls of an object that are looked for: one function may be called through several slots. */
#define SLOTS_MOST 32

struct slot {
  void **at;
  /* What stands there, and what takes its place. */
  void *was;
  const struct replacement *replacement;
  /* The linker has made its page read-only after it had filled it. */
  bool is_relro;
};

/* Calls of an object to some functions. */
struct calls {
  struct slot slots[SLOTS_MOST];
  size_t count;
  /* There are more than have room here. */
  bool are_more;
};

/* Finds the calls that the object has. Nothing is changed. */
void find_calls(const char *object, const struct replacement *replacements, size_t count, struct calls *calls);
/* Points all of them at their replacements. False: they cannot be changed, or are not all known; then none is. */
bool point_calls(struct calls *calls);
/* Points them back to where they were before. */
void point_back(const struct calls *calls);
/* Both, for good. False: the object never calls one of them, or they cannot be changed; then none is. */
bool replace_calls(const char *object, const struct replacement *replacements, size_t count);

#endif
