#include "half-heads.h"
#include <stdlib.h>
#include <string.h>

/* Most heads are shorter. */
#define FIRST_ROOM 1024

static size_t half_heads = 0;
static size_t most_half_heads = 16 * 1024 * 1024;

size_t half_heads_used(void) { return __atomic_load_n(&half_heads, __ATOMIC_RELAXED); }

void limit_half_heads(size_t bytes) { __atomic_store_n(&most_half_heads, bytes, __ATOMIC_RELAXED); }

static void give_back(size_t bytes) { __atomic_sub_fetch(&half_heads, bytes, __ATOMIC_RELAXED); }

static bool may_use(size_t bytes) {
  size_t used = __atomic_add_fetch(&half_heads, bytes, __ATOMIC_RELAXED);
  if (used <= __atomic_load_n(&most_half_heads, __ATOMIC_RELAXED)) return true;
  give_back(bytes);
  return false;
}

static size_t size_of_half(size_t room) { return sizeof(struct half_head) + room; }

bool make_room(struct half_head **half, size_t needed) {
  size_t before = *half == NULL ? 0 : size_of_half((*half)->room);
  size_t room = before == 0 ? FIRST_ROOM : (*half)->room;
  if (needed > HEAD_MOST) needed = HEAD_MOST;
  if (before > 0 && needed <= room) return true;
  while (room < needed) room *= 2;
  if (room > HEAD_MOST) room = HEAD_MOST;
  if (!may_use(size_of_half(room) - before)) return false;
  struct half_head *grown = realloc(*half, size_of_half(room));
  if (grown == NULL) {
    give_back(size_of_half(room) - before);
    return false;
  }
  grown->room = room;
  grown->head.text = grown->text;
  *half = grown;
  return true;
}

void drop_half(struct half_head **half) {
  if (*half == NULL) return;
  give_back(size_of_half((*half)->room));
  free(*half);
  *half = NULL;
}

bool keep_half(struct half_head **half, const struct head *head) {
  if (!make_room(half, head->text_length)) return false;
  (*half)->head = *head;
  (*half)->head.text = (*half)->text;
  memcpy((*half)->text, head->text, head->text_length);
  return true;
}
