/* Points the calls of a loaded shared object at other functions. */
#include "slots.h"
#include <elf.h>
#include <link.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__x86_64__)
#define RELOCATION_JUMP_SLOT R_X86_64_JUMP_SLOT
#define RELOCATION_GLOB_DAT R_X86_64_GLOB_DAT
#elif defined(__aarch64__)
#define RELOCATION_JUMP_SLOT R_AARCH64_JUMP_SLOT
#define RELOCATION_GLOB_DAT R_AARCH64_GLOB_DAT
#else
#error "slots.c knows the relocations of x86-64 and arm64 only"
#endif

/* What is looked for, and what is found. */
struct search {
  const char *object;
  const struct replacement *replacements;
  size_t count;
  struct calls *found;
};

/* The parts of an object's dynamic section that lead to its relocations. */
struct tables {
  const ElfW(Sym) * symbols;
  const char *names;
  const ElfW(Rela) * relocations[2];
  size_t bytes[2];
};

/* glibc has made these addresses absolute; other linkers leave them relative to the object. */
static const void *at(const struct dl_phdr_info *object, ElfW(Addr) address) {
  return (const void *)(address < object->dlpi_addr ? address + object->dlpi_addr : address);
}

static int read_tables(const struct dl_phdr_info *object, struct tables *tables) {
  const ElfW(Dyn) *entry = NULL;
  memset(tables, 0, sizeof *tables);
  for (int i = 0; i < object->dlpi_phnum; i++) {
    const ElfW(Phdr) *header = &object->dlpi_phdr[i];
    if (header->p_type == PT_DYNAMIC) entry = (const ElfW(Dyn) *)(object->dlpi_addr + header->p_vaddr);
  }
  if (entry == NULL) return 0;
  for (; entry->d_tag != DT_NULL; entry++) {
    switch (entry->d_tag) {
      case DT_SYMTAB: tables->symbols = at(object, entry->d_un.d_ptr); break;
      case DT_STRTAB: tables->names = at(object, entry->d_un.d_ptr); break;
      case DT_JMPREL: tables->relocations[0] = at(object, entry->d_un.d_ptr); break;
      case DT_PLTRELSZ: tables->bytes[0] = entry->d_un.d_val; break;
      case DT_RELA: tables->relocations[1] = at(object, entry->d_un.d_ptr); break;
      case DT_RELASZ: tables->bytes[1] = entry->d_un.d_val; break;
    }
  }
  return tables->symbols != NULL && tables->names != NULL;
}

/* The linker protects whole pages. The one in which the part ends stays as it is, for data stands behind it. */
static bool is_relro(const struct dl_phdr_info *object, uintptr_t address) {
  uintptr_t page = ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1);
  for (int i = 0; i < object->dlpi_phnum; i++) {
    const ElfW(Phdr) *header = &object->dlpi_phdr[i];
    uintptr_t start = object->dlpi_addr + header->p_vaddr;
    uintptr_t end = start + header->p_memsz;
    if (header->p_type == PT_GNU_RELRO && address >= (start & page) && address < (end & page)) return true;
  }
  return false;
}

static bool change(const struct slot *slot, void *to) {
  uintptr_t size = (uintptr_t)sysconf(_SC_PAGESIZE);
  void *page = (void *)((uintptr_t)slot->at & ~(size - 1));
  if (mprotect(page, size, PROT_READ | PROT_WRITE) != 0) return false;
  __atomic_store_n(slot->at, to, __ATOMIC_RELEASE);
  if (slot->is_relro) mprotect(page, size, PROT_READ);
  return true;
}

static void look_at(struct search *search, const struct dl_phdr_info *object, const char *name, void **at) {
  struct calls *found = search->found;
  for (size_t r = 0; r < search->count; r++) {
    const struct replacement *replacement = &search->replacements[r];
    if (strcmp(name, replacement->name) != 0) continue;
    if (found->count == SLOTS_MOST) found->are_more = true;
    else found->slots[found->count++] = (struct slot){at, *at, replacement, is_relro(object, (uintptr_t)at)};
  }
}

static int visit(struct dl_phdr_info *object, size_t size, void *data) {
  struct search *search = data;
  struct tables tables;
  (void)size;
  if (object->dlpi_name == NULL || strstr(object->dlpi_name, search->object) == NULL) return 0;
  if (!read_tables(object, &tables)) return 0;
  for (int t = 0; t < 2; t++) {
    size_t count = tables.relocations[t] == NULL ? 0 : tables.bytes[t] / sizeof(ElfW(Rela));
    for (size_t i = 0; i < count; i++) {
      const ElfW(Rela) *relocation = &tables.relocations[t][i];
      uint32_t type = ELF64_R_TYPE(relocation->r_info);
      uint32_t symbol = ELF64_R_SYM(relocation->r_info);
      if (type != RELOCATION_JUMP_SLOT && type != RELOCATION_GLOB_DAT) continue;
      void **slot = (void **)(object->dlpi_addr + relocation->r_offset);
      const char *name = tables.names + tables.symbols[symbol].st_name;
      look_at(search, object, name, slot);
    }
  }
  return 0;
}

void find_calls(const char *object, const struct replacement *replacements, size_t count, struct calls *calls) {
  struct search search = {object, replacements, count, calls};
  calls->count = 0;
  calls->are_more = false;
  dl_iterate_phdr(visit, &search);
}

bool point_calls(struct calls *calls) {
  if (calls->are_more) return false;
  for (size_t i = 0; i < calls->count; i++) {
    struct slot *slot = &calls->slots[i];
    /* The linker may have filled it since it was found. */
    slot->was = __atomic_load_n(slot->at, __ATOMIC_ACQUIRE);
    if (change(slot, slot->replacement->by)) continue;
    while (i-- > 0) change(&calls->slots[i], calls->slots[i].was);
    return false;
  }
  return true;
}

void point_back(const struct calls *calls) {
  for (size_t i = 0; i < calls->count; i++) change(&calls->slots[i], calls->slots[i].was);
}

static bool is_found(const struct calls *calls, const struct replacement *replacement) {
  for (size_t i = 0; i < calls->count; i++) {
    if (calls->slots[i].replacement == replacement) return true;
  }
  return false;
}

bool replace_calls(const char *object, const struct replacement *replacements, size_t count) {
  struct calls calls;
  find_calls(object, replacements, count, &calls);
  for (size_t r = 0; r < count; r++) {
    if (!is_found(&calls, &replacements[r])) return false;
  }
  return point_calls(&calls);
}
