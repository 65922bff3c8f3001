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
 * 6. Chunked bodies are checked. uWebSockets takes almost anything for a size line and never looks at the line break behind
 *    a chunk, so that a body with broken framing ends early and looks complete. What is read from a watched socket is
 *    followed here by a strict parser of its own (RFC 9112, section 7.1, without extensions and trailers).
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

/* What this thread read last, and how many reads that makes. */
static _Thread_local const unsigned char *last_bytes = NULL;
static _Thread_local size_t last_length = 0;
static _Thread_local uint32_t reads = 0;

/* Where a chunked body is. */
enum place {
  UNWATCHED,
  /* Its start is somewhere behind the head, in the read that brought the head. */
  NOT_FOUND,
  /* The head ended with its read, as far as can be seen: the body starts with the next one, if not in this one. */
  NEXT_READ,
  SIZE,
  SIZE_LF,
  DATA,
  DATA_CR,
  DATA_LF,
  LAST_CR,
  LAST_LF,
  COMPLETE,
  BROKEN
};

/* JavaScript counts no further. */
#define MOST_BYTES ((uint64_t)1 << 53)

struct body {
  enum place place;
  /* The read that brought the head. */
  uint32_t read;
  /* The size being read, or how much of the chunk is still to come. */
  uint64_t size;
  int digits;
};

static struct body bodies[MOST_SOCKETS];

static int is_lost(const struct body *body) { return body->place == NOT_FOUND || body->place == NEXT_READ; }

static int hex(unsigned char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c |= 0x20;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Follows the body through bytes as they were read. What stands behind its end is the next request's. */
static void follow(struct body *body, const unsigned char *at, const unsigned char *end) {
  while (at < end && body->place != COMPLETE && body->place != BROKEN) {
    if (body->place == DATA) {
      size_t here = (size_t)(end - at) < body->size ? (size_t)(end - at) : (size_t)body->size;
      at += here;
      body->size -= here;
      if (body->size == 0) body->place = DATA_CR;
      continue;
    }
    unsigned char c = *at++;
    int digit;
    switch (body->place) {
      case DATA_CR: body->place = c == '\r' ? DATA_LF : BROKEN; break;
      case DATA_LF:
        body->place = c == '\n' ? SIZE : BROKEN;
        body->size = 0;
        body->digits = 0;
        break;
      case SIZE:
        digit = hex(c);
        if (digit >= 0 && body->digits < 32 && body->size < MOST_BYTES / 16) {
          body->size = body->size * 16 + (uint64_t)digit;
          body->digits++;
        } else {
          body->place = c == '\r' && body->digits > 0 ? SIZE_LF : BROKEN;
        }
        break;
      case SIZE_LF: body->place = c != '\n' ? BROKEN : body->size > 0 ? DATA : LAST_CR; break;
      case LAST_CR: body->place = c == '\r' ? LAST_LF : BROKEN; break;
      case LAST_LF: body->place = c == '\n' ? COMPLETE : BROKEN; break;
      default: return;
    }
  }
}

/* Finds the first chunk, whose data uWebSockets says is at `data`, in the read that brought the head too. */
static void find_start(struct body *body, const unsigned char *data) {
  const unsigned char *line = data - 2;
  if (data < last_bytes + 3 || data > last_bytes + last_length) return;
  while (line > last_bytes && hex(line[-1]) >= 0) line--;
  /* Too little of the head is here to be sure. */
  if (line < last_bytes + 4) return;
  body->place = memcmp(line - 4, "\r\n\r\n", 4) == 0 ? SIZE : BROKEN;
  follow(body, line, last_bytes + last_length);
}

/* Whether the read that brought the head has an empty body behind it: "0", its line break, and a head's end before it. */
static int has_empty_body(void) {
  static const unsigned char end[] = "\r\n\r\n";
  for (size_t i = 0; i < last_length; i++) {
    /* At the start of a read the end of the head may be in the one before. */
    size_t before = i < 4 ? i : 4;
    if (last_bytes[i] != '0' || memcmp(last_bytes + i - before, end + 4 - before, before) != 0) continue;
    while (i < last_length && last_bytes[i] == '0') i++;
    if (last_length - i >= 2 && memcmp(last_bytes + i, end, 2) == 0) return 1;
  }
  return 0;
}

static ssize_t capped_recv(int fd, void *buffer, size_t length, int flags) {
  ssize_t got = recv(fd, buffer, length < cap_bytes ? length : cap_bytes, flags);
  last_socket = fd;
  last_bytes = buffer;
  last_length = got > 0 ? (size_t)got : 0;
  reads++;
  if (got > 0 && fd < MOST_SOCKETS && bodies[fd].place != UNWATCHED) {
    if (bodies[fd].place == NEXT_READ) bodies[fd].place = SIZE;
    follow(&bodies[fd], last_bytes, last_bytes + last_length);
  }
  if (got > 0 && fd < MOST_SOCKETS && muted[fd]) {
    errno = ECONNRESET;
    return -1;
  }
  return got;
}

static int tuned_accept4(int listener, struct sockaddr *address, socklen_t *length, int flags) {
  int fd = accept4(listener, address, length, flags);
  if (fd < 0) return fd;
  if (fd < MOST_SOCKETS) {
    muted[fd] = 0;
    bodies[fd].place = UNWATCHED;
  }
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

/* Reads the argument of a function that takes a socket and nothing else; throws `usage` when it is something else. */
static int only_socket(napi_env env, napi_callback_info info, const char *usage, int *fd) {
  size_t count = 1;
  napi_value argument;
  if (napi_get_cb_info(env, info, &count, &argument, NULL, NULL) == napi_ok && count == 1 &&
      socket_argument(env, argument, fd)) {
    return 1;
  }
  napi_throw_type_error(env, NULL, usage);
  return 0;
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
  napi_value result;
  int fd;
  struct tcp_info tcp;
  socklen_t length = sizeof tcp;
  if (!only_socket(env, info, "peerIsGone(socket: number)", &fd)) return NULL;
  bool known = getsockopt(fd, IPPROTO_TCP, TCP_INFO, &tcp, &length) == 0;
  napi_get_boolean(env, known && tcp.tcpi_state != TCP_ESTABLISHED, &result);
  return result;
}

/* watchChunks(socket: number): void — in the handler of a request with a chunked body, over plain TCP. */
static napi_value watch_chunks(napi_env env, napi_callback_info info) {
  int fd;
  if (!only_socket(env, info, "watchChunks(socket: number)", &fd)) return NULL;
  if (fd >= MOST_SOCKETS) return NULL;
  int at_end = last_length >= 4 && memcmp(last_bytes + last_length - 4, "\r\n\r\n", 4) == 0;
  bodies[fd] = (struct body){at_end ? NEXT_READ : NOT_FOUND, reads, 0, 0};
  return NULL;
}

/*
 * chunksAreSound(socket: number, chunk: ArrayBuffer, last: boolean): boolean — in each onData of a watched socket: whether
 * all that has been read is sound so far and, at the last call, whether the body has ended. After that nobody watches.
 */
static napi_value chunks_are_sound(napi_env env, napi_callback_info info) {
  size_t count = 3;
  napi_value arguments[3];
  napi_value result;
  int fd;
  bool last;
  void *data;
  size_t length;
  if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) != napi_ok || count != 3 ||
      !socket_argument(env, arguments[0], &fd) ||
      napi_get_arraybuffer_info(env, arguments[1], &data, &length) != napi_ok ||
      napi_get_value_bool(env, arguments[2], &last) != napi_ok) {
    napi_throw_type_error(env, NULL, "chunksAreSound(socket: number, chunk: ArrayBuffer, last: boolean)");
    return NULL;
  }
  bool sound = true;
  if (fd < MOST_SOCKETS && bodies[fd].place != UNWATCHED) {
    struct body *body = &bodies[fd];
    if (is_lost(body) && length > 0 && body->read == reads) find_start(body, data);
    /* The line break behind the last chunk may still be on its way. What was not found cannot be judged. */
    if (is_lost(body)) sound = !last || body->read != reads || has_empty_body();
    else sound = last ? body->place >= LAST_CR && body->place <= COMPLETE : body->place != BROKEN;
    /* Only the first chunk has a head before it: who missed that one is lost for good. */
    if (last || (is_lost(body) && length > 0)) body->place = UNWATCHED;
  }
  napi_get_boolean(env, sound, &result);
  return result;
}

/* sendContinue(socket: number): void — over plain TCP, to a client that expects it, before the status line. */
static napi_value send_continue(napi_env env, napi_callback_info info) {
  static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
  int fd;
  if (!only_socket(env, info, "sendContinue(socket: number)", &fd)) return NULL;
  /* The send buffer is empty, so it is taken whole. What becomes of it is seen by peerIsGone(). */
  send(fd, text, sizeof text - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
  return NULL;
}

NAPI_MODULE_INIT() {
  const napi_property_descriptor functions[] = {
      {"install", NULL, install, NULL, NULL, NULL, napi_enumerable, NULL},
      {"currentSocket", NULL, current_socket, NULL, NULL, NULL, napi_enumerable, NULL},
      {"mute", NULL, mute, NULL, NULL, NULL, napi_enumerable, NULL},
      {"watchChunks", NULL, watch_chunks, NULL, NULL, NULL, napi_enumerable, NULL},
      {"chunksAreSound", NULL, chunks_are_sound, NULL, NULL, NULL, napi_enumerable, NULL},
      {"sendContinue", NULL, send_continue, NULL, NULL, NULL, napi_enumerable, NULL},
      {"peerIsGone", NULL, peer_is_gone, NULL, NULL, NULL, napi_enumerable, NULL},
  };
  if (napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions) != napi_ok) return NULL;
  return exports;
}
