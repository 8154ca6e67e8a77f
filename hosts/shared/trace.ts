/*
 * What is logged of each datagram at level trace: where it came from and went to, and why it fared as it did.
 */

import type { AddressCache } from "./addresscache.ts";
import type { Config } from "./config.ts";
import * as abi from "./core.ts";
import { SLOT } from "./header.ts";
import { reasonName } from "./names.ts";

/** Of the datagram at INPUT, when the core has taken it. */
export function traceFields(words: Int32Array, cache: AddressCache, config: Config): object {
  return {
    realm: config.realms[words[SLOT + (abi.PACKET_REALM >> 2)]!]?.name,
    from: cache.text(words, SLOT + (abi.PACKET_SOURCE >> 2)),
    fromPort: words[SLOT + (abi.PACKET_SOURCE_PORT >> 2)],
    to: cache.text(words, SLOT + (abi.PACKET_DESTINATION >> 2)),
    toPort: words[SLOT + (abi.PACKET_DESTINATION_PORT >> 2)],
    bytes: words[SLOT + (abi.PACKET_LEN >> 2)],
    reason: reasonName(words[abi.HEADER_REASON >> 2]!),
  };
}
