/* output.c: what the engine prints. */
#ifndef PIPEGATE_OUTPUT_H
#define PIPEGATE_OUTPUT_H

/* The engine is this loaded object. */
void find_output(const char *object);
/* From the first to the second the engine prints nothing. They may be nested. */
void mute_output(void);
void restore_output(void);

#endif
