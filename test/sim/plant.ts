/*
 * Bugs that the simulator has to find, planted as those of test/fuzz/plant.ts, each with the invariant that must catch it.
 */

import { seedFind } from "../fuzz/fault.ts";
import type { Plant } from "../fuzz/plant.ts";
import { jsVariant } from "../fuzz/variant.ts";
import { World } from "./world.ts";

export const PLANTS: Omit<Plant, "into">[] = [
  {
    what: "anybody latches",
    property: "crossed",
    change: {
      file: "core/relay/tier.ts",
      from: "return policy === LATCH_ANY && poolOf(source, sourcePort) < 0 && kindElsewhere(source, sourcePort) === 0 ? TIER_ANY : TIER_NONE;",
      to: "return TIER_ANY;",
    },
  },
  {
    what: "who is refused is learned all the same",
    property: "stolen",
    change: {
      file: "core/relay/latch.ts",
      from: "  if (tier === TIER_NONE ||",
      to: "  if (state === LATCHED_NOT && tier === TIER_NONE) latchTake(block, latch, packet, rtcp, tier, content);\n  if (tier === TIER_NONE ||",
    },
  },
  {
    what: "a private address in SDP is a source",
    property: "crossed",
    change: { file: "core/relay/tier.ts", from: "return isPrivate(signalled) &&", to: "return false && isPrivate(signalled) &&" },
  },
  {
    what: "who is first keeps a latch",
    property: "media",
    change: { file: "core/relay/latch.ts", from: ">= PROBATION && isSilent(latch, rtcp);", to: "< 0;" },
  },
  {
    what: "a learned media source is not stored",
    property: "media",
    change: { file: "core/relay/latch.ts", from: "  st32(latch + LATCH_PORT, ld32(packet + PACKET_SOURCE_PORT));\n", to: "" },
  },
  {
    what: "media goes to an address behind a NAT that never sent",
    property: "stranger",
    change: { file: "core/translate/sdp/reach.ts", from: "if (side === SIDE_CORE) return nat !== NAT_ALWAYS;", to: "if (side !== 0) return true;" },
  },
  {
    what: "a terminal's spelling is not restored in its Via",
    property: "restored",
    change: {
      file: "core/translate/sip.ts",
      from: "else viaOutboundResponse(m);",
      to: "else if (ld32(MESSAGE + MESSAGE_STATUS) !== 183) viaOutboundResponse(m);",
    },
  },
  {
    what: "what tells about an element is left where the topology is hidden",
    property: "hidden",
    change: {
      file: "core/translate/hide/header.ts",
      from: "if (trace === TRACE_ELEMENT) editAppend(line, lineAfter(line), textMark());",
      to: "if (trace === TRACE_ELEMENT) return;",
    },
  },
  {
    what: "a Call-ID is hidden from the servers alone",
    property: "hidden",
    change: { file: "core/translate/hide/callid.ts", from: "if (len > SEAL_MAX) {", to: "if (len > SEAL_MAX || !isInbound()) {" },
  },
  {
    what: "the servers' domain is shown to terminals that have E for it",
    property: "domain",
    change: { file: "core/translate/hide/domain.ts", from: "if (isDomain(m)) domainRestore(m);", to: "if (isDomain(m) && p === 0) domainRestore(m);" },
  },
  {
    what: "an unused binding has no timer",
    property: "idle",
    change: { file: "core/translate/open.ts", from: "  timerSet(timerOf(SLAB_BINDINGS, index), (now + BINDING_IDLE) | 0);\n", to: "" },
  },
  {
    what: "a port of a flow is not closed",
    property: "sockets",
    change: {
      file: "core/translate/open.ts",
      from: "  sideAnnounce(kind, flow, SIDE_CORE);",
      to: "  if (kind === OUTPUT_BIND) sideAnnounce(kind, flow, SIDE_CORE);",
    },
  },
];

/** Seed of the world that found it, or undefined. */
export async function plantFind(plant: Omit<Plant, "into">, seeds: number, minutes: number): Promise<number | undefined> {
  const makers = [await jsVariant([plant.change])];
  return await seedFind(plant.property, seeds, async (seed) => (await World.open(makers, seed)).run(minutes));
}
