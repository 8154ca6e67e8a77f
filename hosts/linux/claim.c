/*
 * UDP for ports of ours among the frames of an interface, claimed by a BPF program that goes away with the descriptor of its link. It is
 * withheld from the machine's own stack, which would look for a socket only to find the wide one deaf: dropped behind the packet
 * sockets (TCX, Linux 6.6); or it is diverted to AF_XDP before anybody sees it (XDP, Linux 5.18). Fragments, options and
 * tags go the long way, and so does all of it on an older kernel. Part of shim.c.
 */

/** Numbers of the kernel that older headers lack, or that stand among much else. */
enum { TCX_INGRESS = 46, TC_NEXT = -1, TC_DROP = 2, XDP_GO_ON = 2, XDP_AT_DRIVER = 1 << 2, XDP_AT_STACK = 1 << 1, XDP_LENGTH = 188, XDP_LOAD = 189 };
/** Bytes of headers, and where things stand in them (RFC 791 3.1, RFC 8200 3). */
enum { FOUR_BYTES = 20, FOUR_FRAGMENT = 6, FOUR_PROTOCOL = 9, FOUR_TO = 16, SIX_BYTES = 40, SIX_NEXT = 6, SIX_TO = 24, TYPE_AT = 12 };
/** Where on the program's stack a header is laid, and the ports behind it. */
enum { HEADER = -72, BEHIND = -32 };

#define COUNT(list) ((int)(sizeof list / sizeof *list))
#define SKB(name) offsetof(struct __sk_buff, name)
/** Lays `size` bytes of the frame at fp + to, by the function that the place has for that, or ends the program. */
#define LAY(from, to, size) \
  MOVE(1, 6), SET(2, from), MOVE(3, BPF_REG_10), WITH(BPF_ADD, 3, to), SET(4, size), CALL(load), IF(BPF_JNE, 0, 0, PASS)
/** Writes the address of the header as the core writes it to fp - 24, and the port behind it to fp - 8: what FIND looks up. */
#define KEY_FOUR \
  SET(2, 0), STORE(BPF_DW, -24, 2), SET(2, (int32_t)htonl(0xffff)), STORE(BPF_W, -16, 2), LOAD(BPF_W, 2, BPF_REG_10, HEADER + FOUR_TO), STORE(BPF_W, -12, 2)
#define KEY_SIX LOAD(BPF_DW, 2, BPF_REG_10, HEADER + SIX_TO), STORE(BPF_DW, -24, 2), LOAD(BPF_DW, 2, BPF_REG_10, HEADER + SIX_TO + 8), STORE(BPF_DW, -16, 2)
#define KEY_PORT LOAD(BPF_H, 2, BPF_REG_10, BEHIND + 2), INSN(BPF_ALU | BPF_END | BPF_TO_BE, 2, 0, 0, 16), STORE(BPF_W, -8, 2)
enum { LAY_LENGTH = 7, KEY_FOUR_LENGTH = 6, KEY_SIX_LENGTH = 4, CLAIM_LONGEST = 96 };

/** Goes on behind the last instruction when the frame is UDP for a port of ours, without tags, options and fragments. Returns how many instructions. */
static int claimWrite(struct bpf_insn *to, int load, const struct steering *s) {
  const struct bpf_insn code[] = {
    LAY(TYPE_AT, BEHIND, 2), LOAD(BPF_H, 2, BPF_REG_10, BEHIND), IF(BPF_JEQ, 2, htons(ETH_P_IPV6), LAY_LENGTH * 2 + KEY_FOUR_LENGTH + 7),
    /* IPv4. */
    IF(BPF_JNE, 2, htons(ETH_P_IP), PASS),
    LAY(ETH_HLEN, HEADER, FOUR_BYTES), LOAD(BPF_B, 2, BPF_REG_10, HEADER), IF(BPF_JNE, 2, 0x45, PASS),
    LOAD(BPF_H, 2, BPF_REG_10, HEADER + FOUR_FRAGMENT), IF(BPF_JSET, 2, htons(0x3fff), PASS),
    LOAD(BPF_B, 8, BPF_REG_10, HEADER + FOUR_PROTOCOL),
    KEY_FOUR,
    LAY(ETH_HLEN + FOUR_BYTES, BEHIND, 4), INSN(BPF_JMP | BPF_JA, 0, 0, LAY_LENGTH * 2 + KEY_SIX_LENGTH + 1, 0),
    /* IPv6, the same. */
    LAY(ETH_HLEN, HEADER, SIX_BYTES), LOAD(BPF_B, 8, BPF_REG_10, HEADER + SIX_NEXT),
    KEY_SIX, LAY(ETH_HLEN + SIX_BYTES, BEHIND, 4),
    /* UDP for a port of ours? */
    IF(BPF_JNE, 8, IPPROTO_UDP, PASS),
    KEY_PORT, FIND(s->addresses, -24), LOAD(BPF_W, 7, 0, 0), FIND(s->portMap, -8), MOVE(8, 0), BITS(2, offsetof(struct port, ours)), IF(BPF_JEQ, 2, 0, PASS),
  };
  memcpy(to, code, sizeof code);
  return COUNT(code);
}

/** Loads a program of what comes before, the claim, what becomes of claimed frames, and of others. Returns a descriptor. */
static int claimLoad(uint32_t type, uint32_t attach, const struct bpf_insn *before, int n, int load, const struct steering *s, const struct bpf_insn *after, int m) {
  struct bpf_insn code[CLAIM_LONGEST];
  memcpy(code, before, (size_t)n * sizeof *code);
  n += claimWrite(code + n, load, s);
  memcpy(code + n, after, (size_t)m * sizeof *code);
  return programLoad(type, attach, code, n + m);
}

static int claimLink(int program, int interface, uint32_t attach, uint32_t flags) {
  union bpf_attr a = { .link_create = { .prog_fd = (uint32_t)program, .target_ifindex = (uint32_t)interface, .attach_type = attach, .flags = flags } };
  return program < 0 ? -1 : bpf(BPF_LINK_CREATE, &a, sizeof a);
}

/** Withholds what comes by an interface. Returns the descriptor of the link, or -1 where the kernel cannot. */
static int withhold(const struct steering *s, int interface) {
  const struct bpf_insn before[] = { MOVE(6, 1), LOAD(BPF_W, 2, 6, SKB(vlan_present)), IF(BPF_JNE, 2, 0, PASS) };
  const struct bpf_insn after[] = { SET(0, TC_DROP), INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0), SET(0, TC_NEXT), INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0) };
  int program = claimLoad(BPF_PROG_TYPE_SCHED_CLS, 0, before, COUNT(before), BPF_FUNC_skb_load_bytes, s, after, COUNT(after));
  int link = claimLink(program, interface, TCX_INGRESS, 0);
  if (program >= 0) close(program);
  return link;
}

/**
 * Diverts what comes by an interface, and has room in `most` bytes, to the AF_XDP socket of its queue in `sockets`, by the device's driver or, where that cannot, at the stack's door. Where the queue
 * has none it goes on. Returns the descriptor of the link, or -1.
 */
static int divert(const struct steering *s, int interface, int sockets, int most) {
  const struct bpf_insn before[] = { MOVE(6, 1), CALL(XDP_LENGTH), IF(BPF_JGT, 0, most, PASS) };
  const struct bpf_insn after[] = {
    LOAD(BPF_W, 2, 6, offsetof(struct xdp_md, rx_queue_index)), INSN(BPF_LD | BPF_DW | BPF_IMM, 1, BPF_PSEUDO_MAP_FD, 0, sockets), INSN(0, 0, 0, 0, 0),
    SET(3, XDP_GO_ON), CALL(BPF_FUNC_redirect_map), INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0), SET(0, XDP_GO_ON), INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
  };
  int program = claimLoad(BPF_PROG_TYPE_XDP, BPF_XDP, before, COUNT(before), XDP_LOAD, s, after, COUNT(after));
  int link = claimLink(program, interface, BPF_XDP, XDP_AT_DRIVER);
  if (link < 0) link = claimLink(program, interface, BPF_XDP, XDP_AT_STACK);
  if (program >= 0) close(program);
  return link;
}
