/*
 * Latching under attack: every attacker at every moment under every policy, with every kind of datagram. What came of it is
 * the table of core/relay/README.md, and the rules that the default is safe by hold.
 */

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CoreFault } from "../fuzz/fault.ts";
import { builtMakers, type Change, jsVariant } from "../fuzz/variant.ts";
import { admissionCheck, admissionText, KINDS, POLICIES } from "./admission.ts";
import { attacksPlay } from "./attack.ts";

const README = "core/relay/README.md";
const latch = "core/relay/latch.ts";
const tier = "core/relay/tier.ts";

const PLANTS: (Change & { what: string })[] = [
  {
    what: "anybody latches",
    file: tier,
    from: "return policy === LATCH_ANY && poolOf(source, sourcePort) < 0 && kindElsewhere(source, sourcePort) === 0 ? TIER_ANY : TIER_NONE;",
    to: "return TIER_ANY;",
  },
  { what: "a hidden address is believed", file: tier, from: "return isPrivate(signalled) &&", to: "return false && isPrivate(signalled) &&" },
  { what: "an ended call learns", file: tier, from: "=== CALL_ENDED) return false;", to: "=== CALL_ENDED) return true;" },
  { what: "the window never closes", file: tier, from: "ld32(HEADER_NOW)) | 0) >= 0;", to: "ld32(HEADER_NOW)) | 0) >= -1000000;" },
  { what: "a rival need not wait", file: latch, from: ">= PROBATION && isSilent(latch, rtcp);", to: ">= PROBATION;" },
  {
    what: "a rival needs one packet",
    file: latch,
    from: "return rivalCount(latch, packet, content) >= PROBATION && isSilent(latch, rtcp);",
    to: "return true;",
  },
  { what: "a lock holds nothing", file: latch, from: "if (state === LATCHED_LOCKED) return strong && tier === TIER_SIGNALLED && isWindowOpen(flow);", to: "" },
  { what: "RTCP comes from anywhere", file: latch, from: "if ((ld32(flow + FLOW_FLAGS) & FLOW_FLAG_MUX) !== 0) return false;", to: "return true;" },
];

describe("attacks on a latch", () => {
  for (const policy of POLICIES) {
    test(`latch ${policy}: what is admitted is what ${README} says`, async () => {
      const makers = await builtMakers();
      const played: Parameters<typeof admissionText>[0] = [];
      for (const kind of KINDS) {
        const setting = { policy, kind, mux: false };
        const rows = await attacksPlay(policy === "source" ? makers : makers.slice(0, 1), setting);
        admissionCheck(setting, rows);
        played.push([kind, rows]);
      }
      expect(readFileSync(README, "utf8")).toContain(admissionText(played));
    }, 60_000);
  }

  test("RTCP on RTP's port opens no other way in", async () => {
    const setting = { policy: "source", kind: "auto", mux: true } as const;
    admissionCheck(setting, await attacksPlay((await builtMakers()).slice(0, 1), setting));
  });
});

describe("a planted bug of a latch is found", () => {
  test.each(PLANTS)("$what", async ({ file, from, to }) => {
    const makers = [await jsVariant([{ file, from, to }])];
    let found: unknown;
    for (const mux of [false, true]) {
      const setting = { policy: "source", kind: "auto", mux } as const;
      try {
        if (found === undefined) admissionCheck(setting, await attacksPlay(makers, setting));
      } catch (error) {
        found = error;
      }
    }
    expect(found).toBeInstanceOf(CoreFault);
    expect((found as CoreFault).property).toBe("admitted");
  });
});
