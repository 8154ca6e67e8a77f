/*
 * Fields: the eleven things of a packet that a rule may look at (SPEC P1), and what a rule says about
 * each as an interval [low, high) of keys (table/edge.ts).
 *
 * Invariant: whatever the packet holds, also a port or a label out of its range, a rule that
 * leaves the field open matches it, and a rule that does not matches nothing but its interval.
 */

import { ld32, st32 } from "../machine.ts";
import {
  RULE_DESTINATION,
  RULE_DESTINATION_PORT_FIRST,
  RULE_DESTINATION_PORT_LAST,
  RULE_DESTINATION_PREFIX,
  RULE_MPLS,
  RULE_MPLS_OUTER,
  RULE_PROTOCOL,
  RULE_REALM,
  RULE_SOURCE,
  RULE_SOURCE_PORT_FIRST,
  RULE_SOURCE_PORT_LAST,
  RULE_SOURCE_PREFIX,
  RULE_VLAN,
  RULE_VLAN_OUTER,
  RULE_VPN,
} from "../memory/config.ts";
import {
  PACKET_DESTINATION,
  PACKET_DESTINATION_PORT,
  PACKET_MPLS,
  PACKET_MPLS_OUTER,
  PACKET_PROTOCOL,
  PACKET_REALM,
  PACKET_SOURCE,
  PACKET_SOURCE_PORT,
  PACKET_VLAN,
  PACKET_VLAN_OUTER,
  PACKET_VPN,
} from "../memory/packet.ts";
import { ADDRESS_SIZE, prefixHigh, prefixLow, prefixMask } from "./prefix.ts";

/* In the order in which they are looked up: what tells rules apart best comes first. */
const FIELD_DESTINATION: i32 = 0;
const FIELD_SOURCE: i32 = 1;
const FIELD_DESTINATION_PORT: i32 = 2;
const FIELD_SOURCE_PORT: i32 = 3;
const FIELD_VLAN: i32 = 4;
const FIELD_VPN: i32 = 5;
const FIELD_MPLS: i32 = 6;
const FIELD_PROTOCOL: i32 = 7;
const FIELD_VLAN_OUTER: i32 = 8;
const FIELD_MPLS_OUTER: i32 = 9;
/* The last, 10, is the ingress realm. */

export const PORT_MAX: i32 = 65535;
export const LABEL_MAX: i32 = 0x7fffffff;

const NUMBER_SIZE: i32 = 4;

/** Bytes of a key of the field. */
export function fieldKeySize(field: i32): i32 {
  return field <= FIELD_SOURCE ? ADDRESS_SIZE : NUMBER_SIZE;
}

/** Place of the field among those that rules are sorted by: addresses, what is one number, ports. */
export function fieldLikeness(field: i32): i32 {
  if (field <= FIELD_SOURCE) return field;
  return field <= FIELD_SOURCE_PORT ? field + FIELD_MPLS_OUTER - FIELD_DESTINATION_PORT : field - FIELD_DESTINATION_PORT;
}

/** Offset of the field in a packet header. */
export function fieldPacketOffset(field: i32): i32 {
  switch (field) {
    case FIELD_DESTINATION:
      return PACKET_DESTINATION;
    case FIELD_SOURCE:
      return PACKET_SOURCE;
    case FIELD_DESTINATION_PORT:
      return PACKET_DESTINATION_PORT;
    case FIELD_SOURCE_PORT:
      return PACKET_SOURCE_PORT;
    case FIELD_VLAN:
      return PACKET_VLAN;
    case FIELD_VPN:
      return PACKET_VPN;
    case FIELD_MPLS:
      return PACKET_MPLS;
    case FIELD_PROTOCOL:
      return PACKET_PROTOCOL;
    case FIELD_VLAN_OUTER:
      return PACKET_VLAN_OUTER;
    case FIELD_MPLS_OUTER:
      return PACKET_MPLS_OUTER;
    default:
      return PACKET_REALM;
  }
}

/**
 * Writes what the rule says about the field: the first key at `low`, the first key past it at `high`.
 * Returns how many of the two there are: 0 when anything matches, 1 when the last key of the space does.
 */
export function fieldBounds(field: i32, rule: i32, low: i32, high: i32): i32 {
  switch (field) {
    case FIELD_DESTINATION:
      return prefixBounds(rule + RULE_DESTINATION, ld32(rule + RULE_DESTINATION_PREFIX), low, high);
    case FIELD_SOURCE:
      return prefixBounds(rule + RULE_SOURCE, ld32(rule + RULE_SOURCE_PREFIX), low, high);
    case FIELD_DESTINATION_PORT:
      return portBounds(ld32(rule + RULE_DESTINATION_PORT_FIRST), ld32(rule + RULE_DESTINATION_PORT_LAST), low, high);
    case FIELD_SOURCE_PORT:
      return portBounds(ld32(rule + RULE_SOURCE_PORT_FIRST), ld32(rule + RULE_SOURCE_PORT_LAST), low, high);
    case FIELD_VLAN:
      return labelBounds(ld32(rule + RULE_VLAN), low, high);
    case FIELD_VPN:
      return labelBounds(ld32(rule + RULE_VPN), low, high);
    case FIELD_MPLS:
      return labelBounds(ld32(rule + RULE_MPLS), low, high);
    case FIELD_PROTOCOL:
      return labelBounds(ld32(rule + RULE_PROTOCOL), low, high);
    case FIELD_VLAN_OUTER:
      return labelBounds(ld32(rule + RULE_VLAN_OUTER), low, high);
    case FIELD_MPLS_OUTER:
      return labelBounds(ld32(rule + RULE_MPLS_OUTER), low, high);
    default:
      return labelBounds(ld32(rule + RULE_REALM), low, high);
  }
}

/** Adds the bits of a packet header that the rule looks at in this field to a mask of the same shape, with room for two keys at `free`. */
export function fieldMask(field: i32, rule: i32, mask: i32, free: i32): void {
  const at: i32 = mask + fieldPacketOffset(field);
  if (field === FIELD_DESTINATION) prefixMask(ld32(rule + RULE_DESTINATION_PREFIX), at);
  else if (field === FIELD_SOURCE) prefixMask(ld32(rule + RULE_SOURCE_PREFIX), at);
  else if (fieldBounds(field, rule, free, free + NUMBER_SIZE) > 0) st32(at, -1);
}

function labelBounds(label: i32, low: i32, high: i32): i32 {
  if (label < 0) return 0;
  st32(low, label);
  if (label === LABEL_MAX) return 1;
  st32(high, label + 1);
  return 2;
}

function portBounds(first: i32, last: i32, low: i32, high: i32): i32 {
  if (first === 0 && last === PORT_MAX) return 0;
  st32(low, first);
  st32(high, last + 1);
  return 2;
}

function prefixBounds(address: i32, prefix: i32, low: i32, high: i32): i32 {
  if (prefix === 0) return 0;
  prefixLow(address, prefix, low);
  return prefixHigh(prefix, low, high) ? 2 : 1;
}
