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

/* False: the object never calls one of them, or they cannot be changed; then none is. */
bool replace_calls(const char *object, const struct replacement *replacements, size_t count);

#endif
