/*
 * The shape of culvert.yaml (SPEC 3): what may be written where. What depends on another part of the file
 * (names, defaults, overlaps) is settled in realm.ts, service.ts, pool.ts and rule.ts.
 * Invariant: unknown keys are errors at every level. The published JSON Schema is made from this.
 */

import { z } from "zod";
import { address, addresses, device, devices, domain, duration, endpoint, hostName, mac, name, port, portName, portRange, prefix, protocol } from "./field.ts";

/** Most records of one kind: handles of the core have 20 bits for the index. */
export const RECORDS_MOST = 1_000_000;

/** Each has a program at the kernel's socket look-up, which takes 64 in a network namespace. */
export const WORKERS_MOST = 32;

/** Saving more often costs more than it keeps. */
const STATE_EVERY_LEAST_MS = 10;
/** A packet's time: a telephone sends one every 20 ms. */
const PACE_MOST_MS = 20;

const latchMode = z.enum(["strict", "source", "any"]);

const latch = z
  .union([latchMode.transform((mode) => ({ mode, window: undefined })), z.strictObject({ mode: latchMode.optional(), window: duration.optional() })], {
    error: "must be strict, source or any, or { mode: …, window: 60s }",
  })
  .describe(
    "Which media source is learned: strict = the signalled address, source = also the address that signaling comes from, any = whoever sends first inside the window.",
  );

const label = (highest: number) => z.int().min(0).max(highest).optional();

const VLAN_HIGHEST = 4094;
const MPLS_HIGHEST = 1_048_575;

/** One label, or the outer and the inner one. */
const labels = (highest: number) => {
  const one = z.int().min(0).max(highest);
  return z
    .union([one, z.tuple([one, one])], { error: `must be a number up to ${highest}, or two of them in brackets: the outer and the inner one` })
    .optional();
};

/** A field of headers: one value, or one for signaling and one for media. */
const marks = (highest: number) => {
  const one = z.int().min(0).max(highest);
  return z
    .union([one, z.strictObject({ signal: one.optional(), media: one.optional() })], { error: `must be a number up to ${highest}, or { signal: …, media: … }` })
    .optional();
};

const netInterface = z.strictObject({
  mac: mac.optional().describe("Our hardware address. Default: the interface's own; in a capture, frames to any address may be for us."),
  peer: device.optional().describe("Interface where frames go on that are not ours. Default: they are given to the machine's own stack."),
  mtu: z
    .int()
    .min(576)
    .max(65_535)
    .optional()
    .describe("Longest IP packet, with MPLS labels and QinQ tags before it counted. Default 1500, or what the interface takes where that is less."),
  vpn: label(0x7ffffffe).describe("VPN id of what comes in by it. Default none."),
  receive: z
    .enum(["packet", "xdp"])
    .optional()
    .describe(
      "How frames come in. packet: by a packet socket, which the machine's own stack does not notice; xdp: UDP for us by AF_XDP, before the stack, to one worker. Default packet.",
    ),
});

const realm = z.strictObject({
  kind: z
    .enum(["access", "core"])
    .optional()
    .describe("access: terminals live here; core: servers do. Default: as services use the realm, else by its name (core… is core)."),
  interface: devices
    .optional()
    .describe("Network interface or interfaces that its packets come by: where `culvert router` intercepts; in packet mode its frames. Default: any."),
  terminals: z.array(prefix).min(1).optional().describe("Networks of the terminals: Culvert may send on in their name what is not for it."),
  address: addresses.optional().describe("Our addresses in the realm: C in a core realm, B in an access realm."),
  media: address.optional().describe("Our address in SDP. Default: the first address."),
  nat: z
    .enum(["auto", "never", "always"])
    .optional()
    .describe(
      "Are terminals here taken to be behind NAT? Default auto. In a core realm, always: no media is sent there before some has come. Default there never.",
    ),
  ports: z
    .strictObject({ signal: portRange.optional(), media: portRange.optional() })
    .optional()
    .describe("Port pools. Default signal 10000-19999 (core realms), media 20000-39999, divided between realms that share an address."),
  keepalive: duration.optional().describe("Interval of keep-alives towards terminals, or off. Default 20s in access realms."),
  inactivity: duration.optional().describe("A call without media for so long ends, unless it is on hold. Default 60s, off for never."),
  linger: duration.optional().describe("An ended call keeps its ports for so long. Default 32s."),
  latch: latch.optional(),
  vlan: labels(VLAN_HIGHEST).describe("VLAN id of its frames, or [outer, inner]; 0 is no tag. Default any."),
  mpls: labels(MPLS_HIGHEST).describe("MPLS label of its frames, or [top, bottom]. Default any."),
  vpn: label(0x7ffffffe).describe("VPN id of the interface that its frames come by. Default any."),
  nextHop: mac.optional().describe("Hardware address that frames are sent to unless they answer others. Default: learned."),
  dscp: marks(63).describe("DSCP of datagrams that leave for the realm, but by portable sockets. Default: as it came."),
  pcp: marks(7).describe("Priority in the VLAN tag of what leaves for the realm. Default: as it came."),
  trafficClass: marks(7).describe("Traffic class in the MPLS label of what leaves for the realm. Default: as it came."),
});

/** A transport at E: at this port, at its usual one, or not at all. */
const transport = z.union([z.boolean(), port], { error: "must be true, false or a port" }).optional();

const transports = z.strictObject({
  tcp: z.boolean().optional().describe("SIP over TCP at the service's own port. Default true."),
  tls: transport.describe("SIP over TLS, at port 5061 or another. Default: when there is `tls:`."),
  ws: port.optional().describe("Port for SIP over WebSocket (RFC 7118). Default none."),
  wss: port.optional().describe("Port for SIP over secure WebSocket. Default none."),
});

const certificate = z.strictObject({
  certificate: z.string().min(1).describe("PEM file: the certificate, then those that it was issued by."),
  key: z.string().min(1).describe("PEM file: its private key."),
});

const tls = z.strictObject({
  ...certificate.shape,
  names: z.record(z.string().min(1), certificate).optional().describe("Certificates for other names that terminals ask for (SNI)."),
  clients: z.string().min(1).optional().describe("PEM file of authorities: terminals must show a certificate of one of them."),
});

const coreTls = z.strictObject({
  authorities: z.string().min(1).optional().describe("PEM file: who may have issued the servers' certificates. Default: those that the host knows."),
  name: z.string().min(1).optional().describe("Name that the servers' certificates must have. Default: their address."),
  certificate: z.string().min(1).optional().describe("PEM file: what the servers see, where they ask for it."),
  key: z.string().min(1).optional().describe("PEM file: its private key."),
});

const service = z.strictObject({
  address: endpoint.describe("E: the address (or address:port) that terminals send to."),
  port: port.optional().describe("Port e. Default 5060."),
  transports: transports.optional().describe("What terminals may use besides UDP."),
  tls: tls.optional().describe("Certificates that terminals see; needed for tls and wss."),
  coreTransport: z
    .enum(["same", "udp", "tcp", "tls"])
    .optional()
    .describe("Transport towards the servers. Default same: UDP for what came by UDP, TCP for TCP, TLS and WebSocket."),
  coreTls: coreTls.optional().describe("For coreTransport tls: whom to trust, and what to show."),
  servers: z.array(endpoint).min(1).describe("D: the servers behind it, address or address:port."),
  access: z.string().optional().describe("Realm of the terminals. Default: the only access realm."),
  core: z.string().optional().describe("Realm of the servers. Default: the only core realm."),
  protocols: z
    .array(z.enum(["sip", "mgcp", "h248", "h323"]))
    .min(1)
    .optional()
    .describe("Default [sip]."),
  undecodable: z.enum(["pass", "drop"]).optional().describe("What happens to messages that cannot be decoded. Default pass (byte-identical)."),
  sdpOrigin: z.enum(["keep", "hide"]).optional().describe("The o= line of SDP: kept, or mapped like the rest. Default keep, with `hide` hide."),
  ice: z.enum(["strip", "relay", "pass"]).optional().describe("ICE in SDP. Default strip."),
  terminalExpires: duration.optional().describe("Registration expiry towards terminals, shorter than the registrar's. Default: as granted."),
  whenFull: z
    .enum(["answer", "drop", "pass"])
    .optional()
    .describe("New work that finds a table full is answered (503), dropped, or passed as it came, with the addresses that it has. Default answer."),
  hops: z.enum(["ignore", "answer"]).optional().describe("A request whose Max-Forwards is 0 passes, or is answered 483. Default ignore: Culvert is no hop."),
  hide: z
    .boolean()
    .optional()
    .describe("Topology hiding: inner Vias, server names, Call-IDs and user agents of one side are not shown to the other. Default false."),
  domain: domain.optional().describe("The servers' domain, for terminals that use `address` as theirs: written instead of it in identities. Default none."),
  names: z
    .array(hostName)
    .optional()
    .describe("Names that terminals have for themselves in place of an address, such as pbx.example.com or *.example.com: mapped like one. Default none."),
  calls: z
    .enum(["anyone", "registered"])
    .optional()
    .describe("Who may place calls and send other requests: anyone, or terminals that are registered; others are answered 403. Default anyone."),
  openCore: z.boolean().optional().describe("Anybody in the core realm may send to terminals, not just the servers. Default false."),
});

const away = z.strictObject({
  via: address.describe("Gateway that what we send from a service address goes to."),
  interface: device.optional().describe("Interface towards it. Default: where the gateway is reached."),
  to: prefix.optional().describe("Only for these terminals. Default: all of its IP version."),
});

const gateway = z.strictObject({
  terminals: z.array(portName).min(1).optional().describe("Its interfaces towards the terminals."),
  proxy: portName.optional().describe("Its interface towards us."),
  nextHops: addresses.optional().describe("Our addresses, one of each IP version, that it sends to. Default: those of the access realms."),
  returns: addresses.optional().describe("Where it sends what we send from a service address, by policy. Default: by destination."),
});

const interception = z.strictObject({
  mode: z
    .enum(["serial", "parallel", "both"])
    .optional()
    .describe("serial: packets pass through this machine; parallel: a router sends it what is for the services. Default serial."),
  kind: z
    .enum(["shadow", "tproxy", "local"])
    .optional()
    .describe(
      "shadow: shadow routes, for plain sockets; tproxy: for batched sockets, which are transparent then (IP_TRANSPARENT); local: the service addresses stand on an interface. Default shadow.",
    ),
  device: device.optional().describe("For kind local: the interface with the service addresses. Default lo."),
  fallback: z
    .enum(["forward", "drop"])
    .optional()
    .describe("What happens to signaling while Culvert does not run: it goes on to the service address, or nowhere. Default forward."),
  returns: z.array(away).min(1).optional().describe("The way back of what is sent from a service address. Default: the main routing table."),
  preference: z.int().min(1).max(32_000).optional().describe("Lowest of the seven preferences of our routing rules. Default 10."),
  table: z.int().min(256).max(0x7ffffff0).optional().describe("First number of our routing tables. Default 1067."),
  mark: z.int().min(1).max(0x7fffffff).optional().describe("Bit or bits of the packet mark that are ours. Default 0x40000000."),
  router: gateway.optional().describe("The router that parallel mode needs, for `culvert router --print`."),
});

const rule = z.strictObject({
  in: z.string().optional().describe("Realm that the packet comes in from."),
  vpn: label(0x7fffffff).describe("VPN id."),
  vlan: labels(VLAN_HIGHEST).describe("VLAN id of the inner (or only) tag, or [outer, inner]."),
  mpls: labels(MPLS_HIGHEST).describe("MPLS label at the bottom of the stack, or [top, bottom]."),
  protocol: protocol.optional().describe("udp, tcp or a number."),
  from: prefix.optional().describe("Source network."),
  fromPort: portRange.optional().describe("Source ports."),
  to: prefix.optional().describe("Destination network."),
  toPort: portRange.optional().describe("Destination ports."),
  proxy: z.string().optional().describe("Action: take it through this service."),
  forward: z.literal(true).optional().describe("Action: pass it on untouched."),
  discard: z.literal(true).optional().describe("Action: drop it."),
});

const workerCount = z.union([z.literal("auto"), z.int().min(1).max(WORKERS_MOST)], { error: `must be auto or a number from 1 to ${WORKERS_MOST}` });

const workers = z.union(
  [
    workerCount.transform((count) => ({ count, by: undefined })),
    z.strictObject({
      count: workerCount.describe("How many processes; auto: one for each processor."),
      by: z
        .enum(["address", "port"])
        .optional()
        .describe("What tells a terminal's worker. address: where it sends from, so that all from there have one; port: that and its port. Default address."),
    }),
  ],
  { error: `must be auto, a number from 1 to ${WORKERS_MOST}, or { count: …, by: address or port }` },
);

const records = (highest: number) => z.int().min(1).max(highest).optional();

const capacity = z.strictObject({
  terminals: records(RECORDS_MOST).describe("Default 1000; the rest follows from it."),
  bindings: records(RECORDS_MOST).describe("Default twice the terminals."),
  registrations: records(RECORDS_MOST).describe("Default twice the terminals."),
  calls: records(RECORDS_MOST).describe("Default as many as terminals."),
  flows: records(RECORDS_MOST).describe("Media streams. Default twice the calls."),
  connections: records(RECORDS_MOST).describe("TCP, TLS and WebSocket connections, of both sides. Default three times the terminals."),
  blocks: records(RECORDS_MOST).describe("2 KiB each, for messages of which a part has come. Default 512."),
  datagrams: records(RECORDS_MOST).describe("Datagrams of which fragments have come, with `interfaces:`. Default 64."),
  rules: records(10_000).describe("Room for rules. Default: as many as there are, at least 64."),
});

export const schema = z
  .strictObject({
    realms: z.record(name, realm).describe("The networks that the proxy touches."),
    services: z.record(name, service).describe("The service addresses and the servers behind them."),
    interfaces: z.record(device, netInterface).optional().describe("Interfaces whose frames are read whole (packet mode). Default none: plain sockets."),
    rules: z.array(rule).optional().describe("The first rule that matches decides. Default: one for each service."),
    interception: interception.optional().describe("How packets for the service addresses get here: what `culvert router` sets up."),
    otherwise: z.enum(["forward", "discard"]).optional().describe("What happens to the rest. Default forward."),
    capacity: capacity.optional().describe("How many records of each kind there is room for."),
    secret: z.string().min(1).optional().describe("32 hex digits or the path of a file: keys the tokens in messages. Default: random at each start."),
    state: z
      .strictObject({
        file: z.string().min(1).describe("Path of the file; it holds the secret key, so only its owner may read it, and only what it was made by."),
        every: duration
          .refine((ms) => ms >= STATE_EVERY_LEAST_MS, `must be at least ${STATE_EVERY_LEAST_MS}ms`)
          .optional()
          .describe("How often what has changed is saved. Default 100ms."),
      })
      .optional()
      .describe("Saves calls and registrations, so that a restart goes on with them. Default: they are forgotten."),
    log: z
      .strictObject({
        level: z.enum(["trace", "debug", "info", "warn", "error"]).optional().describe("Default info."),
        format: z.enum(["auto", "json", "pretty"]).optional().describe("auto: pretty on a terminal, JSON lines elsewhere."),
      })
      .optional(),
    control: z.string().min(1).optional().describe("Path of the control socket."),
    workers: workers
      .optional()
      .describe("Processes that share the work, each with a part of the ports: a number, or auto for one for each processor. Default 1."),
    io: z
      .enum(["auto", "portable", "batched"])
      .optional()
      .describe(
        "How packets come in and out. portable: a socket of the runtime for each port; batched: many at once (Linux, wants rights). Default auto: the fastest that there is.",
      ),
    pace: duration
      .refine((ms) => ms <= PACE_MOST_MS, `must be at most ${PACE_MOST_MS}ms`)
      .optional()
      .describe("From 15,000 packets a second on, how long they wait for others at most: it saves processor time. Default 2ms, off for not at all."),
  })
  .describe("Culvert configuration");

/** What a valid file says, values read but defaults not yet settled. */
export type Written = z.output<typeof schema>;
export type WrittenRealm = Written["realms"][string];
export type WrittenService = Written["services"][string];
export type WrittenRule = NonNullable<Written["rules"]>[number];

/** The JSON Schema that editors complete with. */
export function schemaJson(): Record<string, unknown> {
  return z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as Record<string, unknown>;
}
