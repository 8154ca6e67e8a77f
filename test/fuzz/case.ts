/*
 * One datagram and what came of it, as those see it who judge; and how they say what is wrong.
 */

import { bytesShow, CoreFault } from "./fault.ts";
import { isSend, type Output } from "./output.ts";

export interface Case {
  inbound: boolean;
  source: string;
  input: string;
  /** Is it a message that RFC 3261 allows? */
  valid: boolean;
  result: number;
  reason: number;
  outputs: Output[];
}

export function fail(property: string, what: string, { input, outputs }: Case): never {
  const sent = outputs.filter(isSend).map(({ payload, remote, remotePort }) => `--- to ${remote}:${remotePort}\n${bytesShow(payload)}`);
  throw new CoreFault(property, `${what}\n--- in\n${bytesShow(input)}\n${sent.join("\n")}`);
}
