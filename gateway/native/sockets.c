/*
 * What uWebSockets.js cannot be asked for in JavaScript, done to the sockets below it.
 *
 * 1. Reads are capped. After a recv() that filled its whole 512 KiB buffer uSockets reads the same socket again at once,
 *    without a look at anything else. A sender on the same host that keeps 512 KiB in the socket thereby defeats pause(),
 *    and holds the event loop for seconds. Asking recv() for less ends that. A smaller cap also bounds how many callbacks
 *    one read can cause: a sender of one-byte chunks gets a turn no longer than others.
 * 2. Accepted sockets get TCP_NOTSENT_LOWAT: the kernel queues only so many bytes that it cannot send yet. Otherwise it
 *    takes megabytes for a slow receiver and then says nothing until a third of them has gone, and a receiver that reads
 *    all the time looks as if it had stalled.
 * 3. A socket can be muted: whatever its peer still sends ends the connection. uSockets answers what is no request with an
 *    error page, in the middle of a running response, where it can fill the place of the last bytes of a body.
 * 4. Whether the peer of a socket is gone can be asked. A paused socket is not polled, so nobody would ever tell.
 *
 * 5. An interim response can be sent. A peer that died while its body waits to be read is found out only by sending, for
 *    its own FIN stands behind that body; and before the final status nothing else may be sent.
 *
 * How. A loaded shared object calls recv() and accept4() through slots of its global offset table, which the dynamic
 * linker fills. install() finds the object, finds the slots by the relocations that fill them, and points them at the
 * functions here. Only that one object is changed; every other caller in the process keeps the C library's functions.
 *
 * Linux with glibc, 64 bit, x86-64 and arm64. Node-API only, so one binary serves every version of Node.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
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
#error "sockets.c knows the relocations of x86-64 and arm64 only"
#endif

/* Sockets beyond this number are served, but cannot be muted. */
#define MOST_SOCKETS 65536

static size_t cap_bytes = SIZE_MAX;
static int notsent_bytes = 0;
/* Written and read by the thread that owns the socket. */
static unsigned char muted[MOST_SOCKETS];
/* The socket that this thread read last: the one whose request is being handled. */
static _Thread_local int last_socket = -1;

static ssize_t capped_recv(int fd, void *buffer, size_t length, int flags) {
  ssize_t got = recv(fd, buffer, length < cap_bytes ? length : cap_bytes, flags);
  last_socket = fd;
  if (got > 0 && fd < MOST_SOCKETS && muted[fd]) {
    errno = ECONNRESET;
    return -1;
  }
  return got;
}

static int tuned_accept4(int listener, struct sockaddr *address, socklen_t *length, int flags) {
  int fd = accept4(listener, address, length, flags);
  if (fd < 0) return fd;
  if (fd < MOST_SOCKETS) muted[fd] = 0;
  if (notsent_bytes > 0) setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &notsent_bytes, sizeof notsent_bytes);
  return fd;
}

/* The functions that are replaced. */
static const struct {
  const char *name;
  void *by;
} replaced[] = {{"recv", (void *)capped_recv}, {"accept4", (void *)tuned_accept4}};

#define REPLACED (sizeof replaced / sizeof *replaced)

/* What install() looks for, and how many slots of each function it has changed. */
struct search {
  const char *object;
  int changed[REPLACED];
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

static int change_slot(const struct dl_phdr_info *object, void **slot, void *by) {
  uintptr_t size = (uintptr_t)sysconf(_SC_PAGESIZE);
  void *page = (void *)((uintptr_t)slot & ~(size - 1));
  if (mprotect(page, size, PROT_READ | PROT_WRITE) != 0) return 0;
  __atomic_store_n(slot, by, __ATOMIC_RELEASE);
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
      void **slot = (void **)(object->dlpi_addr + relocation->r_offset);
      const char *name = tables.names + tables.symbols[symbol].st_name;
      for (size_t r = 0; r < REPLACED; r++) {
        if (strcmp(name, replaced[r].name) == 0) search->changed[r] += change_slot(object, slot, replaced[r].by);
      }
    }
  }
  return 0;
}

/* install(object: string, capBytes: number, notSentBytes: number): boolean — false: the object has another layout. */
static napi_value install(napi_env env, napi_callback_info info) {
  size_t count = 3;
  napi_value arguments[3];
  char object[1024];
  size_t length = 0;
  int64_t most = 0;
  int32_t notsent = 0;
  napi_value result;
  if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) != napi_ok || count != 3 ||
      napi_get_value_string_utf8(env, arguments[0], object, sizeof object, &length) != napi_ok || length == 0 ||
      length == sizeof object - 1 || napi_get_value_int64(env, arguments[1], &most) != napi_ok || most < 1 ||
      napi_get_value_int32(env, arguments[2], &notsent) != napi_ok) {
    napi_throw_type_error(env, NULL, "install(object: string, capBytes: number, notSentBytes: number)");
    return NULL;
  }
  struct search search = {object, {0}};
  cap_bytes = (size_t)most;
  notsent_bytes = notsent;
  dl_iterate_phdr(visit, &search);
  int all = 1;
  for (size_t r = 0; r < REPLACED; r++) all = all && search.changed[r] > 0;
  napi_get_boolean(env, all, &result);
  return result;
}

/* currentSocket(): number — in a callback of uWebSockets that a read caused: the socket that was read. */
static napi_value current_socket(napi_env env, napi_callback_info info) {
  napi_value result;
  (void)info;
  napi_create_int32(env, last_socket, &result);
  return result;
}

static int socket_argument(napi_env env, napi_value value, int *fd) {
  return napi_get_value_int32(env, value, fd) == napi_ok && *fd >= 0;
}

/* mute(socket: number, on: boolean): void */
static napi_value mute(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value arguments[2];
  int fd;
  bool on;
  if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) != napi_ok || count != 2 ||
      !socket_argument(env, arguments[0], &fd) || napi_get_value_bool(env, arguments[1], &on) != napi_ok) {
    napi_throw_type_error(env, NULL, "mute(socket: number, on: boolean)");
    return NULL;
  }
  if (fd < MOST_SOCKETS) muted[fd] = on;
  return NULL;
}

/* peerIsGone(socket: number): boolean — the peer has closed its side, or reset, although unread bytes may be left. */
static napi_value peer_is_gone(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value arguments[1];
  napi_value result;
  int fd;
  struct tcp_info tcp;
  socklen_t length = sizeof tcp;
  if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) != napi_ok || count != 1 ||
      !socket_argument(env, arguments[0], &fd)) {
    napi_throw_type_error(env, NULL, "peerIsGone(socket: number)");
    return NULL;
  }
  bool known = getsockopt(fd, IPPROTO_TCP, TCP_INFO, &tcp, &length) == 0;
  napi_get_boolean(env, known && tcp.tcpi_state != TCP_ESTABLISHED, &result);
  return result;
}

/* sendContinue(socket: number): void — over plain TCP, to a client that expects it, before the status line. */
static napi_value send_continue(napi_env env, napi_callback_info info) {
  static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
  size_t count = 1;
  napi_value arguments[1];
  int fd;
  if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) != napi_ok || count != 1 ||
      !socket_argument(env, arguments[0], &fd)) {
    napi_throw_type_error(env, NULL, "sendContinue(socket: number)");
    return NULL;
  }
  /* The send buffer is empty, so it is taken whole. What becomes of it is seen by peerIsGone(). */
  send(fd, text, sizeof text - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
  return NULL;
}

NAPI_MODULE_INIT() {
  const napi_property_descriptor functions[] = {
      {"install", NULL, install, NULL, NULL, NULL, napi_enumerable, NULL},
      {"currentSocket", NULL, current_socket, NULL, NULL, NULL, napi_enumerable, NULL},
      {"mute", NULL, mute, NULL, NULL, NULL, napi_enumerable, NULL},
      {"sendContinue", NULL, send_continue, NULL, NULL, NULL, napi_enumerable, NULL},
      {"peerIsGone", NULL, peer_is_gone, NULL, NULL, NULL, napi_enumerable, NULL},
  };
  if (napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions) != napi_ok) return NULL;
  return exports;
}
