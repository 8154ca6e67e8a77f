/*
 * Which addresses are private, at the edges of each block, on JavaScript and WebAssembly.
 */

import { expect, test } from "vitest";
import { addressParse } from "../../../../hosts/shared/address.ts";
import { coreOpen } from "../harness.ts";

const AT = 4096;
const PRIVATE = [
  ..."10.0.0.0 10.255.255.255 172.16.0.0 172.31.255.255 192.168.0.0 192.168.255.255 100.64.0.0 100.127.255.255 169.254.0.1".split(" "),
  ..."fc00:: fdff:ffff::1 fe80::1 febf::1".split(" "),
];
const PUBLIC = [
  ..."9.255.255.255 11.0.0.0 172.15.255.255 172.32.0.0 192.167.255.255 192.169.0.0 100.63.255.255 100.128.0.0 169.253.0.1 0.0.0.0".split(" "),
  ..."fbff::1 fe00::1 fe7f::1 fec0::1 2001:db8::1 ::a00:1 ::".split(" "),
];

test("private addresses", async () => {
  const { js, wasm } = await coreOpen(["core/bytes/address.ts"], 2 * AT);
  for (const core of [js, wasm]) {
    for (const [texts, expected] of [
      [PRIVATE, 1],
      [PUBLIC, 0],
    ] as const) {
      for (const text of texts) {
        core.bytes.set(addressParse(text)!.bytes, AT);
        expect(Number(core.call("isPrivate", AT)), `${text}, ${core.name}`).toBe(expected);
      }
    }
  }
});
