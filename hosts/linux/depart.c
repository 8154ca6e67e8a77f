/*
 * What leaves by the shim: headers of IP and UDP before the bytes where they stand, or frames that have them, and one call for all of
 * a kind. Part of shim.c.
 */

/** Fills in the UDP header; `pseudo` is the sum of the addresses. */
static void udpWrite(struct udphdr *udp, const uint8_t *record, uint64_t pseudo, const uint8_t *payload, int len) {
  uint16_t all = htons((uint16_t)(len + (int)sizeof *udp));
  *udp = (struct udphdr){ .source = htons((uint16_t)word(record + CULVERT_OUTPUT_LOCAL_PORT)), .dest = htons((uint16_t)word(record + CULVERT_OUTPUT_REMOTE_PORT)), .len = all };
  uint16_t check = folded(sum(pseudo + htons(IPPROTO_UDP) + all + udp->source + udp->dest + all, payload, (size_t)len));
  udp->check = check == 0 ? 0xffff : check;
}

/** Queues what a record wants sent. A packet may be cut on its way (no DF): its length is that of the one that came, or ours to choose. */
static void departureAdd(struct shim *s, const uint8_t *record, const uint8_t *payload, int len) {
  const uint8_t *local = record + CULVERT_OUTPUT_LOCAL, *remote = record + CULVERT_OUTPUT_REMOTE;
  int six = !isFour(remote);
  struct departure *d = &s->out[six ? SIX : FOUR];
  union head *head = &d->head[d->n];
  uint8_t traffic = (uint8_t)word(record + CULVERT_OUTPUT_DETAIL);
  place(&d->to[d->n], remote, 0);
  if (six) {
    head->six.ip = (struct ip6_hdr){ .ip6_flow = htonl(6u << 28 | (uint32_t)traffic << 20), .ip6_plen = htons((uint16_t)(len + 8)), .ip6_nxt = IPPROTO_UDP, .ip6_hlim = IPDEFTTL };
    memcpy(&head->six.ip.ip6_src, local, 16);
    memcpy(&head->six.ip.ip6_dst, remote, 16);
    udpWrite(&head->six.udp, record, sum(sum(0, local, 16), remote, 16), payload, len);
  } else {
    /* The kernel fills in length, identification and check sum. */
    head->four.ip = (struct iphdr){ .version = 4, .ihl = 5, .tos = traffic, .ttl = IPDEFTTL, .protocol = IPPROTO_UDP };
    memcpy(&head->four.ip.saddr, local + 12, 4);
    memcpy(&head->four.ip.daddr, remote + 12, 4);
    udpWrite(&head->four.udp, record, sum(sum(0, local + 12, 4), remote + 12, 4), payload, len);
  }
  d->part[d->n][1] = (struct iovec){ (void *)(uintptr_t)payload, (size_t)len };
  d->record[d->n++] = record;
}

/** Queues a frame; one that goes on as it came from a slot, or from INPUT, with what was said of its segments. Returns whether there is such an interface. */
static int frameAdd(struct shim *s, const uint8_t *record, uint32_t frame, int len) {
  struct departure *d = &s->out[FRAMES];
  int kind = word(record + CULVERT_OUTPUT_KIND), i = word(record + CULVERT_OUTPUT_VALUE);
  int slotted = frame >= CULVERT_SLOTS && frame < CULVERT_SLOTS + BATCH * CULVERT_SLOT_SIZE;
  uint32_t slot = slotted ? frame - (frame - CULVERT_SLOTS) % CULVERT_SLOT_SIZE : CULVERT_INPUT;
  if (i < 0 || i >= s->rings) return 0;
  if (kind == CULVERT_OUTPUT_FRAME && xskLay(&s->ring[i].xsk, s->memory + frame, (uint32_t)len)) return 1;
  struct sockaddr_ll *to = (struct sockaddr_ll *)(void *)&d->to[d->n];
  *to = (struct sockaddr_ll){ .sll_family = AF_PACKET, .sll_ifindex = s->ring[i].interface };
  d->head[d->n].offload = (struct virtio_net_hdr){ 0 };
  if (kind == CULVERT_OUTPUT_BRIDGE && (slotted || (frame >= CULVERT_INPUT && frame < CULVERT_INPUT + CULVERT_INPUT_SIZE)))
    memcpy(&d->head[d->n].offload, s->memory + slot + CULVERT_FRAME_OFFLOAD, sizeof d->head[d->n].offload);
  d->part[d->n][1] = (struct iovec){ s->memory + frame, (size_t)len };
  d->record[d->n++] = record;
  return 1;
}

/** Sends what is longer than a frame by the socket that holds its port. Returns whether that could be done. */
static int longSend(struct shim *s, const uint8_t *record, const struct iovec *payload) {
  struct sockaddr_in6 to;
  socklen_t length = place(&to, record + CULVERT_OUTPUT_REMOTE, word(record + CULVERT_OUTPUT_REMOTE_PORT));
  memcpy(&s->exchange[EXCHANGE_ADDRESS], record + CULVERT_OUTPUT_LOCAL, 16);
  int i = addressIndex(s, 0), port = word(record + CULVERT_OUTPUT_LOCAL_PORT);
  if (i < 0 || s->held[i][port] == 0) return 0;
  union {
    struct cmsghdr head;
    uint8_t bytes[CMSG_SPACE(sizeof(int))];
  } traffic = { .head = { .cmsg_len = CMSG_LEN(sizeof(int)) } };
  int six = to.sin6_family == AF_INET6, class = word(record + CULVERT_OUTPUT_DETAIL);
  traffic.head.cmsg_level = six ? IPPROTO_IPV6 : IPPROTO_IP;
  traffic.head.cmsg_type = six ? IPV6_TCLASS : IP_TOS;
  memcpy(CMSG_DATA(&traffic.head), &class, sizeof class);
  struct msghdr message = { .msg_name = &to, .msg_namelen = length, .msg_iov = (struct iovec *)(uintptr_t)payload, .msg_iovlen = 1, .msg_control = &traffic, .msg_controllen = sizeof traffic };
  return sendmsg(s->held[i][port] - 1, &message, 0) >= 0;
}

/** Returns how many could not be sent. */
static int depart(struct shim *s, struct departure *d) {
  int failed = 0;
  for (int at = 0; at < d->n;) {
    int sent = sendmmsg(d->socket, d->message + at, (unsigned)(d->n - at), 0);
    if (sent > 0) {
      at += sent;
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EMSGSIZE || d == &s->out[FRAMES] || !longSend(s, d->record[at], &d->part[at][1])) {
      s->failure = errno;
      failed++;
    }
    at++;
  }
  d->n = 0;
  return failed;
}

/** Returns how many could not be sent. */
static int xskDepart(struct shim *s, struct xsk *x) {
  int failed = xskSend(x);
  if (failed > 0) s->failure = errno;
  return failed;
}

/** Sends the first `n` records of `exchange`. Returns how many could not be sent. */
int shim_send(int shim, int n, int unused) {
  (void)unused;
  struct shim *s = shims[shim];
  int failed = 0;
  for (int i = 0; i < n && i < BATCH; i++) {
    const uint8_t *record = s->memory + (uint32_t)s->exchange[i];
    uint32_t payload = (uint32_t)word(record + CULVERT_OUTPUT_PAYLOAD);
    int len = word(record + CULVERT_OUTPUT_LEN);
    int kind = word(record + CULVERT_OUTPUT_KIND), framed = kind == CULVERT_OUTPUT_FRAME || kind == CULVERT_OUTPUT_BRIDGE;
    if (len < 0 || len > LONGEST || payload > s->size || (size_t)len > s->size - payload) failed++;
    else if (!framed) departureAdd(s, record, s->memory + payload, len);
    else if (!frameAdd(s, record, payload, len)) failed++;
  }
  for (int i = 0; i < s->rings; i++) failed += xskDepart(s, &s->ring[i].xsk);
  for (int kind = 0; kind < DEPARTURES; kind++) failed += depart(s, &s->out[kind]);
  return failed;
}

/** errno of the last send that failed, negative. */
int shim_failure(int shim, int a, int b) {
  (void)a, (void)b;
  return -shims[shim]->failure;
}
