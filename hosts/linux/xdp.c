/*
 * Frames out by AF_XDP: they are laid in memory that the kernel shares, and one call sends all of them, at two thirds of what messages of a
 * packet socket cost. No program stands at the interface for that. Where the kernel has no AF_XDP (4.18), or somebody else has
 * the interface's first queue, and for what is too long, there is the packet socket. Part of shim.c.
 */

#ifndef AF_XDP
#define AF_XDP 44
#define SOL_XDP 283
#endif

/** Bytes of a frame's place in the shared memory (chunk), and how many there are: so many frames are on their way at once. */
enum { CHUNK = 2048, CHUNKS = 1024 };
/** Calls for one batch: the kernel sends 32 frames by each. */
enum { KICKS = 16 };

/** A ring of CHUNKS entries that the kernel shares; its counters only grow. */
struct line {
  uint8_t *map;
  size_t bytes;
  uint32_t *produced, *consumed;
  void *entries;
};

struct xsk {
  int socket;
  /** Bytes of the longest frame that it takes. */
  uint32_t longest;
  uint8_t *memory;
  struct line out, done;
  /** Frames laid, and how many of them the kernel may have been told of. */
  uint32_t laid, told;
  /** Chunks that are free, the one that was used last on top: it is in the processor's cache. */
  int free;
  uint16_t chunk[CHUNKS];
};

static const struct xsk XSK_NONE = { .socket = -1, .memory = MAP_FAILED, .out.map = MAP_FAILED, .done.map = MAP_FAILED };

static int lineMap(int fd, struct line *l, const struct xdp_ring_offset *at, size_t entry, off_t page) {
  l->bytes = at->desc + CHUNKS * entry;
  l->map = mmap(NULL, l->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, page);
  l->produced = (uint32_t *)(void *)(l->map + at->producer);
  l->consumed = (uint32_t *)(void *)(l->map + at->consumer);
  l->entries = l->map + at->desc;
  return l->map == MAP_FAILED ? -1 : 0;
}

static void xskClose(struct xsk *x) {
  if (x->out.map != MAP_FAILED) munmap(x->out.map, x->out.bytes);
  if (x->done.map != MAP_FAILED) munmap(x->done.map, x->done.bytes);
  if (x->socket >= 0) close(x->socket);
  if (x->memory != MAP_FAILED) munmap(x->memory, CHUNK * CHUNKS);
  *x = XSK_NONE;
}

/** Shares memory with the kernel, and the two rings that sending takes; nothing is received. Returns 0 or -1. */
static int xskShare(struct xsk *x) {
  static const int entries = CHUNKS, none = 1;
  struct xdp_umem_reg memory = { .addr = (uintptr_t)x->memory, .len = CHUNK * CHUNKS, .chunk_size = CHUNK };
  struct xdp_mmap_offsets at;
  socklen_t size = sizeof at;
  int failed = x->memory == MAP_FAILED || setsockopt(x->socket, SOL_XDP, XDP_UMEM_REG, &memory, sizeof memory) < 0 ||
               setsockopt(x->socket, SOL_XDP, XDP_UMEM_FILL_RING, &none, sizeof none) < 0 ||
               setsockopt(x->socket, SOL_XDP, XDP_UMEM_COMPLETION_RING, &entries, sizeof entries) < 0 ||
               setsockopt(x->socket, SOL_XDP, XDP_TX_RING, &entries, sizeof entries) < 0 || getsockopt(x->socket, SOL_XDP, XDP_MMAP_OFFSETS, &at, &size) < 0 ||
               size != sizeof at || lineMap(x->socket, &x->out, &at.tx, sizeof(struct xdp_desc), XDP_PGOFF_TX_RING) < 0 ||
               lineMap(x->socket, &x->done, &at.cr, sizeof(uint64_t), XDP_UMEM_PGOFF_COMPLETION_RING) < 0;
  return failed ? -1 : 0;
}

/** Opens it on an interface whose frames have up to `longest` bytes. Returns 0, or -1 where that cannot be: then it takes none. */
static int xskOpen(struct xsk *x, int interface, uint32_t longest) {
  /* The kernel copies: with a card that reads the chunks itself it would take the whole queue, what is received too. */
  struct sockaddr_xdp own = { .sxdp_family = AF_XDP, .sxdp_flags = XDP_COPY, .sxdp_ifindex = (uint32_t)interface };
  *x = XSK_NONE;
  x->socket = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
  x->longest = longest < CHUNK ? longest : CHUNK;
  x->memory = mmap(NULL, CHUNK * CHUNKS, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (x->socket < 0 || xskShare(x) < 0 || bind(x->socket, (struct sockaddr *)&own, sizeof own) < 0) {
    xskClose(x);
    return -1;
  }
  setsockopt(x->socket, SOL_SOCKET, SO_SNDBUFFORCE, &BUFFER_BYTES, sizeof BUFFER_BYTES);
  for (int i = 0; i < CHUNKS; i++) x->chunk[x->free++] = (uint16_t)(CHUNKS - 1 - i);
  return 0;
}

/** Lays a frame, to be sent by the next xskSend. Returns whether there was a place for it. */
static int xskLay(struct xsk *x, const uint8_t *frame, uint32_t len) {
  if (x->socket < 0 || len > x->longest || x->free == 0) return 0;
  uint32_t at = (uint32_t)x->chunk[--x->free] * CHUNK;
  memcpy(x->memory + at, frame, len);
  ((struct xdp_desc *)x->out.entries)[x->laid++ % CHUNKS] = (struct xdp_desc){ .addr = at, .len = len };
  return 1;
}

/** Takes back the chunks of frames that are gone. */
static void xskReclaim(struct xsk *x) {
  uint32_t from = *x->done.consumed, to = __atomic_load_n(x->done.produced, __ATOMIC_ACQUIRE);
  for (; from != to; from++) x->chunk[x->free++] = (uint16_t)(((const uint64_t *)x->done.entries)[from % CHUNKS] / CHUNK);
  __atomic_store_n(x->done.consumed, to, __ATOMIC_RELEASE);
}

/** Takes back what was laid for a batch that the kernel has not looked at. Returns how many frames that were. */
static int xskWithdraw(struct xsk *x) {
  int n = (int)(x->laid - x->told);
  while (x->laid != x->told) x->chunk[x->free++] = (uint16_t)(((const struct xdp_desc *)x->out.entries)[--x->laid % CHUNKS].addr / CHUNK);
  __atomic_store_n(x->out.produced, x->laid, __ATOMIC_RELEASE);
  return n;
}

/** Sends what was laid. What the interface does not take now stays where it is, for the next time. Returns how many could not be sent; errno is why. */
static int xskSend(struct xsk *x) {
  if (x->socket < 0 || x->laid == __atomic_load_n(x->out.consumed, __ATOMIC_ACQUIRE)) return 0;
  int dropped = 0;
  __atomic_store_n(x->out.produced, x->laid, __ATOMIC_RELEASE);
  for (int kicks = 0; kicks < KICKS && __atomic_load_n(x->out.consumed, __ATOMIC_ACQUIRE) != x->laid; kicks++) {
    if (sendto(x->socket, NULL, 0, MSG_DONTWAIT, NULL, 0) >= 0) continue;
    /* The interface is down, or away; of a later call's frames some may have been looked at. */
    if ((errno == ENETDOWN || errno == ENXIO) && kicks == 0) return xskWithdraw(x);
    if (errno == EBUSY) dropped++;
    else if (errno != EAGAIN && errno != EINTR) break;
  }
  x->told = x->laid;
  xskReclaim(x);
  return dropped;
}
