/*
 * sipp over TLS on both sides, on loopback, by both hosts at once. sipp itself has none, so stunnel carries it:
 *
 *   sipp ── TCP ── stunnel ══ TLS ══ Culvert ══ TLS ══ stunnel ── TCP ── sipp
 *
 * Each end shows a certificate and checks the other's, and asks for it by name (SNI). What sipp writes is what a telephone
 * and a server with TLS write.
 */

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect } from "vitest";
import { certificateMake, type Pem } from "../certificate.ts";
import { Capture } from "./capture.ts";
import { Culvert, hosts, loopbackConfiguration } from "./culvert.ts";
import { type Program, stopAll } from "./process.ts";
import { file, labPath, program, root, scenario } from "./requirement.ts";
import { type Figures, type SippOptions, silenced, sipp, sippFigures, sippRun } from "./sipp.ts";
import { stunnel } from "./stunnel.ts";

const PORT = 5760;
const SECURE = 5761;
/** stunnel for the caller: here sipp connects to it. */
const CALLER = 5770;
/** stunnel for the callee, which knows TLS here, and sipp behind it. */
const CALLEE = 5771;
const CALLEE_PLAIN = 5772;
/** sipp that calls: all calls by one connection (t1), each by one of its own (tn). */
const CALLING = { t1: { port: 5780, mediaPort: 6000 }, tn: { port: 5781, mediaPort: 7000 } };
const CALLEE_MEDIA = 8000;
const NAME = "sip.example.com";
const SERVER_NAME = "server.example.com";
/** Longest life of a program, and of a scenario. */
const SECONDS = 100;

/** By one connection, and as many beside them by one each. */
const CALLS = 60;
const RATE = 20;
const BACK_WITHIN_S = 35;
/** No more than they need: as many again can only succeed with what has been given back. */
const CAPACITY = { terminals: CALLS + 1, bindings: CALLS + 1, connections: 2 * (CALLS + 1), calls: 2 * CALLS };

const scripts = join(labPath, "sipp");
const needs = [...["sipp", "stunnel", "openssl"].map(program), file(scripts)];
const watching = [root(), ...["tcpdump", "tshark"].map(program)];
const folder = join(tmpdir(), `culvert-tls-${process.pid}`);

afterAll(async () => {
  await stopAll();
  rmSync(folder, { recursive: true, force: true });
});

interface Certificates {
  /** Culvert's, for who asks for NAME of it, and for everybody else. */
  named: Pem;
  unnamed: Pem;
  /** What it shows the server. */
  core: Pem;
  phone: Pem;
  server: Pem;
  /** Trusted as the server's is, but of another name. */
  misnamed: Pem;
  /** Of the right names, and trusted by nobody. */
  stranger: Pem;
}

function certificatesMake(within: string): Certificates {
  const make = (name: string, ...alternatives: string[]): Pem => certificateMake(within, name, alternatives);
  return {
    named: make("named", `DNS:${NAME}`),
    unnamed: make("unnamed", "DNS:unnamed.example.com"),
    core: make("core", "DNS:core.example.com"),
    phone: make("phone", "DNS:phone.example.com"),
    server: make("server", `DNS:${SERVER_NAME}`),
    misnamed: make("misnamed", "DNS:other.example.com"),
    stranger: make("stranger", "DNS:phone.example.com", `DNS:${SERVER_NAME}`),
  };
}

/** What the ends show, and which name the caller asks Culvert for. */
interface Ends {
  phone: Pem | undefined;
  server: Pem;
  asks: string;
  /** Whom the server trusts to be Culvert. */
  core: Pem;
}

/** How calls went at the caller. */
interface Called {
  code: number;
  output: string;
  figures: Figures;
}

/** Culvert and all that is on both sides of it, on an address of their own. */
class Line {
  readonly address: string;
  readonly folder: string;
  readonly certificates: Certificates;
  readonly #caller: string;
  readonly #callee: string;

  constructor(address: string) {
    this.address = address;
    this.folder = join(folder, address);
    mkdirSync(this.folder, { recursive: true });
    this.certificates = certificatesMake(this.folder);
    this.#caller = this.#secured("uac_rtp.xml", "[local_ip]:[local_port]");
    this.#callee = this.#secured("uas.xml", `${address}:${CALLEE}`);
  }

  culvert(command: string[]): Promise<Culvert> {
    const { unnamed, named, phone, core, server, misnamed } = this.certificates;
    const authorities = join(this.folder, "authorities.pem");
    writeFileSync(authorities, [server, misnamed].map(({ certificate }) => readFileSync(certificate, "utf8")).join(""));
    const configuration = loopbackConfiguration(this.folder, PORT, `${this.address}:${CALLEE}`, this.address);
    configuration.capacity = CAPACITY;
    Object.assign(configuration.services["voice"]!, {
      tls: { ...unnamed, names: { [NAME]: named }, clients: phone.certificate },
      transports: { tls: SECURE },
      coreTransport: "tls",
      coreTls: { ...core, authorities, name: SERVER_NAME },
    });
    return Culvert.start(this.folder, configuration, command, SECONDS);
  }

  /** TLS of the caller and of the callee, as they should be but for what is given. */
  tunnels(ends: Partial<Ends> = {}): Promise<[Program, Program]> {
    const { address, certificates } = this;
    const { phone, server, asks, core }: Ends = { ...certificates, asks: NAME, ...ends };
    const common = { folder: this.folder, address, seconds: SECONDS };
    return Promise.all([
      stunnel({ ...common, name: "caller", port: CALLER, to: SECURE, own: phone, trusted: certificates.named.certificate, asks }),
      stunnel({ ...common, name: "callee", port: CALLEE, to: CALLEE_PLAIN, own: server, trusted: core.certificate }),
    ]);
  }

  /** A scenario of the lab as who has TLS writes it: in Via, in Contact, and where the sender is reached. */
  #secured(name: string, contact: string): string {
    const path = join(this.folder, name);
    const text = silenced(readFileSync(join(scripts, name), "utf8"))
      .replaceAll("SIP/2.0/[transport]", "SIP/2.0/TLS")
      .replaceAll(";transport=[transport]", ";transport=tls")
      .replaceAll("[remote_ip]:[remote_port]", `${this.address}:${SECURE}`)
      .replace(/(?<=Contact: <sip:.*)\[local_ip\]:\[local_port\]/g, contact);
    writeFileSync(path, text);
    return path;
  }

  /** Runs the callee; what is returned ends it and has its figures. */
  callee(): () => Promise<Figures> {
    const options: SippOptions = {
      scenario: this.#callee,
      local: this.address,
      port: CALLEE_PLAIN,
      mediaPort: CALLEE_MEDIA,
      seconds: SECONDS,
      folder: this.folder,
      transport: "t1",
    };
    const uas = sipp(options);
    return async () => {
      await uas.stop();
      return sippFigures(options);
    };
  }

  async call(transport: "t1" | "tn", calls: number): Promise<Called> {
    const options: SippOptions = {
      ...CALLING[transport],
      scenario: this.#caller,
      remote: `${this.address}:${CALLER}`,
      user: "b",
      local: this.address,
      calls,
      rate: RATE,
      seconds: 30,
      folder: this.folder,
      transport,
      // Otherwise it asks for more descriptors than a process is given.
      extra: ["-max_socket", String(2 * CALLS)],
    };
    const { code, output } = await sippRun(options);
    return { code, output, figures: sippFigures(options) };
  }

  /** Two calls between these ends, and what each stunnel said of it. */
  async tried(ends: Partial<Ends> = {}): Promise<Called & { phone: string; server: string }> {
    const tunnels = await this.tunnels(ends);
    const called = await this.call("t1", 2);
    const [phone, server] = await Promise.all(tunnels.map((tunnel) => tunnel.stop()));
    return { ...called, phone: phone!.output, server: server!.output };
  }
}

function expectAll({ code, output, figures }: Called, calls: number, culvert: Culvert): void {
  const report = `all ${calls} calls\n${output.slice(-1500)}${culvert.tail}`;
  expect(code, report).toBe(0);
  expect(figures, report).toMatchObject({ successful: calls, failed: 0 });
}

function expectNone({ code, output, figures }: Called, who: string, culvert: Culvert): void {
  const report = `no call with ${who}\n${output.slice(-1500)}${culvert.tail}`;
  expect(code, report).not.toBe(0);
  expect(figures.successful, report).toBe(0);
}

async function callsSucceed(line: Line, culvert: Culvert): Promise<void> {
  for (const called of await Promise.all([line.call("t1", CALLS), line.call("tn", CALLS)])) expectAll(called, CALLS, culvert);
}

/** Waits until what calls held is given back. */
async function givenBack(culvert: Culvert, idle: number): Promise<void> {
  expect(culvert.descriptors, "calls that ended are held for a while").toBeGreaterThan(idle + CALLS);
  let waited = 0;
  for (; waited < BACK_WITHIN_S && culvert.descriptors > idle; waited++) await sleep(1000);
  expect(culvert.descriptors, `descriptors, idle ${idle}, ${waited} s after the last call${culvert.tail}`).toBe(idle);
}

/** How often each row is there. */
function tally(rows: string[][]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const row of rows) counts[row.join(" ")] = (counts[row.join(" ")] ?? 0) + 1;
  return counts;
}

/** For tshark, which else takes a connection from a port of another protocol, IRC's 57000 say, for that protocol. */
const TLS_PORTS = [SECURE, CALLEE].flatMap((port) => ["-d", `tcp.port==${port},tls`]);

/** Each connection was asked for by name, once; SIP is read where sipp has its plain TCP, and nowhere else. */
async function expectUnreadable(wire: Capture, connections: number): Promise<void> {
  const hellos = await wire.fields("tls.handshake.type == 1", ["tcp.dstport", "tls.handshake.extensions_server_name"], TLS_PORTS);
  expect(tally(hellos)).toEqual({ [`${SECURE} ${NAME}`]: connections, [`${CALLEE} ${SERVER_NAME}`]: connections });
  const readable = await wire.fields('frame contains "SIP/2.0"', ["tcp.srcport", "tcp.dstport"]);
  const isPlain = (row: string[]): boolean => row.includes(String(CALLER)) || row.includes(String(CALLEE_PLAIN));
  expect(readable.filter(isPlain).length).toBeGreaterThan(connections);
  expect(readable.filter((row) => !isPlain(row))).toEqual([]);
}

describe.concurrent.each(hosts.map((host, index) => ({ ...host, index })))("sipp over TLS on both sides, $name", ({ command, needs: own, index }) => {
  scenario(`${CALLS} calls by one connection and ${CALLS} by one each, and again`, [...needs, ...own, ...watching], SECONDS, async () => {
    const line = new Line(`127.0.1.${index + 1}`);
    const wire = await Capture.start(undefined, "lo", join(line.folder, "wire.pcap"), `host ${line.address}`, SECONDS);
    const calleeEnd = line.callee();
    await line.tunnels();
    const culvert = await line.culvert(command);
    const idle = culvert.descriptors;
    await callsSucceed(line, culvert);
    await givenBack(culvert, idle);
    await callsSucceed(line, culvert);
    await sleep(1000);
    for (const event of ["call-started", "call-answered", "call-ended"]) expect(culvert.events(event), event).toBe(4 * CALLS);
    expect(await calleeEnd(), culvert.tail).toMatchObject({ successful: 4 * CALLS, failed: 0 });
    await culvert.stop();
    await wire.stop();
    await expectUnreadable(wire, 2 * (CALLS + 1));
  });

  scenario("control: who is not trusted, or has another name, is not spoken to", [...needs, ...own], SECONDS, async () => {
    const line = new Line(`127.0.2.${index + 1}`);
    const { stranger, misnamed } = line.certificates;
    const calleeEnd = line.callee();
    const culvert = await line.culvert(command);
    expectAll(await line.tried(), 2, culvert);
    for (const phone of [stranger, undefined]) {
      const tried = await line.tried({ phone });
      expectNone(tried, `a telephone whose certificate is ${phone?.certificate}`, culvert);
      expect(tried.server, "nothing of it comes to the server").not.toContain("accepted connection");
    }
    const asked = await line.tried({ asks: "other.example.com" });
    expectNone(asked, "a telephone that asks for a name that Culvert has no certificate of", culvert);
    expect(asked.phone).toContain("Rejected by CERT at depth=0: CN=unnamed");
    for (const server of [stranger, misnamed]) {
      const tried = await line.tried({ server });
      expectNone(tried, `a server whose certificate is ${server.certificate}`, culvert);
      expect(tried.server, "Culvert connects to it").toContain("accepted connection");
      expect(tried.server, "and goes no further").not.toContain("TLS accepted");
    }
    const refusing = await line.tried({ core: stranger });
    expectNone(refusing, "a server that takes Culvert for a stranger", culvert);
    expect(refusing.output, "the caller is told (RFC 3261 16.9)").toContain("503");
    expectAll(await line.tried(), 2, culvert);
    await sleep(1000);
    expect(await calleeEnd(), culvert.tail).toMatchObject({ successful: 4, failed: 0 });
    await culvert.stop();
  });
});
