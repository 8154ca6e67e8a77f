/*
 * What stands before the IP header: the link types of captures (the LINKTYPE_ registry of tcpdump.org),
 * 802.1Q and 802.1ad tags, an MPLS label stack (RFC 3032), PPPoE sessions (RFC 2516).
 *
 * Invariant: a link header that is written again differs from the one read only in the addresses (swapped
 * or not), the protocol where the IP version changed, and the length that PPPoE carries.
 */

export const LINK_NULL = 0;
export const LINK_ETHERNET = 1;
export const LINK_RAW = 101;
export const LINK_LOOP = 108;
export const LINK_SLL = 113;
export const LINK_IP4 = 228;
export const LINK_IP6 = 229;
export const LINK_SLL2 = 276;
/** LINKTYPE_RAW as DLT_RAW of some systems wrote it into files. */
const LINK_RAW_OLD = [12, 14];

const TYPE_IP4 = 0x0800;
const TYPE_IP6 = 0x86dd;
const TYPES_VLAN = [0x8100, 0x88a8, 0x9100];
const TYPES_MPLS = [0x8847, 0x8848];
const TYPE_PPPOE = 0x8864;
const PPP_IP4 = 0x0021;
const PPP_IP6 = 0x0057;
const FAMILY_IP4 = 2;
/** AF_INET6 of Linux, NetBSD and OpenBSD, FreeBSD, macOS. */
const FAMILIES_IP6 = [10, 24, 28, 30];
const TAGS_MAX = 8;
const LABELS_MAX = 16;

/** How the protocol of the next header is written. */
type Naming = "ethertype" | "ppp" | "family-little" | "family-big" | "none";

export interface Link {
  linkType: number;
  /** The header itself: everything before the IP header. */
  header: Uint8Array;
  /** Where the protocol of the IP header is named, and how. */
  namedAt: number;
  naming: Naming;
  /** Where PPPoE's length stands, -1 for none. */
  lengthAt: number;
  /** VLAN ids and MPLS labels from the outside in. */
  vlans: number[];
  labels: number[];
}

/** Where the walk through the headers is. */
interface Walk extends Omit<Link, "header"> {
  at: number;
}

function walkFrom(linkType: number, at: number, namedAt: number, naming: Naming): Walk {
  return { linkType, at, namedAt, naming, lengthAt: -1, vlans: [], labels: [] };
}

function walkStart(linkType: number, view: DataView): Walk | undefined {
  if (linkType === LINK_ETHERNET) return walkFrom(linkType, 14, 12, "ethertype");
  if (linkType === LINK_SLL) return walkFrom(linkType, 16, 14, "ethertype");
  if (linkType === LINK_SLL2) return walkFrom(linkType, 20, 0, "ethertype");
  if (linkType === LINK_LOOP) return walkFrom(linkType, 4, 0, "family-big");
  /* The family stands in the byte order of the machine that captured; families are small numbers. */
  if (linkType === LINK_NULL) return walkFrom(linkType, 4, 0, view.byteLength >= 4 && view.getUint32(0, true) < 0x10000 ? "family-little" : "family-big");
  if (linkType === LINK_RAW || linkType === LINK_IP4 || linkType === LINK_IP6 || LINK_RAW_OLD.includes(linkType)) return walkFrom(linkType, 0, 0, "none");
  return undefined;
}

function tagsSkip(walk: Walk, view: DataView): boolean {
  for (let i = 0; i < TAGS_MAX && walk.at + 4 <= view.byteLength && TYPES_VLAN.includes(view.getUint16(walk.namedAt)); i++) {
    walk.vlans.push(view.getUint16(walk.at) & 0xfff);
    walk.namedAt = walk.at + 2;
    walk.at += 4;
  }
  return walk.at <= view.byteLength;
}

/** Behind the bottom of the stack nothing names the protocol: the first nibble tells (RFC 4928). */
function labelsSkip(walk: Walk, view: DataView): boolean {
  for (let i = 0; i < LABELS_MAX && walk.at + 4 <= view.byteLength; i++) {
    const entry = view.getUint32(walk.at);
    walk.labels.push(entry >>> 12);
    walk.at += 4;
    if ((entry & 0x100) !== 0) {
      walk.naming = "none";
      return true;
    }
  }
  return false;
}

function sessionSkip(walk: Walk, view: DataView): boolean {
  if (walk.at + 8 > view.byteLength) return false;
  walk.lengthAt = walk.at + 4;
  walk.namedAt = walk.at + 6;
  walk.naming = "ppp";
  walk.at += 8;
  return true;
}

function namesIp(walk: Walk, view: DataView): boolean {
  if (walk.naming === "none") return true;
  if (walk.naming === "ethertype") return [TYPE_IP4, TYPE_IP6].includes(view.getUint16(walk.namedAt));
  if (walk.naming === "ppp") return [PPP_IP4, PPP_IP6].includes(view.getUint16(walk.namedAt));
  return [FAMILY_IP4, ...FAMILIES_IP6].includes(view.getUint32(walk.namedAt, walk.naming === "family-little"));
}

/** The link header of a frame; undefined when it carries no IP or is of a kind not known here. */
export function linkRead(linkType: number, bytes: Uint8Array): Link | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const walk = walkStart(linkType, view);
  if (!walk || walk.at > bytes.length) return undefined;
  if (walk.naming === "ethertype") {
    if (!tagsSkip(walk, view)) return undefined;
    const type = view.getUint16(walk.namedAt);
    if (TYPES_MPLS.includes(type) && !labelsSkip(walk, view)) return undefined;
    if (type === TYPE_PPPOE && !sessionSkip(walk, view)) return undefined;
  }
  if (!namesIp(walk, view)) return undefined;
  const { at, ...link } = walk;
  return { ...link, header: bytes.subarray(0, at) };
}

function swap(bytes: Uint8Array, a: number, b: number, length: number): void {
  const kept = bytes.slice(a, a + length);
  bytes.copyWithin(a, b, b + length);
  bytes.set(kept, b);
}

/** The same link the other way round. A cooked header has one address only, the sender's: it stays. */
export function linkReversed(link: Link): Link {
  const header = link.header.slice();
  if (link.linkType === LINK_ETHERNET) swap(header, 0, 6, 6);
  return { ...link, header };
}

/** A link header for `length` bytes of IP, of version 4 or 6, behind it. */
export function linkWrite(link: Link, version: 4 | 6, length: number): Uint8Array {
  const header = link.header.slice();
  const view = new DataView(header.buffer);
  if (link.naming === "ethertype") view.setUint16(link.namedAt, version === 4 ? TYPE_IP4 : TYPE_IP6);
  if (link.naming === "ppp") view.setUint16(link.namedAt, version === 4 ? PPP_IP4 : PPP_IP6);
  if (link.naming === "family-little" || link.naming === "family-big") {
    const little = link.naming === "family-little";
    const was = view.getUint32(link.namedAt, little);
    const kept = version === 4 ? was === FAMILY_IP4 : FAMILIES_IP6.includes(was);
    if (!kept) view.setUint32(link.namedAt, version === 4 ? FAMILY_IP4 : FAMILIES_IP6[0]!, little);
  }
  /* The length of a PPPoE payload counts the two bytes that name the protocol (RFC 2516 4). */
  if (link.lengthAt >= 0) view.setUint16(link.lengthAt, length + 2);
  return header;
}
