/*
 * Frames by AF_XDP, through memory that is shared with the kernel. Out: they are laid there, and one call sends all of them, at two thirds of what
 * messages of a packet socket cost; for that no program stands at the interface. In, where it is wanted: what a program diverts
 * (claim.c) lies there and is read without a call. Where there is no AF_XDP (before Linux 5.4), or somebody else has the interface's
 * first queue, and for what is too long, there is the packet socket. Part of shim.c.
 */

#ifndef AF_XDP
#define AF_XDP 44
#define SOL_XDP 283
#endif

/**
 * Bytes of a frame's place in the shared memory (chunk); how many chunks there are for frames that leave, so many are on their way at once, and for
 * those that come; bytes that the kernel keeps before one that comes.
 */
enum { CHUNK = 2048, CHUNKS_OUT = 1024, CHUNKS_IN = 2048, CHUNK_HEAD = 256 };
/** Calls for one batch: the kernel sends 32 frames by each. */
enum { KICKS = 16 };

/** A ring that the kernel shares; its counters only grow. */
struct line {
  uint8_t *map;
  size_t bytes;
  uint32_t mask, *produced, *consumed;
  void *entries;
};

struct xsk {
  int socket, queues;
  /** Bytes of the longest frame that leaves by it. */
  uint32_t longest;
  uint8_t *memory;
  size_t size;
  struct line out, done, in, fill;
  /** Frames laid, and how many of them the kernel may have been told of. */
  uint32_t laid, told;
  /** Chunks that are free, the one that was used last on top: it is in the processor's cache. */
  int free;
  uint16_t chunk[CHUNKS_OUT];
  /** Link of the program that diverts to it, -1 where it receives nothing; frames that were lost, as the kernel counts. */
  int link;
  uint64_t lost;
};

static const struct line LINE_NONE = { .map = MAP_FAILED };
static const struct xsk XSK_NONE = { .socket = -1, .queues = -1, .link = -1, .memory = MAP_FAILED, .out.map = MAP_FAILED, .done.map = MAP_FAILED, .in.map = MAP_FAILED, .fill.map = MAP_FAILED };

static int lineMap(int fd, struct line *l, const struct xdp_ring_offset *at, uint32_t entries, size_t entry, off_t page) {
  *l = (struct line){ .bytes = at->desc + entries * entry, .mask = entries - 1 };
  l->map = mmap(NULL, l->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, page);
  l->produced = (uint32_t *)(void *)(l->map + at->producer);
  l->consumed = (uint32_t *)(void *)(l->map + at->consumer);
  l->entries = l->map + at->desc;
  return l->map == MAP_FAILED ? -1 : 0;
}

static void lineUnmap(struct line *l) {
  if (l->map != MAP_FAILED) munmap(l->map, l->bytes);
  *l = LINE_NONE;
}

static uint64_t *lineChunk(const struct line *l, uint32_t i) {
  return (uint64_t *)l->entries + (i & l->mask);
}

static struct xdp_desc *lineFrame(const struct line *l, uint32_t i) {
  return (struct xdp_desc *)l->entries + (i & l->mask);
}

static void xskClose(struct xsk *x) {
  struct line *lines[] = { &x->out, &x->done, &x->in, &x->fill };
  int open[] = { x->link, x->queues, x->socket };
  for (int i = 0; i < 4; i++) lineUnmap(lines[i]);
  for (int i = 0; i < 3; i++)
    if (open[i] >= 0) close(open[i]);
  if (x->memory != MAP_FAILED) munmap(x->memory, x->size);
  *x = XSK_NONE;
}

static int xskSet(const struct xsk *x, int option, int value) {
  return setsockopt(x->socket, SOL_XDP, option, &value, sizeof value);
}

/** Shares memory with the kernel, and the rings that sending takes; with `receiving` those that receiving takes, too. Returns 0 or -1. */
static int xskShare(struct xsk *x, int receiving) {
  struct xdp_umem_reg memory = { .addr = (uintptr_t)x->memory, .len = x->size, .chunk_size = CHUNK };
  struct xdp_mmap_offsets at;
  socklen_t size = sizeof at;
  int fd = x->socket;
  int failed = x->memory == MAP_FAILED || setsockopt(fd, SOL_XDP, XDP_UMEM_REG, &memory, sizeof memory) < 0 ||
               xskSet(x, XDP_UMEM_FILL_RING, receiving ? CHUNKS_IN : 1) < 0 || xskSet(x, XDP_UMEM_COMPLETION_RING, CHUNKS_OUT) < 0 ||
               xskSet(x, XDP_TX_RING, CHUNKS_OUT) < 0 || (receiving && xskSet(x, XDP_RX_RING, CHUNKS_IN) < 0) ||
               getsockopt(fd, SOL_XDP, XDP_MMAP_OFFSETS, &at, &size) < 0 || size != sizeof at ||
               lineMap(fd, &x->out, &at.tx, CHUNKS_OUT, sizeof(struct xdp_desc), XDP_PGOFF_TX_RING) < 0 ||
               lineMap(fd, &x->done, &at.cr, CHUNKS_OUT, sizeof(uint64_t), XDP_UMEM_PGOFF_COMPLETION_RING) < 0 ||
               (receiving && lineMap(fd, &x->in, &at.rx, CHUNKS_IN, sizeof(struct xdp_desc), XDP_PGOFF_RX_RING) < 0) ||
               (receiving && lineMap(fd, &x->fill, &at.fr, CHUNKS_IN, sizeof(uint64_t), XDP_UMEM_PGOFF_FILL_RING) < 0);
  return failed ? -1 : 0;
}

/** Takes the first queue of an interface that nobody has; to receive by, the first there is. Returns 0 or -1. */
static int xskBind(int fd, int interface, int receiving) {
  /* The kernel copies: with a card that reads the chunks itself it would take the whole queue, what is not diverted too. */
  struct sockaddr_xdp own = { .sxdp_family = AF_XDP, .sxdp_flags = XDP_COPY, .sxdp_ifindex = (uint32_t)interface };
  while (bind(fd, (struct sockaddr *)&own, sizeof own) < 0) {
    if (errno != EBUSY || receiving) return -1;
    own.sxdp_queue_id++;
  }
  return 0;
}

/** Opens it on an interface whose frames have up to `longest` bytes. Returns 0, or -1 where that cannot be: then it takes none. */
static int xskOpen(struct xsk *x, int interface, uint32_t longest, int receiving) {
  *x = XSK_NONE;
  x->socket = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
  x->longest = longest < CHUNK ? longest : CHUNK;
  x->size = (size_t)CHUNK * (CHUNKS_OUT + (receiving ? CHUNKS_IN : 0));
  x->memory = mmap(NULL, x->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (x->socket < 0 || xskShare(x, receiving) < 0 || xskBind(x->socket, interface, receiving) < 0) {
    xskClose(x);
    return -1;
  }
  setsockopt(x->socket, SOL_SOCKET, SO_SNDBUFFORCE, &BUFFER_BYTES, sizeof BUFFER_BYTES);
  for (int i = 0; i < CHUNKS_OUT; i++) x->chunk[x->free++] = (uint16_t)(CHUNKS_OUT - 1 - i);
  return 0;
}

/* Out. */

/** Lays a frame, to be sent by the next xskSend. Returns whether there was a place for it. */
static int xskLay(struct xsk *x, const uint8_t *frame, uint32_t len) {
  if (x->socket < 0 || len > x->longest || x->free == 0) return 0;
  uint32_t at = (uint32_t)x->chunk[--x->free] * CHUNK;
  memcpy(x->memory + at, frame, len);
  *lineFrame(&x->out, x->laid++) = (struct xdp_desc){ .addr = at, .len = len };
  return 1;
}

/** Takes back the chunks of frames that are gone. */
static void xskReclaim(struct xsk *x) {
  uint32_t from = *x->done.consumed, to = __atomic_load_n(x->done.produced, __ATOMIC_ACQUIRE);
  for (; from != to; from++) x->chunk[x->free++] = (uint16_t)(*lineChunk(&x->done, from) / CHUNK);
  __atomic_store_n(x->done.consumed, to, __ATOMIC_RELEASE);
}

/** Takes back what was laid for a batch that the kernel has not looked at. Returns how many frames that were. */
static int xskWithdraw(struct xsk *x) {
  int n = (int)(x->laid - x->told);
  while (x->laid != x->told) x->chunk[x->free++] = (uint16_t)(lineFrame(&x->out, --x->laid)->addr / CHUNK);
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

/* In. */

/** Gives the kernel the chunks for what comes, and has frames for ports of ours diverted. Returns 0 or -1. */
static int xskReceiving(struct xsk *x, const struct steering *s, int interface, uint32_t room) {
  uint32_t queue = 0, most = CHUNK - CHUNK_HEAD;
  uint64_t socket = (uint64_t)x->socket;
  for (uint32_t i = 0; i < CHUNKS_IN; i++) *lineChunk(&x->fill, i) = (uint64_t)(CHUNKS_OUT + i) * CHUNK;
  __atomic_store_n(x->fill.produced, CHUNKS_IN, __ATOMIC_RELEASE);
  x->queues = mapMake(BPF_MAP_TYPE_XSKMAP, 4, 4, 1, 0);
  if (x->queues < 0 || mapSet(x->queues, &queue, &socket) < 0) return -1;
  x->link = divert(s, interface, x->queues, (int)(most < room ? most : room));
  return x->link < 0 ? -1 : 0;
}

/** The `i`th frame that waits, or NULL. */
static const uint8_t *xskWaiting(const struct xsk *x, uint32_t i, uint32_t *len) {
  uint32_t at = *x->in.consumed + i;
  if (at == __atomic_load_n(x->in.produced, __ATOMIC_ACQUIRE)) return NULL;
  const struct xdp_desc *frame = lineFrame(&x->in, at);
  *len = frame->len;
  return x->memory + frame->addr;
}

/** The first `n` frames were read: their chunks are the kernel's again. */
static void xskRead(struct xsk *x, uint32_t n) {
  uint32_t from = *x->in.consumed, to = *x->fill.produced;
  for (uint32_t i = 0; i < n; i++) *lineChunk(&x->fill, to + i) = lineFrame(&x->in, from + i)->addr / CHUNK * CHUNK;
  __atomic_store_n(x->in.consumed, from + n, __ATOMIC_RELEASE);
  __atomic_store_n(x->fill.produced, to + n, __ATOMIC_RELEASE);
}

/** Do so many frames wait that some may have found no room? */
static int xskPressed(const struct xsk *x) {
  return __atomic_load_n(x->in.produced, __ATOMIC_ACQUIRE) - *x->in.consumed > CHUNKS_IN / 2;
}

/** Frames that found no room, since it was asked last. */
static int xskLost(struct xsk *x) {
  struct xdp_statistics now = { 0 };
  socklen_t size = sizeof now;
  if (getsockopt(x->socket, SOL_XDP, XDP_STATISTICS, &now, &size) < 0) return 0;
  uint64_t lost = now.rx_dropped + now.rx_ring_full, more = lost - x->lost;
  x->lost = lost;
  return (int)more;
}
