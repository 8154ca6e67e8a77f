/*
 * Every single message of the corpus, valid, odd and hostile, as a UDP payload from a terminal that is known, from one
 * that is not, and from the server: no trap, nothing sent from an address that is not ours, and JavaScript and
 * WebAssembly do the same, down to the last byte of memory.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { addressParse } from "../../hosts/shared/address.ts";
import type { Datagram } from "../../hosts/shared/capture/datagram.ts";
import { LINK_RAW } from "../../hosts/shared/capture/link.ts";
import { type Config, configRead, problemText } from "../../hosts/shared/config.ts";
import { type CoreSource, VERDICT_TRANSLATED } from "../../hosts/shared/core.ts";
import { Feed, type Outcome } from "../../hosts/shared/replay/feed.ts";
import { type Endpoint, Ownership } from "../../hosts/shared/replay/ownership.ts";
import { corpusMissing, messagesOf } from "./corpus.ts";

const messages = messagesOf(["torture", "sip"]);
const SERVICE = "203.0.113.5";
const SERVER = "10.9.0.10";
const TERMINAL = "192.0.2.9";
const CONFIG = `
realms: { access: { media: 198.51.100.2 }, core: { address: 10.9.0.2 } }
services: { voice: { address: ${SERVICE}, servers: [${SERVER}] } }
capacity: { terminals: 2000 }
`;
const TIMEOUT_MS = 60_000;
const FINDINGS_SHOWN = 5;

const REGISTER = [
  `REGISTER sip:${SERVICE} SIP/2.0`,
  `Via: SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bKreg;rport`,
  "Max-Forwards: 70",
  `From: <sip:alice@${SERVICE}>;tag=reg`,
  `To: <sip:alice@${SERVICE}>`,
  "Call-ID: reg@10.0.0.9",
  "CSeq: 1 REGISTER",
  "Contact: <sip:alice@10.0.0.9:5060>",
  "Expires: 3600",
  "Content-Length: 0",
  "",
  "",
].join("\r\n");

function config(): Config {
  const { config, problems } = configRead(CONFIG, "torture.yaml");
  if (!config) throw new Error(problems.map(problemText).join("\n"));
  return config;
}

function endpoint(address: string, port: number): Endpoint {
  return { address: addressParse(address)!, port };
}

function datagram(from: Endpoint, to: Endpoint, payload: Uint8Array): Datagram {
  const link = { linkType: LINK_RAW, header: new Uint8Array(), namedAt: 0, naming: "none" as const, lengthAt: -1, vlans: [], labels: [] };
  return {
    link,
    version: 4,
    source: from.address,
    destination: to.address,
    sourcePort: from.port,
    destinationPort: to.port,
    hops: 64,
    traffic: 0,
    checksummed: true,
    payload,
  };
}

/** A core with one terminal registered, and the ways into it. */
class World {
  readonly feed: Feed;
  readonly #ownership: Ownership;
  #now = 0;

  constructor(feed: Feed, settled: Config) {
    this.feed = feed;
    this.#ownership = new Ownership(settled);
  }

  send(from: Endpoint, to: Endpoint, payload: Uint8Array): Outcome {
    const realm = this.#ownership.ingressRealm(from, to);
    return this.feed.datagram(datagram(from, to, payload), realm, { vlan: -1, mpls: -1, traffic: 0 }, ++this.#now);
  }

  /** Registers the terminal; returns its C:c. */
  register(): Endpoint {
    const { outputs } = this.send(endpoint(TERMINAL, 5060), endpoint(SERVICE, 5060), Buffer.from(REGISTER));
    const sent = outputs.find((output) => output.kind === "send");
    if (sent?.kind !== "send") throw new Error("the REGISTER did not get through");
    const request = Buffer.from(sent.payload).toString("latin1");
    const answer = request.replace(/^.*\r\n/, "SIP/2.0 200 OK\r\n").replace(/(To:[^\r]*)/, "$1;tag=ok");
    expect(this.send(endpoint(SERVER, 5060), sent.local, Buffer.from(answer, "latin1")).verdict).toBe(VERDICT_TRANSLATED);
    return sent.local;
  }

  isOurs(local: Endpoint): boolean {
    return this.#ownership.service(local) !== undefined || this.#ownership.poolRealm(local) >= 0;
  }
}

async function open(source: CoreSource): Promise<World> {
  const settled = config();
  return new World(await Feed.open(source, settled), settled);
}

/** Everything that the hosts would see. */
function comparable({ verdict, reason, rule, wait, outputs, observation }: Outcome): unknown {
  return { verdict, reason, rule, wait, outputs, edits: observation?.edits };
}

describe.skipIf(corpusMissing !== "")(`single messages${corpusMissing && ` [skipped: missing ${corpusMissing}]`}`, () => {
  test("there are some", () => expect(messages.length).toBeGreaterThan(450));

  test("JavaScript and WebAssembly agree, and send from our addresses only", { timeout: TIMEOUT_MS }, async () => {
    const js = await open({ kind: "js" });
    const wasm = await open({ kind: "wasm", binary: readFileSync(join("dist", "core.wasm")) });
    const mapped = js.register();
    expect(wasm.register()).toEqual(mapped);
    const foreign: string[] = [];
    for (const [i, { name, payload }] of messages.entries()) {
      const ways: [string, Endpoint, Endpoint][] = [
        ["a known terminal", endpoint(TERMINAL, 5060), endpoint(SERVICE, 5060)],
        ["an unknown terminal", endpoint(TERMINAL, 20_000 + i), endpoint(SERVICE, 5060)],
        ["the server", endpoint(SERVER, 5060), mapped],
      ];
      for (const [who, from, to] of ways) {
        const [left, right] = [js.send(from, to, payload), wasm.send(from, to, payload)];
        expect(comparable(right), `${name} from ${who}`).toEqual(comparable(left));
        for (const output of left.outputs)
          if (output.kind === "send" && !js.isOurs(output.local))
            foreign.push(`${name} from ${who}: sent from ${output.local.address.text}:${output.local.port}`);
      }
    }
    expect(Buffer.compare(js.feed.core.memory.bytes, wasm.feed.core.memory.bytes), "the memories are the same").toBe(0);
    expect(foreign.slice(0, FINDINGS_SHOWN), `${foreign.length} in all`).toEqual([]);
  });
});
