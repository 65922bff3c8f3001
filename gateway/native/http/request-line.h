/* request-line.c: method, target and version. */
#ifndef PIPEGATE_REQUEST_LINE_H
#define PIPEGATE_REQUEST_LINE_H

#include "head.h"

/* Judges the first line of a head, which is all of its text so far, and rewrites it as head.h says. */
enum problem read_request_line(struct head *head);

#endif
