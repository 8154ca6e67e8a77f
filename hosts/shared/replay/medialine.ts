/*
 * Where media would have been sent if Culvert had been there. Recorded media goes straight from one party to the
 * other; each party would have sent it to the address of ours that it was told instead.
 */

import { addressParse, endpointText } from "../address.ts";
import type { Config } from "../config.ts";
import type { MediaFlow, MediaSide } from "./observation.ts";
import type { Endpoint } from "./ownership.ts";

/** Our addresses for one component of a flow. */
interface Line {
  access: Endpoint;
  core: Endpoint;
}

export class MediaLines {
  readonly #config: Config;
  /** By what the terminal, and what the core side, signalled. */
  readonly #access = new Map<string, Line>();
  readonly #core = new Map<string, Line>();

  constructor(config: Config) {
    this.#config = config;
  }

  /** Notes the flows of a translated message; a later one takes over the addresses of an earlier. */
  learn(flows: MediaFlow[]): void {
    for (const flow of flows) {
      const rtp = this.#line(flow, 0, 0);
      const muxed = (side: MediaSide): number => (side.rtcp !== undefined && side.rtcp === side.rtp ? 0 : 1);
      const rtcp = this.#line(flow, muxed(flow.access), muxed(flow.core));
      if (flow.access.rtcp) this.#access.set(flow.access.rtcp, rtcp);
      if (flow.core.rtcp) this.#core.set(flow.core.rtcp, rtcp);
      if (flow.access.rtp) this.#access.set(flow.access.rtp, rtp);
      if (flow.core.rtp) this.#core.set(flow.core.rtp, rtp);
    }
  }

  #line(flow: MediaFlow, accessOffset: number, coreOffset: number): Line {
    const ours = (side: MediaSide, offset: number): Endpoint => ({
      address: this.#config.pools[side.pool]?.address ?? addressParse("::")!,
      port: side.ourPort + offset,
    });
    return { access: ours(flow.access, accessOffset), core: ours(flow.core, coreOffset) };
  }

  /** Where this packet would have been sent; undefined when it belongs to no flow that is known. */
  redirect(source: Endpoint, destination: Endpoint): Endpoint | undefined {
    const from = endpointText(source.address.text, source.port);
    const to = endpointText(destination.address.text, destination.port);
    return this.#core.get(to)?.access ?? this.#core.get(from)?.core ?? this.#access.get(from)?.access ?? this.#access.get(to)?.core;
  }
}
