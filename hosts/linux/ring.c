/*
 * Packet rings (SPEC R4): whole frames of an interface, as they come, by a packet socket whose ring the kernel fills (TPACKET_V2,
 * which wakes for each), and out by AF_XDP (xdp.c), or by a packet socket that all interfaces share; in by AF_XDP as well, where it is wanted. The machine's own stack sees every frame as well, but what is
 * withheld from it: what the core leaves to it needs no way there, and of what the core takes the wide sockets hear nothing. Part of shim.c.
 */

enum { RING_FRAME = 2048, RING_FRAMES = 4096, RING_BLOCK = 1 << 17, RING_BYTES = RING_FRAME * RING_FRAMES };
/** Bytes of a frame that a slot takes, and INPUT. */
enum { FRAME_ROOM = CULVERT_SLOT_SIZE - CULVERT_FRAME_BYTES, FRAME_LONGEST = CULVERT_INPUT_SIZE - CULVERT_FRAME_BYTES };

/** Bits of what is known of an interface: it is up; what the core makes leaves by AF_XDP. Of what is wanted: all frames; UDP for ports of ours by AF_XDP. */
enum { RING_UP = 1, RING_XDP = 2, RING_PROMISCUOUS = 1, RING_DIVERTED = 2 };

/** A packet socket; with offloads, what is said of a frame's checksum and segments stands before it. */
static int packetMake(void) {
  const int on = 1;
  int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd >= 0 && setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on) < 0) {
    int failure = errno;
    close(fd);
    errno = failure;
    return -1;
  }
  return fd;
}

/** The socket that frames leave by: straight to the driver, and it hears nothing. */
static int transmitterMake(void) {
  const int on = 1;
  int fd = packetMake();
  if (fd < 0) return -1;
  setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &BUFFER_BYTES, sizeof BUFFER_BYTES);
  return fd;
}

static void ringClose(struct ring *r) {
  if (r->link >= 0) close(r->link);
  xskClose(&r->xsk);
  if (r->frames != MAP_FAILED) munmap(r->frames, RING_BYTES);
  if (r->socket >= 0) close(r->socket);
}

/** What the machine says of the interface that `exchange` names, which is overwritten: hardware address, MTU, RING_ bits. Returns its index or an errno, negative. */
static int interfaceAsk(int fd, int32_t *exchange) {
  struct ifreq ask = { 0 };
  memcpy(ask.ifr_name, exchange, IFNAMSIZ - 1);
  if (ioctl(fd, SIOCGIFINDEX, &ask) < 0) return -errno;
  int index = ask.ifr_ifindex;
  if (ioctl(fd, SIOCGIFHWADDR, &ask) < 0) return -errno;
  if (ask.ifr_hwaddr.sa_family != ARPHRD_ETHER) return -EOPNOTSUPP;
  memcpy(exchange, ask.ifr_hwaddr.sa_data, 6);
  if (ioctl(fd, SIOCGIFMTU, &ask) < 0) return -errno;
  exchange[2] = ask.ifr_mtu;
  if (ioctl(fd, SIOCGIFFLAGS, &ask) < 0) return -errno;
  exchange[3] = (ask.ifr_flags & IFF_UP) != 0 ? RING_UP : 0;
  return index;
}

/** Has the kernel fill a ring with what comes by the interface: not with what leaves by it; with all frames if `promiscuous`. */
static int ringFill(struct ring *r, int promiscuous) {
  const int on = 1, version = TPACKET_V2;
  struct tpacket_req size = { .tp_block_size = RING_BLOCK, .tp_block_nr = RING_BYTES / RING_BLOCK, .tp_frame_size = RING_FRAME, .tp_frame_nr = RING_FRAMES };
  struct sockaddr_ll own = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = r->interface };
  struct packet_mreq all = { .mr_ifindex = r->interface, .mr_type = PACKET_MR_PROMISC };
  setsockopt(r->socket, SOL_SOCKET, SO_RCVBUFFORCE, &BUFFER_BYTES, sizeof BUFFER_BYTES);
  int failed = setsockopt(r->socket, SOL_PACKET, PACKET_VERSION, &version, sizeof version) < 0 ||
               setsockopt(r->socket, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) < 0 ||
               setsockopt(r->socket, SOL_PACKET, PACKET_COPY_THRESH, &on, sizeof on) < 0 ||
               setsockopt(r->socket, SOL_PACKET, PACKET_RX_RING, &size, sizeof size) < 0 ||
               (r->frames = mmap(NULL, RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, r->socket, 0)) == MAP_FAILED ||
               (promiscuous && setsockopt(r->socket, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof all) < 0) ||
               bind(r->socket, (struct sockaddr *)&own, sizeof own) < 0;
  return failed ? -errno : 0;
}

/** The wide sockets hear nothing of what comes by interfaces with a ring: it would be taken twice. Returns 0 or an errno, negative. */
static int deafen(struct shim *s) {
  struct sock_filter code[RINGS + 3];
  struct sock_fprog program = { (unsigned short)(s->rings + 3), code };
  code[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_IFINDEX));
  for (int i = 0; i < s->rings; i++)
    code[i + 1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)s->ring[i].interface, (uint8_t)(s->rings - i), 0);
  code[s->rings + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, UINT32_MAX);
  code[s->rings + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
  for (int i = 0; i < QUEUES; i++)
    if (setsockopt(s->queue[i], SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0) return -errno;
  return 0;
}

/** Does a network card take tags off frames, and say so beside them? XDP would take a frame of a VLAN for one without. */
static int tagsHidden(const struct ring *r) {
  struct ethtool_value flags = { .cmd = ETHTOOL_GFLAGS };
  struct ifreq ask = { .ifr_ifindex = r->interface };
  if (ioctl(r->socket, SIOCGIFNAME, &ask) < 0) return 0;
  ask.ifr_data = (char *)&flags;
  return ioctl(r->socket, SIOCETHTOOL, &ask) == 0 && (flags.data & ETH_FLAG_RXVLAN) != 0;
}

/** Has what the core makes leave by AF_XDP, and UDP for ports of ours come by it if `diverted`. Returns RING_XDP, 0 where there is none, or an errno, negative. */
static int ringExpress(struct shim *s, struct ring *r, uint32_t longest, int diverted) {
  if (diverted && tagsHidden(r)) return -EPROTO;
  if (xskOpen(&r->xsk, r->interface, longest, diverted) == 0 && (!diverted || xskReceiving(&r->xsk, &s->steering, r->interface, FRAME_ROOM) == 0)) return RING_XDP;
  return diverted ? -EBUSY : 0;
}

/**
 * Opens a ring on the interface that `exchange` names where addresses stand; there stands what is known of it then. `wanted` has RING_ bits.
 * Returns its index, or an errno, negative: ENODEV where there is no such interface, EOPNOTSUPP where it is no Ethernet, ENOSPC where there are too many;
 * EPROTO where XDP would see no tags, and EBUSY where it cannot be had.
 */
int shim_ring(int shim, int wanted, int unused) {
  (void)unused;
  struct shim *s = shims[shim];
  if (s->rings == RINGS) return -ENOSPC;
  struct ring *r = &s->ring[s->rings];
  int32_t *device = &s->exchange[EXCHANGE_ADDRESS];
  *r = (struct ring){ .socket = packetMake(), .link = -1, .frames = MAP_FAILED, .xsk = XSK_NONE };
  if (s->out[FRAMES].socket < 0) s->out[FRAMES].socket = transmitterMake();
  int result = r->socket < 0 || s->out[FRAMES].socket < 0 ? -errno : interfaceAsk(r->socket, device);
  if (result > 0) {
    r->interface = result;
    result = divide(&s->steering, r->socket);
    if (result == 0) result = ringFill(r, wanted & RING_PROMISCUOUS);
  }
  if (result == 0) result = ringExpress(s, r, (uint32_t)device[2] + ETH_HLEN, wanted & RING_DIVERTED);
  if (result >= 0) {
    device[3] |= result;
    s->rings++;
    result = deafen(s);
    if (result < 0) s->rings--;
  }
  if (result == 0) {
    r->link = withhold(&s->steering, r->interface);
    return s->rings - 1;
  }
  ringClose(r);
  return result;
}

/* What comes. */

/**
 * Writes what is said of a frame into its slot. A checksum that was left to the network card is the core's to complete, but for a frame
 * that is yet to be cut into segments, and that can only go on as it is: what is said of it stays beside it.
 */
static void frameNote(uint8_t *slot, int ring, uint32_t tag, const struct virtio_net_hdr *offload, uint32_t len) {
  struct virtio_net_hdr kept = { 0 };
  int partial = (offload->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0, segments = offload->gso_type != VIRTIO_NET_HDR_GSO_NONE;
  if (segments) {
    kept = *offload;
    /* The tag is put back before the network header. */
    if (tag != 0 && partial) kept.csum_start = (uint16_t)(kept.csum_start + 4);
    if (tag != 0) kept.hdr_len = (uint16_t)(kept.hdr_len + 4);
  }
  wordPut(slot + CULVERT_PACKET_LEN, (int32_t)len);
  wordPut(slot + CULVERT_FRAME_INTERFACE, ring);
  wordPut(slot + CULVERT_FRAME_TAG, (int32_t)tag);
  wordPut(slot + CULVERT_FRAME_FLAGS, partial && !segments ? CULVERT_FRAME_FLAG_PARTIAL : 0);
  memcpy(slot + CULVERT_FRAME_OFFLOAD, &kept, sizeof kept);
}

/** The tag that the kernel has taken off, as the core wants it. */
static uint32_t tagOf(const struct tpacket2_hdr *h) {
  if ((h->tp_status & TP_STATUS_VLAN_VALID) == 0) return 0;
  uint32_t type = (h->tp_status & TP_STATUS_VLAN_TPID_VALID) != 0 ? h->tp_vlan_tpid : ETH_P_8021Q;
  return type << 16 | h->tp_vlan_tci;
}

/** Lays a frame at `slot`. One for which its place in the ring has no room waits in the socket's queue. Returns whether it is whole. */
static int frameLay(struct shim *s, int ring, const struct tpacket2_hdr *h, uint8_t *slot, uint32_t room) {
  const uint8_t *frame = (const uint8_t *)h + h->tp_mac;
  struct virtio_net_hdr offload;
  uint32_t len = h->tp_len;
  if ((h->tp_status & TP_STATUS_COPY) != 0) {
    struct iovec part[] = { { &offload, sizeof offload }, { slot + CULVERT_FRAME_BYTES, room } };
    struct msghdr message = { .msg_iov = part, .msg_iovlen = 2 };
    ssize_t n = recvmsg(s->ring[ring].socket, &message, MSG_DONTWAIT);
    if (n < (ssize_t)sizeof offload || (message.msg_flags & MSG_TRUNC) != 0) return 0;
    len = (uint32_t)n - (uint32_t)sizeof offload;
  } else {
    if (len > h->tp_snaplen || len > room) return 0;
    memcpy(&offload, frame - sizeof offload, sizeof offload);
    memcpy(slot + CULVERT_FRAME_BYTES, frame, len);
  }
  frameNote(slot, ring, tagOf(h), &offload, len);
  return 1;
}

/** Frames for which the kernel found no room in the ring, since it was asked last. */
static int ringLost(const struct ring *r) {
  struct tpacket_stats stats = { 0 };
  socklen_t size = sizeof stats;
  return getsockopt(r->socket, SOL_PACKET, PACKET_STATISTICS, &stats, &size) < 0 ? 0 : (int)stats.tp_drops;
}

/**
 * Fills slots with what waits in a ring. Returns how many; or LONG for one frame, longer than a slot, that lies at INPUT; 0: there are
 * no more. With LOST where some were lost.
 */
static int ringReceive(struct shim *s, int ring) {
  struct ring *r = &s->ring[ring];
  int n = 0, lost = 0, result = -1;
  while (n < BATCH && result < 0) {
    struct tpacket2_hdr *h = (struct tpacket2_hdr *)(void *)(r->frames + (size_t)r->at * RING_FRAME);
    uint32_t status = __atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE);
    int alone = h->tp_len > FRAME_ROOM || (status & TP_STATUS_COPY) != 0;
    if ((status & TP_STATUS_USER) == 0 || (alone && n > 0)) break;
    if ((status & TP_STATUS_LOSING) != 0) lost += ringLost(r);
    uint8_t *slot = s->memory + (alone ? CULVERT_INPUT : CULVERT_SLOTS + n * CULVERT_SLOT_SIZE);
    int whole = frameLay(s, ring, h, slot, alone ? FRAME_LONGEST : FRAME_ROOM);
    __atomic_store_n(&h->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
    r->at = (r->at + 1) % RING_FRAMES;
    if (!whole) lost++;
    else if (alone) result = LONG;
    else n++;
  }
  s->lost += lost;
  return (result < 0 ? n : result) | (lost > 0 ? LOST : 0);
}

/** Frames that were lost since this was asked last. */
int shim_lost(int shim, int a, int b) {
  (void)a, (void)b;
  int lost = shims[shim]->lost;
  shims[shim]->lost = 0;
  return lost;
}

/**
 * Was the checksum of UDP that has no options before it left to the network card? Then it is the sum of the pseudo header alone
 * (RFC 768, RFC 8200 8.1). A complete one that happens to look so comes out the same when it is completed.
 */
static int udpPartial(const uint8_t *frame) {
  int six = frame[ETH_HLEN] >> 4 == 6;
  const uint8_t *addresses = frame + ETH_HLEN + (six ? SIX_TO - 16 : FOUR_TO - 4), *udp = frame + ETH_HLEN + (six ? SIX_BYTES : FOUR_BYTES);
  uint64_t pseudo = sum(sum(htons(IPPROTO_UDP), addresses, six ? 32 : 8), udp + offsetof(struct udphdr, len), 2);
  uint16_t check;
  memcpy(&check, udp + offsetof(struct udphdr, check), sizeof check);
  return (check ^ folded(pseudo)) == 0xffff;
}

/** Fills slots with what AF_XDP has of a ring. Returns as ringReceive. */
static int xdpReceive(struct shim *s, int ring) {
  static const struct virtio_net_hdr whole = { 0 }, partial = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM };
  struct xsk *x = &s->ring[ring].xsk;
  uint32_t n = 0, len;
  for (const uint8_t *frame; n < BATCH && (frame = xskWaiting(x, n, &len)) != NULL; n++) {
    uint8_t *slot = s->memory + CULVERT_SLOTS + n * CULVERT_SLOT_SIZE;
    memcpy(slot + CULVERT_FRAME_BYTES, frame, len);
    frameNote(slot, ring, 0, udpPartial(frame) ? &partial : &whole, len);
  }
  int lost = xskPressed(x) ? xskLost(x) : 0;
  xskRead(x, n);
  s->lost += lost;
  return (int)n | (lost > 0 ? LOST : 0);
}

/** Fills slots with what comes by an interface: by AF_XDP and by the packet socket in turns, so that neither keeps the other waiting. */
static int interfaceReceive(struct shim *s, int ring) {
  struct ring *r = &s->ring[ring];
  if (r->xsk.link < 0) return ringReceive(s, ring);
  r->turn = !r->turn;
  int result = r->turn ? xdpReceive(s, ring) : ringReceive(s, ring);
  if (result != 0) return result;
  return r->turn ? ringReceive(s, ring) : xdpReceive(s, ring);
}
