/*
 * Which packets the wide sockets of the shim get: a BPF program at the kernel's socket look-up (BPF_PROG_TYPE_SK_LOOKUP, Linux
 * 5.9), which finds the index of the local address and then the bits of the port. No rules, no routes; it goes away with the
 * descriptor of its link. Part of shim.c.
 */
static int bpf(int command, union bpf_attr *attribute, size_t size) {
  return (int)syscall(SYS_bpf, command, attribute, size);
}

static int mapMake(uint32_t type, uint32_t key, uint32_t value, uint32_t entries, uint32_t flags) {
  union bpf_attr a = { .map_type = type, .key_size = key, .value_size = value, .max_entries = entries, .map_flags = flags };
  return bpf(BPF_MAP_CREATE, &a, sizeof a);
}

static int mapSet(int map, const void *key, const void *value) {
  union bpf_attr a = { .map_fd = (uint32_t)map, .key = (uintptr_t)key, .value = (uintptr_t)value };
  return bpf(BPF_MAP_UPDATE_ELEM, &a, sizeof a);
}

#define INSN(c, d, s, o, i) ((struct bpf_insn){ .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) })
#define LOAD(size, d, s, o) INSN(BPF_LDX | BPF_MEM | (size), d, s, o, 0)
#define STORE(size, o, s) INSN(BPF_STX | BPF_MEM | (size), BPF_REG_10, s, o, 0)
#define MOVE(d, s) INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define SET(d, i) INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define WITH(op, d, i) INSN(BPF_ALU64 | (op) | BPF_K, d, 0, 0, i)
#define CALL(f) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, f)
#define IF(op, d, i, o) INSN(BPF_JMP | (op) | BPF_K, d, 0, o, i)
#define FIELD(name) offsetof(struct bpf_sk_lookup, name)
/** Looks up the key at fp + o: r0 is its value, or the program ends. */
#define FIND(map, o)                                                                                                    \
  INSN(BPF_LD | BPF_DW | BPF_IMM, 1, BPF_PSEUDO_MAP_FD, 0, map), INSN(0, 0, 0, 0, 0), MOVE(2, BPF_REG_10), WITH(BPF_ADD, 2, o), \
    CALL(BPF_FUNC_map_lookup_elem), IF(BPF_JEQ, 0, 0, PASS)

/** Stands for the distance to the last two instructions. */
enum { PASS = 0x7fff };

/** Gives a packet for a port of ours to the wide socket of its kind, and every other its own way. Returns a descriptor. */
static int programLoad(int addressMap, int portMap, int socketMap) {
  struct bpf_insn code[] = {
    MOVE(6, 1), LOAD(BPF_W, 2, 6, FIELD(protocol)), IF(BPF_JNE, 2, IPPROTO_UDP, PASS),
    /* The local address, as the core writes it, to fp - 16. */
    LOAD(BPF_W, 2, 6, FIELD(family)), IF(BPF_JEQ, 2, AF_INET6, 7),
    SET(2, 0), STORE(BPF_DW, -16, 2), SET(2, (int32_t)htonl(0xffff)), STORE(BPF_W, -8, 2),
    LOAD(BPF_W, 2, 6, FIELD(local_ip4)), STORE(BPF_W, -4, 2), INSN(BPF_JMP | BPF_JA, 0, 0, 8, 0),
    LOAD(BPF_W, 2, 6, FIELD(local_ip6)), STORE(BPF_W, -16, 2), LOAD(BPF_W, 2, 6, FIELD(local_ip6) + 4), STORE(BPF_W, -12, 2),
    LOAD(BPF_W, 2, 6, FIELD(local_ip6) + 8), STORE(BPF_W, -8, 2), LOAD(BPF_W, 2, 6, FIELD(local_ip6) + 12), STORE(BPF_W, -4, 2),
    /* Its index, r7; the bits of the port, r8; is that one set? */
    FIND(addressMap, -16), LOAD(BPF_W, 7, 0, 0), LOAD(BPF_W, 2, 6, FIELD(local_port)), STORE(BPF_W, -20, 2),
    FIND(portMap, -20), LOAD(BPF_DW, 8, 0, 0), INSN(BPF_ALU64 | BPF_RSH | BPF_X, 8, 7, 0, 0), MOVE(2, 8), WITH(BPF_AND, 2, 1), IF(BPF_JEQ, 2, 0, PASS),
    /* The kind of socket, and that socket. */
    WITH(BPF_RSH, 8, 32), WITH(BPF_AND, 8, 1), STORE(BPF_W, -24, 8),
    FIND(socketMap, -24), MOVE(7, 0), MOVE(1, 6), MOVE(2, 0), SET(3, 0), CALL(BPF_FUNC_sk_assign), MOVE(1, 7), CALL(BPF_FUNC_sk_release),
    SET(0, SK_PASS), INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
  };
  enum { COUNT = sizeof code / sizeof *code };
  for (int i = 0; i < COUNT; i++)
    if (code[i].off == PASS) code[i].off = (int16_t)(COUNT - 2 - i - 1);
  union bpf_attr a = { .prog_type = BPF_PROG_TYPE_SK_LOOKUP, .expected_attach_type = BPF_SK_LOOKUP, .insns = (uintptr_t)code,
                       .insn_cnt = COUNT, .license = (uintptr_t) "Apache-2.0" };
  return bpf(BPF_PROG_LOAD, &a, sizeof a);
}

/** For each port one bit an address: it is ours; in the upper half: for signaling. */
#define OURS(address) (1ull << (address))
#define SIGNALING(address) (1ull << ((address) + 32))

struct steering {
  /** Descriptors. */
  int link, addresses;
  /** Shared with the program. */
  uint64_t *ports;
};

/** Attaches the program to this network namespace. `queue` has the wide sockets. Returns 0 or an errno, negative. */
static int steeringOpen(struct steering *s, const int *queue) {
  s->link = -1;
  s->ports = MAP_FAILED;
  s->addresses = mapMake(BPF_MAP_TYPE_HASH, 16, 4, ADDRESSES, 0);
  int ports = mapMake(BPF_MAP_TYPE_ARRAY, 4, 8, PORTS, BPF_F_MMAPABLE);
  int sockets = mapMake(BPF_MAP_TYPE_SOCKMAP, 4, 8, QUEUES, 0);
  int program = -1, space = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  int failed = s->addresses < 0 || ports < 0 || sockets < 0 || space < 0;
  for (uint32_t i = 0; i < QUEUES && !failed; i++) {
    uint64_t socket = (uint64_t)queue[i];
    failed = mapSet(sockets, &i, &socket) < 0;
  }
  if (!failed) failed = (program = programLoad(s->addresses, ports, sockets)) < 0;
  if (!failed) failed = (s->ports = mmap(NULL, PORTS * 8, PROT_READ | PROT_WRITE, MAP_SHARED, ports, 0)) == MAP_FAILED;
  if (!failed) {
    union bpf_attr a = { .link_create = { .prog_fd = (uint32_t)program, .target_fd = (uint32_t)space, .attach_type = BPF_SK_LOOKUP } };
    failed = (s->link = bpf(BPF_LINK_CREATE, &a, sizeof a)) < 0;
  }
  int result = failed ? -errno : 0;
  int done[] = { ports, sockets, program, space };
  for (int i = 0; i < 4; i++)
    if (done[i] >= 0) close(done[i]);
  return result;
}

static void steeringClose(struct steering *s) {
  if (s->link >= 0) close(s->link);
  if (s->addresses >= 0) close(s->addresses);
  if (s->ports != MAP_FAILED) munmap(s->ports, PORTS * 8);
}
