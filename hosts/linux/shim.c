/*
 * Batched UDP for hosts on Linux (SPEC R4), and whole frames (ring.c). All ports of ours share two wide sockets, one for signaling and one for media:
 * packets are read by the batch into the slots of the core's own memory, with where they came from and what they were sent to,
 * and its SEND records leave by the batch through raw sockets, whatever address and port they are from.
 *
 * Which packets the wide sockets get is decided by a BPF program at the kernel's socket look-up (BPF_PROG_TYPE_SK_LOOKUP, Linux
 * 5.9): no rules, no routes, and it goes away with the process. Each port is also bound by a socket of its own that hears
 * nothing: so nobody else can have it, a conflict is found, and what is too long for one frame is sent by it, in fragments.
 *
 * A shim is known by a number; every function takes three numbers and gives one, negative for an errno, so that N-API, Deno's
 * FFI and C can call it alike. Addresses and lists go through `exchange`. Nothing here waits but shim_wait.
 * Build: cc -O2 -fPIC -shared -I dist shim.c; with -DSHIM_NODE and the headers of Node also as an addon.
 */
#define _GNU_SOURCE
#include "constants.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/ethtool.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/if_xdp.h>
#include <linux/sockios.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { SHIMS = 16, ADDRESSES = 32, PORTS = 65536, LISTENERS = 128, BATCH = CULVERT_SLOT_MAX, LONGEST = 65536, RINGS = CULVERT_INTERFACE_MAX };
/** Payload that a slot takes. */
enum { ROOM = CULVERT_SLOT_SIZE - CULVERT_PACKET_PAYLOAD };
/** Kinds of wide sockets; the queues behind them are rings. */
enum { MEDIA, SIGNAL, QUEUES };
/** What leaves, by kind. */
enum { FOUR, SIX, FRAMES, DEPARTURES };
/** Added to a number of packets when one of them is longer than its slot; when some were lost. */
enum { LONG = 256, LOST = 512 };
/** Words of `exchange`: addresses of records to be sent, then an IP address, or the name of an interface. */
enum { EXCHANGE_ADDRESS = BATCH, EXCHANGE_WORDS = BATCH + 4 };

#ifndef IPV6_ORIGDSTADDR
#define IPV6_ORIGDSTADDR 74
#endif

static const int BUFFER_BYTES = 4 << 20;

#include "pace.c"
#include "steer.c"
#include "claim.c"
#include "divide.c"
#include "xdp.c"
#include "sum.c"

/** What stands before the payload of a packet that leaves. */
union head {
  struct {
    struct iphdr ip;
    struct udphdr udp;
  } four;
  struct {
    struct ip6_hdr ip;
    struct udphdr udp;
  } six;
  /** Of a frame, which has its headers: what the kernel is to do about checksum and segments. */
  struct virtio_net_hdr offload;
};

/** Packets that leave by one socket. */
struct departure {
  int socket, n;
  struct mmsghdr message[BATCH];
  struct iovec part[BATCH][2];
  struct sockaddr_in6 to[BATCH];
  union head head[BATCH];
  /** The record of each. */
  const uint8_t *record[BATCH];
};

struct arrival {
  struct mmsghdr message[BATCH];
  struct iovec part[BATCH][2];
  struct sockaddr_in6 from[BATCH];
  /** Where a packet was sent to, and its traffic class. */
  uint8_t control[BATCH][CMSG_SPACE(sizeof(struct sockaddr_in6)) + CMSG_SPACE(sizeof(int))] __attribute__((aligned(8)));
  /** What of a packet has no room in its slot. */
  uint8_t rest[BATCH][LONGEST];
};

/** Frames of one interface; `link` withholds them from the stack. Those that the core makes leave by `xsk`, and some come by it. */
struct ring {
  int socket, interface, link;
  struct xsk xsk;
  uint8_t *frames;
  /** Index of the next one; is it AF_XDP's turn? */
  int at, turn;
};

struct shim {
  uint8_t *memory;
  size_t size;
  int queue[QUEUES], wake;
  struct steering steering;
  int addresses;
  uint8_t address[ADDRESSES][16];
  /** The socket that holds a port of an address, plus one. */
  int *held[ADDRESSES];
  int32_t exchange[EXCHANGE_WORDS];
  /** errno of the last send that failed. */
  int failure;
  struct departure out[DEPARTURES];
  struct arrival in;
  int rings;
  struct ring ring[RINGS];
  /** Frames that were lost, until they are asked for. */
  int lost;
  /** Of each queue, rings among them; from look to look at one that is paced, in nanoseconds, 0 for no pace. */
  struct pace pace[QUEUES + RINGS];
  long period;
};

static struct shim *shims[SHIMS];

static const uint8_t MAPPED[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

static int32_t word(const uint8_t *at) {
  int32_t value;
  memcpy(&value, at, 4);
  return value;
}

static void wordPut(uint8_t *at, int32_t value) {
  memcpy(at, &value, 4);
}

static int isFour(const uint8_t *address) {
  return memcmp(address, MAPPED, sizeof MAPPED) == 0;
}

/* Opening and closing. */

/** Has a socket be for an address that is not this machine's, which takes CAP_NET_ADMIN or CAP_NET_RAW: without, binding fails. */
static void transparentSet(int fd) {
  static const int on = 1;
  setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &on, sizeof on);
  setsockopt(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, &on, sizeof on);
}

/** A socket for all that the program gives to it, of both versions of IP. It is bound out of the way; to ::1 it would lose IPv4. */
static int wideMake(void) {
  const int on = 1;
  int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
  struct sockaddr_in four = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
  memcpy(&six.sin6_addr, MAPPED, sizeof MAPPED);
  memcpy((uint8_t *)&six.sin6_addr + sizeof MAPPED, &four.sin_addr, 4);
  if (fd >= 0 && bind(fd, (struct sockaddr *)&six, sizeof six) < 0) {
    close(fd);
    fd = -1;
  }
  if (fd >= 0) {
    setsockopt(fd, IPPROTO_IPV6, IPV6_RECVORIGDSTADDR, &on, sizeof on);
    setsockopt(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, &on, sizeof on);
  } else {
    fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&four, sizeof four) < 0) {
      close(fd);
      return -1;
    }
  }
  if (fd < 0) return -1;
  /* nftables gives what is for others to such sockets only. */
  transparentSet(fd);
  setsockopt(fd, IPPROTO_IP, IP_RECVORIGDSTADDR, &on, sizeof on);
  setsockopt(fd, IPPROTO_IP, IP_RECVTOS, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &BUFFER_BYTES, sizeof BUFFER_BYTES);
  return fd;
}

static int rawMake(int family) {
  int fd = socket(family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_RAW);
  if (fd >= 0) setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &BUFFER_BYTES, sizeof BUFFER_BYTES);
  return fd;
}

/** The parts of the messages that stay the same. */
static void messagesLay(struct shim *s) {
  for (int i = 0; i < BATCH; i++) {
    uint8_t *slot = s->memory + CULVERT_SLOTS + i * CULVERT_SLOT_SIZE;
    s->in.part[i][0] = (struct iovec){ slot + CULVERT_PACKET_PAYLOAD, ROOM };
    s->in.part[i][1] = (struct iovec){ s->in.rest[i], LONGEST };
    s->in.message[i].msg_hdr = (struct msghdr){ .msg_name = &s->in.from[i], .msg_iov = s->in.part[i], .msg_iovlen = 2, .msg_control = s->in.control[i] };
    for (int kind = 0; kind < DEPARTURES; kind++) {
      static const size_t heads[] = { sizeof s->out->head->four, sizeof s->out->head->six, sizeof s->out->head->offload };
      static const socklen_t names[] = { sizeof(struct sockaddr_in), sizeof(struct sockaddr_in6), sizeof(struct sockaddr_ll) };
      struct departure *d = &s->out[kind];
      d->part[i][0] = (struct iovec){ &d->head[i], heads[kind] };
      d->message[i].msg_hdr = (struct msghdr){ .msg_name = &d->to[i], .msg_namelen = names[kind], .msg_iov = d->part[i], .msg_iovlen = 2 };
    }
  }
}

#include "ring.c"

static void closeAll(struct shim *s) {
  int open[] = { s->queue[MEDIA], s->queue[SIGNAL], s->wake, s->out[FOUR].socket, s->out[SIX].socket, s->out[FRAMES].socket };
  for (int i = 0; i < s->rings; i++) ringClose(&s->ring[i]);
  steeringClose(&s->steering);
  for (size_t i = 0; i < sizeof open / sizeof *open; i++)
    if (open[i] >= 0) close(open[i]);
  for (int i = 0; i < s->addresses; i++) {
    for (int port = 0; port < PORTS && s->held[i] != NULL; port++)
      if (s->held[i][port] > 0) close(s->held[i][port] - 1);
    free(s->held[i]);
  }
  free(s);
}

/**
 * Opens a shim for a core's memory, which stays where it is. `workers`: 0, or of several that share ports how many there are, from bit 8
 * on which one this is, and bit 16 if the port of a terminal tells its worker as well as its address. Returns its number, or an
 * errno, negative: EPERM without the rights.
 */
int shim_open(uint8_t *memory, int size, int workers) {
  int number = 0;
  while (number < SHIMS && shims[number] != NULL) number++;
  struct shim *s = number < SHIMS ? calloc(1, sizeof *s) : NULL;
  if (s == NULL) return -ENOMEM;
  s->memory = memory;
  s->size = (size_t)size;
  s->steering = (struct steering){ { workers == 0 ? 1 : workers & 0xff, (workers >> 8) & 0xff, workers >> 16 }, -1, -1, -1, -1, MAP_FAILED };
  s->queue[MEDIA] = wideMake();
  s->queue[SIGNAL] = wideMake();
  s->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  s->out[FOUR].socket = rawMake(AF_INET);
  s->out[FRAMES].socket = -1;
  int result = s->queue[MEDIA] < 0 || s->queue[SIGNAL] < 0 || s->wake < 0 || s->out[FOUR].socket < 0 ? -errno : steeringOpen(&s->steering, s->queue);
  /* A machine may have no IPv6. */
  s->out[SIX].socket = rawMake(AF_INET6);
  if (result < 0) {
    closeAll(s);
    return result;
  }
  messagesLay(s);
  shims[number] = s;
  return number;
}

int shim_close(int shim, int a, int b) {
  (void)a, (void)b;
  closeAll(shims[shim]);
  shims[shim] = NULL;
  return 0;
}

int32_t *shim_exchange(int shim) {
  return shims[shim]->exchange;
}

#include "port.c"
#include "arrive.c"
#include "depart.c"

/** Name of an errno, which is given negative, or NULL. */
const char *shim_code(int number) {
#define CODE(name) { name, #name }
  static const struct {
    int number;
    const char *name;
  } codes[] = { CODE(EPERM), CODE(EBUSY), CODE(EPROTO), CODE(EINVAL), CODE(ENOSYS), CODE(ENOMEM), CODE(ENOSPC), CODE(EACCES), CODE(EMFILE), CODE(ENFILE), CODE(EADDRINUSE), CODE(EADDRNOTAVAIL),
                CODE(EAFNOSUPPORT), CODE(EAGAIN), CODE(EMSGSIZE), CODE(ENOBUFS), CODE(ENETUNREACH), CODE(ENETDOWN), CODE(EHOSTUNREACH), CODE(ENODEV), CODE(ENXIO), CODE(EOPNOTSUPP), CODE(ENOPROTOOPT) };
  for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
    if (codes[i].number == -number) return codes[i].name;
  return NULL;
}

/* Waiting. */

/** Descriptors to wait for: each queue's, and behind them those of AF_XDP, whose frames come by the queues of their rings. */
enum { INLETS = QUEUES + RINGS + RINGS };

static int inletQueue(int i) {
  return i < QUEUES + RINGS ? i : i - RINGS;
}

/** A descriptor to wait for, or -1. */
static int inlet(const struct shim *s, int i) {
  int ring = inletQueue(i) - QUEUES;
  if (ring >= s->rings) return -1;
  if (i < QUEUES) return s->queue[i];
  return i < QUEUES + RINGS ? s->ring[ring].socket : s->ring[ring].xsk.link < 0 ? -1 : s->ring[ring].xsk.socket;
}

/** An interface that goes down, or away, ends the waiting for it until the error is taken. */
static void inletCalm(const struct shim *s, int i) {
  int error;
  socklen_t size = sizeof error;
  getsockopt(inlet(s, i), SOL_SOCKET, SO_ERROR, &error, &size);
}

/** Has queues whose packets come fast be looked at after so many milliseconds; 0: each packet wakes. To be called before anything waits. */
int shim_pace(int shim, int milliseconds, int unused) {
  (void)unused;
  shims[shim]->period = (long)milliseconds * MILLISECOND;
  return 0;
}

/** Is it time to sleep for a while, whatever comes? A queue that has more is not kept waiting for the others. */
static int pacing(struct shim *s) {
  int paced = 0, left = 0;
  for (int i = 0; i < QUEUES + s->rings && s->period > 0; i++) {
    paced |= paceWeigh(&s->pace[i]);
    left |= s->pace[i].left;
  }
  return paced && !left;
}

/** Waits until there is something to read or shim_wake is called, longer while a queue is paced. Returns a bit for each queue that has something. */
int shim_wait(int shim, int milliseconds, int unused) {
  (void)unused;
  struct shim *s = shims[shim];
  if (pacing(s)) nanosleep(&(struct timespec){ 0, s->period }, NULL);
  struct pollfd wanted[INLETS + 1];
  int ready = 0;
  for (int i = 0; i < INLETS; i++) wanted[i] = (struct pollfd){ inlet(s, i), POLLIN, 0 };
  wanted[INLETS] = (struct pollfd){ s->wake, POLLIN, 0 };
  if (poll(wanted, INLETS + 1, milliseconds) < 0) return 0;
  for (int i = 0; i < INLETS; i++) {
    if ((wanted[i].revents & POLLERR) != 0) inletCalm(s, i);
    if (wanted[i].revents != 0) ready |= 1 << inletQueue(i);
  }
  return ready;
}

int shim_wake(int shim, int a, int b) {
  (void)a, (void)b;
  return eventfd_write(shims[shim]->wake, 1);
}
