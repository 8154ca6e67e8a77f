/*
 * What comes by the wide sockets of the shim: as many packets as there are slots by one call, each with what it was sent to and its traffic class,
 * straight into the core's memory. Part of shim.c.
 */

/** Writes what a packet was sent to, and its traffic class, into its slot. */
static void controlPut(uint8_t *slot, struct msghdr *message) {
  for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
    if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_ORIGDSTADDR) {
      struct sockaddr_in to;
      memcpy(&to, CMSG_DATA(c), sizeof to);
      memcpy(slot + CULVERT_PACKET_DESTINATION, MAPPED, 12);
      memcpy(slot + CULVERT_PACKET_DESTINATION + 12, &to.sin_addr, 4);
      wordPut(slot + CULVERT_PACKET_DESTINATION_PORT, ntohs(to.sin_port));
    } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_ORIGDSTADDR) {
      struct sockaddr_in6 to;
      memcpy(&to, CMSG_DATA(c), sizeof to);
      memcpy(slot + CULVERT_PACKET_DESTINATION, &to.sin6_addr, 16);
      wordPut(slot + CULVERT_PACKET_DESTINATION_PORT, ntohs(to.sin6_port));
    } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS) {
      wordPut(slot + CULVERT_PACKET_TRAFFIC, *CMSG_DATA(c));
    } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_TCLASS) {
      memcpy(slot + CULVERT_PACKET_TRAFFIC, CMSG_DATA(c), sizeof(int));
    }
  }
}

static void sourcePut(uint8_t *slot, const struct sockaddr_in6 *from) {
  if (from->sin6_family == AF_INET6) {
    memcpy(slot + CULVERT_PACKET_SOURCE, &from->sin6_addr, 16);
  } else {
    memcpy(slot + CULVERT_PACKET_SOURCE, MAPPED, 12);
    memcpy(slot + CULVERT_PACKET_SOURCE + 12, &((const struct sockaddr_in *)(const void *)from)->sin_addr, 4);
  }
  wordPut(slot + CULVERT_PACKET_SOURCE_PORT, ntohs(from->sin6_port));
}

/** Reads as many packets as there are slots. Returns how many came, with LONG if one of them goes on beyond its slot. Fewer: there are no more. */
static int wideReceive(struct shim *s, int queue) {
  struct arrival *in = &s->in;
  for (int i = 0; i < BATCH; i++) {
    in->message[i].msg_hdr.msg_namelen = sizeof in->from[i];
    in->message[i].msg_hdr.msg_controllen = sizeof in->control[i];
  }
  int n = recvmmsg(s->queue[queue], in->message, BATCH, MSG_DONTWAIT, NULL);
  int lengths = 0;
  for (int i = 0; i < n; i++) {
    uint8_t *slot = s->memory + CULVERT_SLOTS + i * CULVERT_SLOT_SIZE;
    wordPut(slot + CULVERT_PACKET_LEN, (int32_t)in->message[i].msg_len);
    wordPut(slot + CULVERT_PACKET_PROTOCOL, CULVERT_PROTOCOL_UDP);
    wordPut(slot + CULVERT_PACKET_VPN, -1);
    wordPut(slot + CULVERT_PACKET_VLAN, -1);
    wordPut(slot + CULVERT_PACKET_MPLS, -1);
    wordPut(slot + CULVERT_PACKET_TRAFFIC, 0);
    wordPut(slot + CULVERT_PACKET_DESTINATION_PORT, 0);
    sourcePut(slot, &in->from[i]);
    controlPut(slot, &in->message[i].msg_hdr);
    if (in->message[i].msg_len > ROOM) lengths = LONG;
  }
  return n < 0 ? 0 : n | lengths;
}

/** Fills slots with what came by a queue: wideReceive, or interfaceReceive. */
int shim_receive(int shim, int queue, int unused) {
  (void)unused;
  struct shim *s = shims[shim];
  int result = queue < QUEUES ? wideReceive(s, queue) : interfaceReceive(s, queue - QUEUES);
  s->pace[queue].packets += result & (LONG - 1);
  s->pace[queue].left = queue < QUEUES ? (result & (LONG - 1)) == BATCH : result != 0;
  return result;
}

/** Lays the packet of a slot, of any length, at INPUT. Returns its length. */
int shim_lay(int shim, int i, int unused) {
  (void)unused;
  struct shim *s = shims[shim];
  const uint8_t *slot = s->memory + CULVERT_SLOTS + i * CULVERT_SLOT_SIZE;
  uint8_t *input = s->memory + CULVERT_INPUT;
  int length = word(slot + CULVERT_PACKET_LEN);
  if (length > CULVERT_INPUT_SIZE - CULVERT_PACKET_PAYLOAD) length = CULVERT_INPUT_SIZE - CULVERT_PACKET_PAYLOAD;
  memcpy(input, slot, (size_t)(CULVERT_PACKET_PAYLOAD + (length < ROOM ? length : ROOM)));
  if (length > ROOM) memcpy(input + CULVERT_SLOT_SIZE, s->in.rest[i], (size_t)(length - ROOM));
  return length;
}
