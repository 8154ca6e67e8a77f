/*
 * What the core takes by a ring is withheld from the machine's own stack, which would look for a socket only to find the wide one
 * deaf: a BPF program where frames come in (TCX, Linux 6.6), behind the packet sockets, drops UDP for ports of ours. Fragments, options and
 * tags go the long way, and so does all of it on an older kernel. It goes away with the descriptor of its link. Part of shim.c.
 */

/** Numbers of the kernel that older headers lack, or that stand among much else. */
enum { TCX_INGRESS = 46, TC_NEXT = -1, TC_DROP = 2 };
/** Bytes of headers, and where things stand in them (RFC 791 3.1, RFC 8200 3). */
enum { FOUR_BYTES = 20, FOUR_FRAGMENT = 6, FOUR_PROTOCOL = 9, FOUR_TO = 16, SIX_BYTES = 40, SIX_NEXT = 6, SIX_TO = 24 };
/** Where on the program's stack a header is laid, and the ports behind it. */
enum { HEADER = -72, BEHIND = -32 };

#define SKB(name) offsetof(struct __sk_buff, name)
/** Lays `size` bytes of the frame at fp + to, or ends the program. */
#define LAY(from, to, size) \
  MOVE(1, 6), SET(2, from), MOVE(3, BPF_REG_10), WITH(BPF_ADD, 3, to), SET(4, size), CALL(BPF_FUNC_skb_load_bytes), IF(BPF_JNE, 0, 0, PASS)
enum { LAY_LENGTH = 7 };

/** Loads the program. Returns a descriptor. */
static int withholdLoad(int addressMap, int portMap) {
  struct bpf_insn code[] = {
    MOVE(6, 1),
    LOAD(BPF_W, 2, 6, SKB(vlan_present)), IF(BPF_JNE, 2, 0, PASS),
    LOAD(BPF_W, 2, 6, SKB(protocol)), IF(BPF_JEQ, 2, htons(ETH_P_IPV6), LAY_LENGTH * 2 + 13),
    /* IPv4: the address as the core writes it to fp - 24. */
    IF(BPF_JNE, 2, htons(ETH_P_IP), PASS),
    LAY(ETH_HLEN, HEADER, FOUR_BYTES), LOAD(BPF_B, 2, BPF_REG_10, HEADER), IF(BPF_JNE, 2, 0x45, PASS),
    LOAD(BPF_H, 2, BPF_REG_10, HEADER + FOUR_FRAGMENT), IF(BPF_JSET, 2, htons(0x3fff), PASS),
    LOAD(BPF_B, 8, BPF_REG_10, HEADER + FOUR_PROTOCOL),
    SET(2, 0), STORE(BPF_DW, -24, 2), SET(2, (int32_t)htonl(0xffff)), STORE(BPF_W, -16, 2), LOAD(BPF_W, 2, BPF_REG_10, HEADER + FOUR_TO), STORE(BPF_W, -12, 2),
    LAY(ETH_HLEN + FOUR_BYTES, BEHIND, 4), INSN(BPF_JMP | BPF_JA, 0, 0, LAY_LENGTH * 2 + 5, 0),
    /* IPv6, the same. */
    LAY(ETH_HLEN, HEADER, SIX_BYTES), LOAD(BPF_B, 8, BPF_REG_10, HEADER + SIX_NEXT),
    LOAD(BPF_DW, 2, BPF_REG_10, HEADER + SIX_TO), STORE(BPF_DW, -24, 2), LOAD(BPF_DW, 2, BPF_REG_10, HEADER + SIX_TO + 8), STORE(BPF_DW, -16, 2),
    LAY(ETH_HLEN + SIX_BYTES, BEHIND, 4),
    /* UDP for a port of ours? */
    IF(BPF_JNE, 8, IPPROTO_UDP, PASS),
    LOAD(BPF_H, 2, BPF_REG_10, BEHIND + 2), INSN(BPF_ALU | BPF_END | BPF_TO_BE, 2, 0, 0, 16), STORE(BPF_W, -8, 2),
    FIND(addressMap, -24), LOAD(BPF_W, 7, 0, 0), FIND(portMap, -8), MOVE(8, 0), BITS(2, offsetof(struct port, ours)), IF(BPF_JEQ, 2, 0, PASS),
    SET(0, TC_DROP), INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
    SET(0, TC_NEXT), INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
  };
  return programLoad(BPF_PROG_TYPE_SCHED_CLS, 0, code, sizeof code / sizeof *code);
}

/** Withholds what comes by an interface. Returns the descriptor of the link, or -1 where the kernel cannot. */
static int withhold(const struct steering *s, int interface) {
  int program = withholdLoad(s->addresses, s->portMap);
  if (program < 0) return -1;
  union bpf_attr a = { .link_create = { .prog_fd = (uint32_t)program, .target_ifindex = (uint32_t)interface, .attach_type = TCX_INGRESS } };
  int link = bpf(BPF_LINK_CREATE, &a, sizeof a);
  close(program);
  return link;
}
