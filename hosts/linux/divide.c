/*
 * Which frames of an interface a worker's ring hears, where several workers have one each (SPEC A1): what is for ports of its own, what its
 * terminals send, and what takes a core to tell whose it is: fragments, options, ICMP, and what is behind tags or labels in the frame. All
 * else is the first worker's. The core says the same of every frame (table/share.ts), so here no more is at stake than its time. Part of shim.c.
 */

/** Where a program goes on: with the last instructions that drop the frame, that take it, or that ask whose terminal it is from. */
enum { DROP = PASS - 2, TAKE = PASS - 4, WEIGH = TAKE - MINE_LENGTH };
/** Where on the program's stack the source address stands, as MINE wants it. */
enum { FROM_SIX = -96, FROM_FOUR = -80, FOUR_FROM = 12, SIX_FROM = 8 };
enum { MPLS = 0x8847, TAG = 0x8100, OUTER_TAG = 0x88a8 };

#define LEAVE(value) SET(0, value), INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

/** Loads the program. Returns a descriptor. */
static int divideLoad(const struct steering *s) {
  const int load = BPF_FUNC_skb_load_bytes;
  const int unknown = s->share.index == 0 ? TAKE : WEIGH;
  struct bpf_insn code[] = {
    MOVE(6, 1),
    LAY(TYPE_AT, BEHIND, 2), LOAD(BPF_H, 2, BPF_REG_10, BEHIND),
    IF(BPF_JEQ, 2, htons(MPLS), TAKE), IF(BPF_JEQ, 2, htons(TAG), TAKE), IF(BPF_JEQ, 2, htons(OUTER_TAG), TAKE),
    IF(BPF_JEQ, 2, htons(ETH_P_IPV6), LAY_LENGTH * 2 + KEY_FOUR_LENGTH + 12), IF(BPF_JNE, 2, htons(ETH_P_IP), PASS),
    /* IPv4. */
    LAY(ETH_HLEN, HEADER, FOUR_BYTES), LOAD(BPF_B, 2, BPF_REG_10, HEADER), IF(BPF_JNE, 2, 0x45, TAKE),
    LOAD(BPF_H, 2, BPF_REG_10, HEADER + FOUR_FRAGMENT), IF(BPF_JSET, 2, htons(0x3fff), TAKE),
    LOAD(BPF_B, 8, BPF_REG_10, HEADER + FOUR_PROTOCOL),
    KEY_FOUR, LOAD(BPF_W, 2, BPF_REG_10, HEADER + FOUR_FROM), STORE(BPF_W, FROM_FOUR, 2), SET(2, 0), STORE(BPF_DW, FROM_SIX, 2), STORE(BPF_DW, FROM_SIX + 8, 2),
    LAY(ETH_HLEN + FOUR_BYTES, BEHIND, 4), INSN(BPF_JMP | BPF_JA, 0, 0, LAY_LENGTH * 2 + KEY_SIX_LENGTH + 7, 0),
    /* IPv6, the same. */
    LAY(ETH_HLEN, HEADER, SIX_BYTES), LOAD(BPF_B, 8, BPF_REG_10, HEADER + SIX_NEXT),
    KEY_SIX, LOAD(BPF_DW, 2, BPF_REG_10, HEADER + SIX_FROM), STORE(BPF_DW, FROM_SIX, 2), LOAD(BPF_DW, 2, BPF_REG_10, HEADER + SIX_FROM + 8), STORE(BPF_DW, FROM_SIX + 8, 2),
    SET(2, 0), STORE(BPF_W, FROM_FOUR, 2), LAY(ETH_HLEN + SIX_BYTES, BEHIND, 4),
    /* What may have UDP of ours in it, or speak of it; and UDP. */
    IF(BPF_JEQ, 8, IPPROTO_ICMP, TAKE), IF(BPF_JEQ, 8, IPPROTO_ICMPV6, TAKE), IF(BPF_JEQ, 8, IPPROTO_HOPOPTS, TAKE), IF(BPF_JEQ, 8, IPPROTO_ROUTING, TAKE),
    IF(BPF_JEQ, 8, IPPROTO_FRAGMENT, TAKE), IF(BPF_JEQ, 8, IPPROTO_DSTOPTS, TAKE), IF(BPF_JNE, 8, IPPROTO_UDP, PASS),
    KEY_PORT,
    FIND_OR(s->addresses, -24, unknown), LOAD(BPF_W, 7, 0, 0), FIND(s->portMap, -8), MOVE(8, 0),
    BITS(2, offsetof(struct port, others)), IF(BPF_JNE, 2, 0, DROP),
    BITS(2, offsetof(struct port, shared)), IF(BPF_JNE, 2, 0, WEIGH),
    BITS(2, offsetof(struct port, ours)), IF(BPF_JNE, 2, 0, TAKE), INSN(BPF_JMP | BPF_JA, 0, 0, unknown, 0),
    MINE(s->share, s->share.byPort, BPF_REG_10, FROM_FOUR, FROM_SIX, BPF_H, BEHIND, DROP),
    LEAVE(-1), LEAVE(0), LEAVE(s->share.index == 0 ? -1 : 0),
  };
  return programLoad(BPF_PROG_TYPE_SOCKET_FILTER, 0, code, COUNT(code));
}

/** Has a packet socket hear what is for this worker, where there are several. Returns 0 or an errno, negative. */
static int divide(const struct steering *s, int socket) {
  if (s->share.count == 1) return 0;
  int program = divideLoad(s);
  int result = program < 0 || setsockopt(socket, SOL_SOCKET, SO_ATTACH_BPF, &program, sizeof program) < 0 ? -errno : 0;
  if (program >= 0) close(program);
  return result;
}
