/*
 * door.c: one port for several threads. A thread of its own accepts for all, so that the port stays open whatever becomes of the others.
 *
 * Of a new connection it reads what is there. If that is a whole head, the connection goes to the thread that owns the name in it at
 * once, else to each in turn, and that one hands it over when the head has come.
 */
#ifndef PIPEGATE_DOOR_H
#define PIPEGATE_DOOR_H

/* Opens the port for this process alone, on all addresses of the host, and begins to accept. Returns its number; -errno. */
int open_door(const char *host, int port);
/* No more connections. What is in the mailboxes stays there. */
void close_door(void);

#endif
