/*
 * Keeps uSockets, the layer below uWebSockets, from reading exactly as much as its buffer holds.
 *
 * Why. After a recv() that filled its whole 512 KiB buffer uSockets reads the same socket again at once, without a look
 * at anything else. A sender on the same host that keeps 512 KiB in the socket thereby defeats pause(), and holds the
 * event loop for seconds. Nothing in uWebSockets' JavaScript API can change that. Asking recv() for one byte less does.
 *
 * How. A loaded shared object calls recv() through a slot of its global offset table, which the dynamic linker fills.
 * cap() finds the object, finds the slot by the relocation that fills it, and points it at capped_recv(). Only that one
 * object is changed; every other caller in the process keeps the C library's recv().
 *
 * Linux with glibc, 64 bit, x86-64 and arm64. Node-API only, so one binary serves every version of Node.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <link.h>
#include <node_api.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#if defined(__x86_64__)
#define RELOCATION_JUMP_SLOT R_X86_64_JUMP_SLOT
#define RELOCATION_GLOB_DAT R_X86_64_GLOB_DAT
#elif defined(__aarch64__)
#define RELOCATION_JUMP_SLOT R_AARCH64_JUMP_SLOT
#define RELOCATION_GLOB_DAT R_AARCH64_GLOB_DAT
#else
#error "recv-cap knows the relocations of x86-64 and arm64 only"
#endif

static size_t cap_bytes = SIZE_MAX;

static ssize_t capped_recv(int fd, void *buffer, size_t length, int flags) {
  return recv(fd, buffer, length < cap_bytes ? length : cap_bytes, flags);
}

/* What cap() looks for, and how many slots it has changed. */
struct search {
  const char *object;
  int changed;
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

/* Whether the linker has made this address read-only after it had filled it. */
static int is_relro(const struct dl_phdr_info *object, uintptr_t address) {
  for (int i = 0; i < object->dlpi_phnum; i++) {
    const ElfW(Phdr) *header = &object->dlpi_phdr[i];
    uintptr_t start = object->dlpi_addr + header->p_vaddr;
    if (header->p_type == PT_GNU_RELRO && address >= start && address < start + header->p_memsz) return 1;
  }
  return 0;
}

static int change_slot(const struct dl_phdr_info *object, void **slot) {
  uintptr_t size = (uintptr_t)sysconf(_SC_PAGESIZE);
  void *page = (void *)((uintptr_t)slot & ~(size - 1));
  if (mprotect(page, size, PROT_READ | PROT_WRITE) != 0) return 0;
  __atomic_store_n(slot, (void *)capped_recv, __ATOMIC_RELEASE);
  if (is_relro(object, (uintptr_t)slot)) mprotect(page, size, PROT_READ);
  return 1;
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
      if (strcmp(tables.names + tables.symbols[symbol].st_name, "recv") != 0) continue;
      search->changed += change_slot(object, (void **)(object->dlpi_addr + relocation->r_offset));
    }
  }
  return 0;
}

/* cap(object: string, bytes: number): number — how many slots now lead to capped_recv; 0: the cap is not active. */
static napi_value cap(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value arguments[2];
  char object[1024];
  size_t length = 0;
  int64_t bytes = 0;
  napi_value result;
  if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) != napi_ok || count != 2 ||
      napi_get_value_string_utf8(env, arguments[0], object, sizeof object, &length) != napi_ok || length == 0 ||
      length == sizeof object - 1 || napi_get_value_int64(env, arguments[1], &bytes) != napi_ok || bytes < 1) {
    napi_throw_type_error(env, NULL, "cap(object: string, bytes: number)");
    return NULL;
  }
  struct search search = {object, 0};
  cap_bytes = (size_t)bytes;
  dl_iterate_phdr(visit, &search);
  napi_create_int32(env, search.changed, &result);
  return result;
}

NAPI_MODULE_INIT() {
  napi_value function;
  if (napi_create_function(env, "cap", NAPI_AUTO_LENGTH, cap, NULL, &function) != napi_ok) return NULL;
  napi_set_named_property(env, exports, "cap", function);
  return exports;
}
