/* memory-file.c: a file that the dynamic linker can load, in memory. */
#ifndef PIPEGATE_MEMORY_FILE_H
#define PIPEGATE_MEMORY_FILE_H

#include <stddef.h>

/*
 * The descriptor of a file in memory with these bytes. There is one for the whole process: a second call gets the same, whatever
 * its bytes. -1: there is none.
 */
int only_memory_file(const char *name, const unsigned char *bytes, size_t length);

#endif
