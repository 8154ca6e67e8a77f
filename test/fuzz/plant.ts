/*
 * Bugs that the fuzz has to find: each a change of one place in the core, and the property that must catch it. Those of
 * one engine alone are planted into WebAssembly; the others into a JavaScript core that runs by itself, so that no
 * comparison gives them away.
 */

import { seedFind } from "./fault.ts";
import { type Pace, stretchPlay } from "./fuzz.ts";
import type { Maker } from "./lockstep.ts";
import { builtMakers, type Change, jsVariant, wasmVariant } from "./variant.ts";

export interface Plant {
  what: string;
  into: "js" | "wasm";
  property: string;
  change: Change;
}

export const PLANTS: Plant[] = [
  {
    what: "a signed product instead of an unsigned one, in WebAssembly",
    into: "wasm",
    property: "difference",
    change: { file: "core/machine.asc.ts", from: "u64(u32(a)) * u64(u32(b))", to: "u64(i64(a) * i64(b))" },
  },
  {
    what: "a signed byte load, in WebAssembly",
    into: "wasm",
    property: "difference",
    change: { file: "core/machine.asc.ts", from: "return load<u8>(p);", to: "return load<i8>(p);" },
  },
  {
    what: "the top Via is not mapped",
    into: "js",
    property: "access address",
    change: {
      file: "core/translate/via.ts",
      from: "  st32(CONTEXT_BINDING, binding);\n  bindingReplace(m, binding);",
      to: "  st32(CONTEXT_BINDING, binding);",
    },
  },
  {
    what: "Content-Length does not follow the body",
    into: "js",
    property: "length",
    change: { file: "core/translate/sip.ts", from: "  lengthsMap();\n  if", to: "  if" },
  },
  {
    what: "a Contact of the core side is skipped",
    into: "js",
    property: "core address",
    change: { file: "core/translate/sip.ts", from: "    outboundMap(m);\n    return;", to: "    if (role !== ROLE_CONTACT) outboundMap(m);\n    return;" },
  },
  {
    what: "a Contact of the terminal is skipped",
    into: "js",
    property: "access address",
    change: {
      file: "core/translate/address.ts",
      from: "  if (binding >= 0) {\n    bindingReplace(m, binding);",
      to: "  if (binding >= 0) {\n    if (role !== ROLE_CONTACT) bindingReplace(m, binding);",
    },
  },
  {
    what: "a token's tag is not looked at",
    into: "js",
    property: "forged",
    change: { file: "core/bytes/cipher.ts", from: "return wrong === 0;", to: "return wrong !== 1;" },
  },
  {
    what: "a port of a flow is not closed",
    into: "js",
    property: "sockets",
    change: {
      file: "core/translate/open.ts",
      from: "  sideAnnounce(kind, flow, SIDE_CORE);",
      to: "  if (kind === OUTPUT_BIND) sideAnnounce(kind, flow, SIDE_CORE);",
    },
  },
  {
    what: "media goes to an address behind a NAT that never sent",
    into: "js",
    property: "stranger",
    change: { file: "core/translate/sdp/reach.ts", from: "if (side === SIDE_CORE) return nat !== NAT_ALWAYS;", to: "if (side !== 0) return true;" },
  },
  {
    what: "a registration that ends stays counted",
    into: "js",
    property: "tables",
    change: { file: "core/table/registration.ts", from: "(ld32(b + BINDING_REGISTRATIONS) - 1) | 0", to: "(ld32(b + BINDING_REGISTRATIONS) - 0) | 0" },
  },
  {
    what: "what a connection holds is not given back",
    into: "js",
    property: "tables",
    change: { file: "core/table/connection.ts", from: "  blocksGive(c);\n", to: "" },
  },
  {
    what: "a connection that is closed stays",
    into: "js",
    property: "connections",
    change: { file: "core/path/connection.ts", from: "  connectionClose(index);\n  return", to: "  return" },
  },
  {
    what: "a c= line of one media is skipped",
    into: "js",
    property: "described",
    change: {
      file: "core/translate/sdp/session.ts",
      from: "if (isConnectionMapped(index)) addressReplace(m);",
      to: "if (isConnectionMapped(index) && ld32(m + MENTION_MEDIA) < 0) addressReplace(m);",
    },
  },
  {
    what: "To is edited with the Contact",
    into: "js",
    property: "preserved",
    change: {
      file: "core/decode/sip/message.ts",
      from: "      return partyRead(line, p, end, MESSAGE_TO_LINE, MESSAGE_TO_TAG);",
      to: "      listRead(ROLE_CONTACT, p, end);\n      return partyRead(line, p, end, MESSAGE_TO_LINE, MESSAGE_TO_TAG);",
    },
  },
  {
    what: "where a hidden request came by is shown",
    into: "js",
    property: "hidden",
    change: {
      file: "core/translate/hide/topology.ts",
      from: "else if (role === ROLE_VIA_LOWER && request) viaHide(m);",
      to: "else if (role === ROLE_VIA_LOWER && request) exposedNote();",
    },
  },
  {
    what: "what tells about an element is left",
    into: "js",
    property: "hidden",
    change: {
      file: "core/translate/hide/header.ts",
      from: "if (trace === TRACE_ELEMENT) editAppend(line, lineAfter(line), textMark());",
      to: "if (trace === TRACE_ELEMENT) return;",
    },
  },
  {
    what: "a longer Call-ID is not hidden",
    into: "js",
    property: "hidden",
    change: { file: "core/translate/hide/callid.ts", from: "if (len > SEAL_MAX) {", to: "if (len > 20) {" },
  },
  {
    what: "a hidden Via loses its last byte",
    into: "js",
    property: "restored",
    change: { file: "core/translate/hide/topology.ts", from: "  textBytes(SEAL_TEXT, len);\n", to: "  textBytes(SEAL_TEXT, len - 1);\n" },
  },
  {
    what: "an identity at E stays",
    into: "js",
    property: "domain",
    change: {
      file: "core/translate/hide/domain.ts",
      from: "} else if (isService(m)) domainReplace(m);",
      to: "} else if (isService(m) && hasDomain() && p === 0) domainReplace(m);",
    },
  },
  {
    what: "how a piece of a stream ended is forgotten",
    into: "js",
    property: "cut",
    change: {
      file: "core/input/stream.ts",
      from: "const stop: i32 = head === 0 ? end : head;\n  st32(connection + CONNECTION_SCAN, ld32(FRAME_SCAN));",
      to: "const stop: i32 = head === 0 ? end : head;\n  st32(connection + CONNECTION_SCAN, SCAN_LINE);",
    },
  },
  {
    what: "timers that change are not marked",
    into: "js",
    property: "dirty",
    change: {
      file: "core/table/timer.ts",
      from: "return dirtyMark((table(REGION_TIMERS) + mul(id, TIMER_SIZE)) | 0);",
      to: "return (table(REGION_TIMERS) + mul(id, TIMER_SIZE)) | 0;",
    },
  },
  {
    what: "a restart leaves the core side of media closed",
    into: "js",
    property: "restart",
    change: {
      file: "core/translate/open.ts",
      from: "  flowAnnounce(OUTPUT_BIND, flow);\n  st32(flow + FLOW_SEEN",
      to: "  sideAnnounce(OUTPUT_BIND, flow, SIDE_ACCESS);\n  st32(flow + FLOW_SEEN",
    },
  },
  {
    what: "the streams of a message decoded ahead are another's",
    into: "js",
    property: "batch",
    change: { file: "core/path/ahead.ts", from: "MENTION_MOST, entry + MEDIA, MEDIA_MOST);", to: "MENTION_MOST, AHEAD + MEDIA, MEDIA_MOST);" },
  },
  {
    what: "tables that were cut short are taken",
    into: "js",
    property: "image",
    change: { file: "core/table/slab.ts", from: "return used === ld32(slab + USED) && free >= 0", to: "return free >= 0" },
  },
];

async function makersOf({ into, change }: Plant): Promise<Maker[]> {
  if (into === "js") return [await jsVariant([change])];
  return [(await builtMakers())[0]!, await wasmVariant([change])];
}

/** Seed of the stretch that found it, or undefined. */
export async function plantFind(plant: Plant, stretches: number, pace: Pace): Promise<number | undefined> {
  const makers = await makersOf(plant);
  return await seedFind(plant.property, stretches, (seed) => stretchPlay(makers, seed, pace));
}
