/*
 * Where everything stands in the one linear memory (DESIGN 3). Fixed regions first, at constant
 * addresses; then the tables, whose sizes follow from the capacities that the host writes into the
 * header before it asks `region(Region.End)`, sizes the memory and calls `boot`.
 *
 * Invariant: every address is a multiple of 64, every record size a power of two; no record of a table stands in two pages.
 */

import { ld32, mul, st32 } from "../machine.ts";

export const MAGIC: i32 = 0x43564c54;
/** Raised whenever a record, a kind or a meaning below changes. */
export const ABI_VERSION: i32 = 6;

/* Header, at address 0. */
export const HEADER_MAGIC: i32 = 0;
export const HEADER_ABI: i32 = 4;
/** KIND_* of the last input but KIND_REFUSED. */
export const HEADER_KIND: i32 = 8;
/** Monotonic milliseconds of the last input; wraps, so it is compared by difference only. */
export const HEADER_NOW: i32 = 12;
/** 16 secret bytes from the host: keys the tokens, the hashes and the port choice. */
export const HEADER_KEY: i32 = 16;
/** State of the xoshiro128** generator, 16 bytes, seeded from the key at boot. */
export const HEADER_RANDOM: i32 = 32;
export const HEADER_OUT_HEAD: i32 = 48;
export const HEADER_OUT_TAIL: i32 = 52;
export const HEADER_TEXT_TOP: i32 = 56;
/** Reason (memory/reason.ts) of the last verdict. */
export const HEADER_REASON: i32 = 60;

/** Working state of bytes/hash.ts. */
export const HASH_STATE: i32 = 768;
/** Working state of bytes/cipher.ts. */
export const CIPHER_STATE: i32 = 832;
/** Where the next message is put together (an address in ASSEMBLY). */
export const ASSEMBLY_TOP: i32 = 928;
/** What table/terminal.ts loads ahead; nobody reads it. */
export const TOUCHED: i32 = 932;
/** Number of pools taken over at boot. */
export const POOLS_TAKEN: i32 = 936;
/** 16-byte scratch addresses for the message in hand. */
export const SCRATCH_ADDRESS: i32 = 944;
/** Identities (keyed hashes) of the message in hand: table/registration.ts and table/call.ts. */
export const SCRATCH_KEYS: i32 = 976;
export const SCRATCH_CALL: i32 = 1000;
/** What input/stream.ts found: FRAME_* kind, where the message stands and how long it is; what its search for a head left. */
export const FRAME_KIND: i32 = 1008;
export const FRAME_AT: i32 = 1012;
export const FRAME_LEN: i32 = 1016;
export const FRAME_SCAN: i32 = 1020;

/* Capacities, written by the host before boot: how many records of each kind. */
export const CAPACITY_TERMINALS: i32 = 64;
export const CAPACITY_BINDINGS: i32 = 68;
export const CAPACITY_REGISTRATIONS: i32 = 72;
export const CAPACITY_CALLS: i32 = 76;
export const CAPACITY_FLOWS: i32 = 80;
/** Sum of the ports of all pools. */
export const CAPACITY_PORTS: i32 = 84;
export const CAPACITY_RULES: i32 = 88;
export const CAPACITY_CONNECTIONS: i32 = 92;
/** Blocks of BLOCK_SIZE bytes for messages, and datagrams, of which a part has come. */
export const CAPACITY_BLOCKS: i32 = 116;

/* Configuration counts, written by the host before boot or before input(Kind.Config). */
export const CONFIG_REALMS: i32 = 96;
export const CONFIG_POOLS: i32 = 100;
export const CONFIG_SERVICES: i32 = 104;
export const CONFIG_RULES: i32 = 108;
/** ACTION_FORWARD or ACTION_DISCARD for what no rule matches. */
export const CONFIG_OTHERWISE: i32 = 112;

/** Index of the first BIND of the message in hand among the outputs, OUTPUT_MAX for none. */
export const HEADER_BOUND: i32 = 120;
/** How many BINDs of this input were refused. */
export const HEADER_REFUSED: i32 = 124;
/** Address of the first of the slots whose messages stand in AHEAD, 0 when none do. */
export const HEADER_AHEAD: i32 = 264;

/** One i32 address for each region id. */
export const DIRECTORY: i32 = 128;

/* Packet mode (memory/frame.ts), written by the host as the words above. */
/** Datagrams of which fragments have come, at a time; 0 where no frames are handed in. */
export const CAPACITY_DATAGRAMS: i32 = 256;
/** Interfaces, 0 for none. */
export const CONFIG_INTERFACES: i32 = 260;
/** Of several workers how many there are, from bit 8 on which one this is, and bit 16 if the port of a terminal tells its worker as well as its address; 0 for one. */
export const CONFIG_WORKERS: i32 = 268;

/** One i32 for each reason: how often it was the outcome (modulo 2^32). */
export const COUNTERS: i32 = 1024;
export const COUNTER_COUNT: i32 = 128;

/** A token's fields and sealed bytes: translate/token.ts. */
export const SCRATCH_TOKEN: i32 = 1536;

/** Character classes: bytes/class.ts. */
export const CLASSES: i32 = 1664;

/** Keys, tag and text of bytes/seal.ts. */
export const SEAL_STATE: i32 = 1920;
/** A Call-ID as the other side has it, and one without its escapes: translate/hide/callid.ts. */
export const SCRATCH_CALL_ID: i32 = 2240;
export const SCRATCH_UNESCAPED: i32 = 2688;

/* Fixed regions. */
export const REALMS: i32 = 4096;
export const REALM_MAX: i32 = 16;
export const REALM_SIZE: i32 = 64;
export const POOLS: i32 = 5120;
export const POOL_MAX: i32 = 64;
export const POOL_SIZE: i32 = 64;
export const SERVICES: i32 = 9216;
export const SERVICE_MAX: i32 = 32;
export const SERVICE_SIZE: i32 = 256;
export const MESSAGE: i32 = 17408;
/** The Message record; behind it the context of the message in hand (memory/context.ts). */
export const MESSAGE_SIZE: i32 = 256;
export const CONTEXT: i32 = 17664;
export const MENTIONS: i32 = 17920;
export const MENTION_MAX: i32 = 512;
export const MENTION_SIZE: i32 = 64;
export const MEDIAS: i32 = 50688;
export const MEDIA_MAX: i32 = 32;
export const MEDIA_SIZE: i32 = 128;
export const EDITS: i32 = 54784;
export const EDIT_MAX: i32 = 1024;
export const EDIT_SIZE: i32 = 16;
/** Replacement texts of the message in hand. */
export const TEXT: i32 = 71168;
export const TEXT_SIZE: i32 = 65536;
export const OUTPUTS: i32 = 136704;
export const OUTPUT_MAX: i32 = 1024;
export const OUTPUT_SIZE: i32 = 64;
/** One packet for Kind.Datagram: the packet header and up to 65,535 bytes of payload. */
export const INPUT: i32 = 202240;
export const INPUT_SIZE: i32 = 65664;
/** Where messages are put together on their way out. */
export const ASSEMBLY: i32 = 267904;
export const ASSEMBLY_SIZE: i32 = 262144;
/** Slots for Kind.Batch, each a packet header and payload. */
export const SLOTS: i32 = 530048;
export const SLOT_MAX: i32 = 64;
export const SLOT_SHIFT: i32 = 11;
export const SLOT_SIZE: i32 = 2048;
/** The timer wheel: a bitmap of occupied slots, then the head of each slot's list. */
export const WHEEL: i32 = 661120;
export const WHEEL_SLOTS: i32 = 4096;
export const WHEEL_SIZE: i32 = 16960;
/** Bookkeeping of the slabs: 64 bytes each, see table/slab.ts. */
export const SLABS: i32 = 678080;
export const SLAB_SIZE: i32 = 64;
/** The pools as they were at boot, with what the core keeps about them: table/port.ts. */
export const POOL_STATES: i32 = 678592;
/** Where a message that came in pieces is put together: as INPUT. */
export const REASSEMBLY: i32 = 682688;
/** The domain that terminals of a service use E for: its length, then the name; 0 for none. Written by the host. */
export const DOMAINS: i32 = 748352;
export const DOMAIN_SIZE: i32 = 64;
/** The octets as text: bytes/octet.ts. */
export const OCTETS: i32 = 750400;
/* Packet mode, see memory/frame.ts: what frames of each realm look like, the interfaces, the frame in hand. */
export const LINKS: i32 = 751424;
export const LINK_SIZE: i32 = 64;
export const INTERFACES: i32 = 752448;
export const INTERFACE_MAX: i32 = 16;
export const INTERFACE_SIZE: i32 = 32;
export const WIRE: i32 = 752960;
/** For each service the names that its terminals have: a length, then the name in lower case; 0 after the last. Written by the host. */
export const NAMES: i32 = 753152;
export const NAMES_MAX: i32 = 8;
export const NAME_SIZE: i32 = 64;
/** Messages of a batch that are decoded before the first of them is translated: path/ahead.ts. */
export const AHEAD: i32 = 769536;
export const AHEAD_MAX: i32 = 16;
export const AHEAD_SIZE: i32 = 2048;
/** The tables begin with the first page after this. */
export const TABLES: i32 = 802304;

/*
 * A terminal and its own binding share a unit of 256 bytes, so that a message touches one page for both; further
 * bindings of a terminal stand in units beyond the last terminal. Sizes are strides, lengths are what a record has.
 */
export const TERMINAL_SIZE: i32 = 256;
export const TERMINAL_LENGTH: i32 = 64;
export const BINDING_SIZE: i32 = 256;
export const BINDING_LENGTH: i32 = 192;
export const REGISTRATION_SIZE: i32 = 128;
export const CALL_SIZE: i32 = 256;
export const FLOW_SIZE: i32 = 512;
export const TIMER_SIZE: i32 = 16;
export const RULE_SIZE: i32 = 128;
export const CONNECTION_SIZE: i32 = 128;
export const BLOCK_SIZE: i32 = 2048;
export const ADJACENCY_SIZE: i32 = 64;
export const DATAGRAM_SIZE: i32 = 128;
/** Before the entries of the cache before the classifier, and an entry (table/recall.ts). */
export const RECALL_HEAD: i32 = 192;
export const RECALL_SIZE: i32 = 96;
export const RECALLS_LEAST: i32 = 2048;

/* Regions whose addresses a host may ask for. */
export const REGION_HEADER: i32 = 0;
export const REGION_COUNTERS: i32 = 1;
export const REGION_REALMS: i32 = 2;
export const REGION_POOLS: i32 = 3;
export const REGION_SERVICES: i32 = 4;
export const REGION_INPUT: i32 = 5;
export const REGION_SLOTS: i32 = 6;
export const REGION_MENTIONS: i32 = 7;
export const REGION_EDITS: i32 = 8;
export const REGION_MESSAGE: i32 = 9;
/* Tables: their addresses hold once the capacities are written. */
export const REGION_TERMINALS: i32 = 16;
export const REGION_BINDINGS: i32 = 17;
export const REGION_REGISTRATIONS: i32 = 18;
export const REGION_CALLS: i32 = 19;
export const REGION_FLOWS: i32 = 20;
export const REGION_PORTS: i32 = 21;
export const REGION_TIMERS: i32 = 22;
export const REGION_BUCKETS: i32 = 23;
export const REGION_RULES: i32 = 24;
export const REGION_CLASSIFIER: i32 = 25;
export const REGION_CONNECTIONS: i32 = 26;
export const REGION_BLOCKS: i32 = 27;
export const REGION_ADJACENCIES: i32 = 28;
export const REGION_DATAGRAMS: i32 = 29;
export const REGION_RECALLS: i32 = 30;
/** First address past the last table: the size that the memory must have. */
export const REGION_END: i32 = 31;
/** A byte for each page of memory: 1 when something in a table may have been written there (table/dirty.ts). Cleared by the host. */
export const REGION_DIRTY: i32 = 15;
/** Bytes of such a page, as a power of two. */
export const PAGE_SHIFT: i32 = 12;

/* Sizes of the classifier, see table/rule.ts: eleven fields, at most 2n+1 elementary intervals each. */
export const RULE_FIELDS: i32 = 11;
export const EDGE_SIZE: i32 = 16;

function align64(n: i32): i32 {
  return (n + 63) & -64;
}

/** Bytes of one rule bitmap for `n` rules. */
export function bitmapSize(n: i32): i32 {
  return ((n + 31) >> 5) << 2;
}

/** Bytes of the aggregate of such a bitmap: one bit for each word that is not zero. */
export function aggregateSize(n: i32): i32 {
  return ((n + 1023) >> 10) << 2;
}

/** Bytes of one classifier field: the edges, then a bitmap, its aggregate and where it stands for each interval. */
export function fieldSize(n: i32): i32 {
  const edges: i32 = ((n << 1) + 1) | 0;
  return align64(mul(edges, EDGE_SIZE + 4 + bitmapSize(n) + aggregateSize(n)));
}

/** Hash buckets for `n` records: a power of two, at least n. */
export function bucketCount(n: i32): i32 {
  let size: i32 = 16;
  while (size < n) size = size << 1;
  return size;
}

/** Bindings that there is room for: each terminal has one in its unit. */
export function bindingCapacity(): i32 {
  const terminals: i32 = ld32(CAPACITY_TERMINALS);
  const bindings: i32 = ld32(CAPACITY_BINDINGS);
  return bindings > terminals ? bindings : terminals;
}

/** Entries of the cache before the classifier (table/recall.ts), a power of two. */
export function recallCount(): i32 {
  const rules: i32 = ld32(CAPACITY_RULES);
  return bucketCount(rules < RECALLS_LEAST ? RECALLS_LEAST : rules);
}

/** Adjacencies: of the frame in hand, of each realm, each terminal and each end of a flow; none without packet mode. */
function adjacencyCount(): i32 {
  if (ld32(CAPACITY_DATAGRAMS) === 0) return 0;
  return (1 + REALM_MAX + ld32(CAPACITY_TERMINALS) + (ld32(CAPACITY_FLOWS) << 2)) | 0;
}

/** Address of a table or region; the directory must have been written by `layoutWrite`. */
export function table(id: i32): i32 {
  return ld32(DIRECTORY + (id << 2));
}

/** Puts a table at the next page from `at` on. Returns where it ends. */
function place(id: i32, at: i32, size: i32): i32 {
  const start: i32 = ((at + (1 << PAGE_SHIFT) - 1) | 0) & (-1 << PAGE_SHIFT);
  st32(DIRECTORY + (id << 2), start);
  return align64((start + size) | 0);
}

function placeFixed(): void {
  st32(DIRECTORY + (REGION_HEADER << 2), 0);
  st32(DIRECTORY + (REGION_COUNTERS << 2), COUNTERS);
  st32(DIRECTORY + (REGION_REALMS << 2), REALMS);
  st32(DIRECTORY + (REGION_POOLS << 2), POOLS);
  st32(DIRECTORY + (REGION_SERVICES << 2), SERVICES);
  st32(DIRECTORY + (REGION_INPUT << 2), INPUT);
  st32(DIRECTORY + (REGION_SLOTS << 2), SLOTS);
  st32(DIRECTORY + (REGION_MENTIONS << 2), MENTIONS);
  st32(DIRECTORY + (REGION_EDITS << 2), EDITS);
  st32(DIRECTORY + (REGION_MESSAGE << 2), MESSAGE);
}

/** Computes the address of every region from the capacities in the header. Returns the end of memory. */
export function layoutWrite(): i32 {
  const terminals: i32 = ld32(CAPACITY_TERMINALS);
  const bindings: i32 = bindingCapacity();
  const registrations: i32 = ld32(CAPACITY_REGISTRATIONS);
  const calls: i32 = ld32(CAPACITY_CALLS);
  const rules: i32 = ld32(CAPACITY_RULES);
  const connections: i32 = ld32(CAPACITY_CONNECTIONS);
  const datagrams: i32 = ld32(CAPACITY_DATAGRAMS);
  const timers: i32 = (terminals + bindings + registrations + calls + connections + datagrams) | 0;
  const keys: i32 = (bucketCount(terminals) + bucketCount(bindings) + (bucketCount(registrations) << 1)) | 0;
  const buckets: i32 = (keys + bucketCount(calls) + bucketCount(connections) + bucketCount(datagrams)) | 0;
  placeFixed();
  let at: i32 = TABLES;
  at = place(REGION_TERMINALS, at, mul(bindings, BINDING_SIZE));
  st32(DIRECTORY + (REGION_BINDINGS << 2), table(REGION_TERMINALS) + TERMINAL_LENGTH);
  at = place(REGION_REGISTRATIONS, at, mul(registrations, REGISTRATION_SIZE));
  at = place(REGION_CALLS, at, mul(calls, CALL_SIZE));
  at = place(REGION_FLOWS, at, mul(ld32(CAPACITY_FLOWS), FLOW_SIZE));
  at = place(REGION_PORTS, at, ld32(CAPACITY_PORTS) << 2);
  at = place(REGION_TIMERS, at, mul(timers, TIMER_SIZE));
  at = place(REGION_BUCKETS, at, buckets << 2);
  at = place(REGION_RULES, at, mul(rules, RULE_SIZE));
  at = place(REGION_CLASSIFIER, at, mul(RULE_FIELDS, fieldSize(rules)));
  at = place(REGION_CONNECTIONS, at, mul(connections, CONNECTION_SIZE));
  at = place(REGION_BLOCKS, at, mul(ld32(CAPACITY_BLOCKS), BLOCK_SIZE));
  at = place(REGION_ADJACENCIES, at, mul(adjacencyCount(), ADJACENCY_SIZE));
  at = place(REGION_DATAGRAMS, at, mul(datagrams, DATAGRAM_SIZE));
  at = place(REGION_RECALLS, at, RECALL_HEAD + mul(recallCount(), RECALL_SIZE));
  at = place(REGION_DIRTY, at, (at >> PAGE_SHIFT) + 2);
  st32(DIRECTORY + (REGION_END << 2), at);
  return at;
}
