/*
 * Which packets the wide sockets of the shim get: a BPF program at the kernel's socket look-up (BPF_PROG_TYPE_SK_LOOKUP, Linux
 * 5.9), which finds the index of the local address and then the bits of the port. No rules, no routes; it goes away with the
 * descriptor of its link. Part of shim.c.
 */
/** What is said of a port, one bit an address: is it ours, for signaling, other workers' as well, theirs alone? */
struct port {
  uint32_t ours, signaling, shared, others;
};

/** What connections come to, as the program looks it up. */
struct listening {
  uint8_t address[16];
  uint32_t port;
};

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
#define SHORT(op, d, i) INSN(BPF_ALU | (op) | BPF_K, d, 0, 0, i)
#define MIX(d, s) INSN(BPF_ALU64 | BPF_XOR | BPF_X, d, s, 0, 0)
#define CALL(f) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, f)
#define IF(op, d, i, o) INSN(BPF_JMP | (op) | BPF_K, d, 0, o, i)
#define FIELD(name) offsetof(struct bpf_sk_lookup, name)
/** Looks up the key at fp + o: r0 is its value, or the program goes on elsewhere, or ends. */
#define FIND_OR(map, o, otherwise)                                                                                      \
  INSN(BPF_LD | BPF_DW | BPF_IMM, 1, BPF_PSEUDO_MAP_FD, 0, map), INSN(0, 0, 0, 0, 0), MOVE(2, BPF_REG_10), WITH(BPF_ADD, 2, o), \
    CALL(BPF_FUNC_map_lookup_elem), IF(BPF_JEQ, 0, 0, otherwise)
#define FIND(map, o) FIND_OR(map, o, PASS)

/** Loads the bit of the address in r7 out of the word at r8 + o. */
#define BITS(d, o) LOAD(BPF_W, d, 8, o), INSN(BPF_ALU64 | BPF_RSH | BPF_X, d, 7, 0, 0), WITH(BPF_AND, d, 1)

/** Stands for the distance to the last two instructions, and less for that to as many before them; no program is as long as FAR. */
enum { PASS = 0x7fff, FAR = 0x7000 };

/** Loads a program, whose jumps to PASS go to its last two instructions. Returns a descriptor. */
static int programLoad(uint32_t type, uint32_t attach, struct bpf_insn *code, int count) {
  for (int i = 0; i < count; i++)
    if (code[i].off >= FAR) code[i].off = (int16_t)(count - 2 - (PASS - code[i].off) - i - 1);
  union bpf_attr a = { .prog_type = type, .expected_attach_type = attach, .insns = (uintptr_t)code, .insn_cnt = (uint32_t)count, .license = (uintptr_t) "Apache-2.0" };
  return bpf(BPF_PROG_LOAD, &a, sizeof a);
}

/** Among workers: how many there are, which one this is, and does the port of a terminal tell it, or its address alone? */
struct share {
  int count, index, byPort;
};

/**
 * Goes on when what comes from that address is this worker's, and from that port where `ports` is 1, or elsewhere: a hash of both in as
 * many parts as there are workers, the same in each of them whichever others run, and in the core (table/share.ts). `at`: the register to whose memory
 * `four`, `six` and `port` are offsets, of words that are zero in an address of the other version, and of `width`.
 */
#define MINE(share, ports, at, four, six, width, port, otherwise)                                                            \
  LOAD(BPF_W, 2, at, four), LOAD(BPF_W, 3, at, six), MIX(2, 3), LOAD(BPF_W, 3, at, (six) + 4), MIX(2, 3),                     \
    LOAD(BPF_W, 3, at, (six) + 8), MIX(2, 3), LOAD(BPF_W, 3, at, (six) + 12), MIX(2, 3), LOAD(width, 3, at, port),            \
    SHORT(BPF_MUL, 3, (ports) ? 0x10001 : 0), MIX(2, 3), SHORT(BPF_MUL, 2, (int32_t)0x9e3779b1), MOVE(3, 2), SHORT(BPF_RSH, 3, 15), MIX(2, 3),  \
    SHORT(BPF_MUL, 2, (int32_t)0x85ebca6b), SHORT(BPF_RSH, 2, 16), SHORT(BPF_MUL, 2, (share).count), SHORT(BPF_RSH, 2, 16), IF(BPF_JNE, 2, (share).index, otherwise)
#define MINE_LOOKED_UP(share, ports) MINE(share, ports, 6, FIELD(remote_ip4), FIELD(remote_ip6), BPF_W, FIELD(remote_port), PASS)

/** Its number of instructions. */
enum { MINE_LENGTH = 21 };

/** Gives the packet to the socket that was found, with these flags. */
#define ASSIGN(flags) \
  MOVE(7, 0), MOVE(1, 6), MOVE(2, 0), SET(3, flags), CALL(BPF_FUNC_sk_assign), MOVE(1, 7), CALL(BPF_FUNC_sk_release), SET(0, SK_PASS), INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

enum { ASSIGN_LENGTH = 9, FIND_LENGTH = 6 };

/**
 * Gives a packet for a port of ours to the wide socket of its kind, and every other its own way. Of a port that several workers have,
 * each takes what comes from its terminals; so does it with connections. Returns a descriptor.
 */
static int steerLoad(int addressMap, int portMap, int socketMap, int streamMap, struct share share) {
  struct bpf_insn code[] = {
    MOVE(6, 1),
    /* The local address, as the core writes it, to fp - 24, and the port behind it. */
    LOAD(BPF_W, 2, 6, FIELD(family)), IF(BPF_JEQ, 2, AF_INET6, 7),
    SET(2, 0), STORE(BPF_DW, -24, 2), SET(2, (int32_t)htonl(0xffff)), STORE(BPF_W, -16, 2),
    LOAD(BPF_W, 2, 6, FIELD(local_ip4)), STORE(BPF_W, -12, 2), INSN(BPF_JMP | BPF_JA, 0, 0, 8, 0),
    LOAD(BPF_W, 2, 6, FIELD(local_ip6)), STORE(BPF_W, -24, 2), LOAD(BPF_W, 2, 6, FIELD(local_ip6) + 4), STORE(BPF_W, -20, 2),
    LOAD(BPF_W, 2, 6, FIELD(local_ip6) + 8), STORE(BPF_W, -16, 2), LOAD(BPF_W, 2, 6, FIELD(local_ip6) + 12), STORE(BPF_W, -12, 2),
    LOAD(BPF_W, 2, 6, FIELD(local_port)), STORE(BPF_W, -8, 2),
    /* A connection: a listener that workers share, if it is this one's. The kernel would choose among theirs by itself. */
    LOAD(BPF_W, 2, 6, FIELD(protocol)), IF(BPF_JEQ, 2, IPPROTO_UDP, 1 + MINE_LENGTH + FIND_LENGTH + ASSIGN_LENGTH),
    IF(BPF_JNE, 2, IPPROTO_TCP, PASS), MINE_LOOKED_UP(share, 0), FIND(streamMap, -24), ASSIGN(BPF_SK_LOOKUP_F_NO_REUSEPORT),
    /* The index of the address, r7; what is said of the port, r8. */
    FIND(addressMap, -24), LOAD(BPF_W, 7, 0, 0), FIND(portMap, -8), MOVE(8, 0),
    BITS(2, offsetof(struct port, ours)), IF(BPF_JEQ, 2, 0, PASS),
    BITS(2, offsetof(struct port, shared)), IF(BPF_JEQ, 2, 0, MINE_LENGTH), MINE_LOOKED_UP(share, share.byPort),
    /* The kind of socket, and that socket. */
    BITS(2, offsetof(struct port, signaling)), STORE(BPF_W, -28, 2), FIND(socketMap, -28), ASSIGN(0),
    SET(0, SK_PASS), INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
  };
  return programLoad(BPF_PROG_TYPE_SK_LOOKUP, BPF_SK_LOOKUP, code, sizeof code / sizeof *code);
}

struct steering {
  struct share share;
  /** Descriptors; `streams` has the listeners that workers share. */
  int link, addresses, streams, portMap;
  /** Shared with the program. */
  struct port *ports;
};

enum { STEERED = PORTS * sizeof(struct port) };

/** Attaches the program to this network namespace. `queue` has the wide sockets. Returns 0 or an errno, negative. */
static int steeringOpen(struct steering *s, const int *queue) {
  s->addresses = mapMake(BPF_MAP_TYPE_HASH, 16, 4, ADDRESSES, 0);
  s->streams = mapMake(BPF_MAP_TYPE_SOCKHASH, sizeof(struct listening), 8, LISTENERS, 0);
  s->portMap = mapMake(BPF_MAP_TYPE_ARRAY, 4, sizeof(struct port), PORTS, BPF_F_MMAPABLE);
  int sockets = mapMake(BPF_MAP_TYPE_SOCKMAP, 4, 8, QUEUES, 0);
  int program = -1, space = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  int failed = s->addresses < 0 || s->streams < 0 || s->portMap < 0 || sockets < 0 || space < 0;
  for (uint32_t i = 0; i < QUEUES && !failed; i++) {
    uint64_t socket = (uint64_t)queue[i];
    failed = mapSet(sockets, &i, &socket) < 0;
  }
  if (!failed) failed = (program = steerLoad(s->addresses, s->portMap, sockets, s->streams, s->share)) < 0;
  if (!failed) failed = (s->ports = mmap(NULL, STEERED, PROT_READ | PROT_WRITE, MAP_SHARED, s->portMap, 0)) == MAP_FAILED;
  if (!failed) {
    union bpf_attr a = { .link_create = { .prog_fd = (uint32_t)program, .target_fd = (uint32_t)space, .attach_type = BPF_SK_LOOKUP } };
    failed = (s->link = bpf(BPF_LINK_CREATE, &a, sizeof a)) < 0;
  }
  int result = failed ? -errno : 0;
  int done[] = { sockets, program, space };
  for (int i = 0; i < 3; i++)
    if (done[i] >= 0) close(done[i]);
  return result;
}

static void steeringClose(struct steering *s) {
  if (s->link >= 0) close(s->link);
  if (s->addresses >= 0) close(s->addresses);
  if (s->streams >= 0) close(s->streams);
  if (s->portMap >= 0) close(s->portMap);
  if (s->ports != MAP_FAILED) munmap(s->ports, STEERED);
}
