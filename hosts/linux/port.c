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

/** Opens a port of the address in `exchange`. Returns 0 or an errno, negative; -ENOSPC when there are too many addresses. */
int shim_bind(int shim, int port, int signal) {
  struct shim *s = shims[shim];
  int i = addressIndex(s, 1);
  if (i < 0) return -ENOSPC;
  struct sockaddr_in6 own;
  socklen_t length = place(&own, s->address[i], port);
  int fd = socket(own.sin6_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  if (bind(fd, (struct sockaddr *)&own, length) < 0) {
    int result = -errno;
    close(fd);
    return result;
  }
  s->held[i][port] = fd + 1;
  s->steering.ports[port] |= signal ? OURS(i) | SIGNALING(i) : OURS(i);
  return 0;
}

int shim_unbind(int shim, int port, int unused) {
  (void)unused;
  struct shim *s = shims[shim];
  int i = addressIndex(s, 0);
  if (i < 0 || s->held[i][port] == 0) return -ENOENT;
  s->steering.ports[port] &= ~(OURS(i) | SIGNALING(i));
  close(s->held[i][port] - 1);
  s->held[i][port] = 0;
  return 0;
}
