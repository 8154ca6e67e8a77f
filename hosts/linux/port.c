/*
 * The ports of the shim: each is entered for the program that steers packets, and held by a socket of its own. Part of shim.c.
 */

/** Index of the address in `exchange`, which is taken in if there is room, or -1. */
static int addressIndex(struct shim *s, int take) {
  const void *address = &s->exchange[EXCHANGE_ADDRESS];
  for (int i = 0; i < s->addresses; i++)
    if (memcmp(s->address[i], address, 16) == 0) return i;
  int i = s->addresses;
  int *held = take && i < ADDRESSES ? calloc(PORTS, sizeof *held) : NULL;
  if (held == NULL || mapSet(s->steering.addresses, address, &i) < 0) {
    free(held);
    return -1;
  }
  s->held[i] = held;
  memcpy(s->address[i], address, 16);
  s->addresses++;
  return i;
}

/** A socket address of 16 bytes and a port, of the version of IP that it is of. Returns its length. */
static socklen_t place(struct sockaddr_in6 *to, const uint8_t *address, int port) {
  if (!isFour(address)) {
    *to = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
    memcpy(&to->sin6_addr, address, 16);
    return sizeof *to;
  }
  struct sockaddr_in *four = (struct sockaddr_in *)(void *)to;
  *four = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
  memcpy(&four->sin_addr, address + 12, 4);
  return sizeof *four;
}

/** Has a socket share its port with those of other workers, and hear nothing: what no worker takes is for one that is being started again. */
static void shareDeaf(int fd) {
  static const int on = 1;
  static struct sock_filter none[] = { { BPF_RET | BPF_K, 0, 0, 0 } };
  struct sock_fprog program = { 1, none };
  setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

/* Bits of what a port is for. */
enum { SIGNALING = 1, SHARED = 2, TRANSPARENT = 4 };

/**
 * Opens a port of the address in `exchange`, for media, or for signaling (`uses` 1); with 2 added, one that other workers have too; with 4,
 * of an address that need not be this machine's. Returns 0 or an errno, negative: -ENOSPC when there are too many addresses; with rings
 * -EADDRNOTAVAIL for an address that no interface has. Media for it is claimed all the same; signaling may be the stack's to send on, by rules.
 */
int shim_bind(int shim, int port, int uses) {
  struct shim *s = shims[shim];
  int signal = uses & SIGNALING, shared = (uses & SHARED) != 0;
  int i = addressIndex(s, 1);
  if (i < 0) return -ENOSPC;
  struct sockaddr_in6 own;
  socklen_t length = place(&own, s->address[i], port);
  int fd = socket(own.sin6_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  if (shared) shareDeaf(fd);
  if (uses & TRANSPARENT) transparentSet(fd);
  int result = bind(fd, (struct sockaddr *)&own, length) < 0 ? -errno : 0;
  if (result < 0) close(fd);
  struct port *entry = &s->steering.ports[port];
  entry->shared |= (uint32_t)shared << i;
  if (result < 0 && (result != -EADDRNOTAVAIL || s->rings == 0 || signal)) return result;
  s->held[i][port] = result < 0 ? 0 : fd + 1;
  entry->signaling |= (uint32_t)signal << i;
  entry->ours |= 1u << i;
  return result;
}

int shim_unbind(int shim, int port, int unused) {
  (void)unused;
  struct shim *s = shims[shim];
  int i = addressIndex(s, 0);
  struct port *entry = &s->steering.ports[port];
  if (i < 0) return -ENOENT;
  entry->shared &= ~(1u << i);
  if ((entry->ours >> i & 1) == 0) return -ENOENT;
  entry->ours &= ~(1u << i);
  entry->signaling &= ~(1u << i);
  if (s->held[i][port] > 0) close(s->held[i][port] - 1);
  s->held[i][port] = 0;
  return 0;
}

/** Ports of the address in `exchange` that other workers have: rings do not hear what is for them. Returns 0, or -ENOSPC when there are too many addresses. */
int shim_others(int shim, int first, int last) {
  struct shim *s = shims[shim];
  int i = addressIndex(s, 1);
  if (i < 0) return -ENOSPC;
  for (int port = first; port <= last && port < PORTS; port++) s->steering.ports[port].others |= 1u << i;
  return 0;
}

/** A listener for connections to a port of the address in `exchange`, with the bits 2 and 4 of `uses` as above. Returns its descriptor, the caller's from now on, or an errno, negative. */
int shim_listen(int shim, int port, int uses) {
  static const int on = 1;
  struct shim *s = shims[shim];
  struct listening key = { .port = (uint32_t)port };
  memcpy(key.address, &s->exchange[EXCHANGE_ADDRESS], sizeof key.address);
  struct sockaddr_in6 own;
  socklen_t length = place(&own, key.address, port);
  int fd = socket(own.sin6_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (uses & SHARED) setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (uses & TRANSPARENT) transparentSet(fd);
  uint64_t value = (uint64_t)fd;
  if (bind(fd, (struct sockaddr *)&own, length) == 0 && listen(fd, SOMAXCONN) == 0 && (!(uses & SHARED) || mapSet(s->steering.streams, &key, &value) == 0)) return fd;
  int result = -errno;
  close(fd);
  return result;
}
