/*
 * A configuration for a capture of which nothing is known: the servers are the addresses that receive REGISTER;
 * failing that, the one that receives the first INVITE or other request, or sends the first response. They stay where
 * they are (E is D), as in a network where Culvert is put in between.
 */

import type { Capture } from "../../hosts/shared/capture/capture.ts";
import type { Datagram } from "../../hosts/shared/capture/datagram.ts";
import { frameRead } from "../../hosts/shared/capture/frame.ts";
import { Reassembly } from "../../hosts/shared/capture/reassembly.ts";
import { sipSplit, type SipText } from "../../hosts/shared/replay/siptext.ts";

interface SipPacket {
  datagram: Datagram;
  message: SipText;
}

const SERVICES_MAX = 8;
const OURS = {
  4: { access: "203.0.113.77", core: "198.18.0.2", unused: "203.0.113.5" },
  6: { access: "2001:db8:ffff::77", core: "2001:db8:ffff::2", unused: "2001:db8:ffff::5" },
};

export function datagramsOf(capture: Capture): Datagram[] {
  const reassembly = new Reassembly();
  return capture.packets.flatMap((packet, index) => {
    const frame = frameRead(capture.interfaces[packet.interface]!.linkType, packet.bytes, packet.wireLength);
    if (frame.kind === "datagram") return [frame.datagram];
    const whole = frame.kind === "fragment" ? reassembly.add(frame.fragment, index, 0)?.datagram : undefined;
    return whole ? [whole] : [];
  });
}

type Server = { family: 4 | 6; address: string; port: number };

function serversOf(packets: SipPacket[]): Server[] {
  const receivers = (pattern: RegExp): Server[] =>
    packets
      .filter(({ message }) => pattern.test(message.startLine))
      .map(({ datagram }) => ({ family: datagram.destination.family, address: datagram.destination.text, port: datagram.destinationPort }));
  const senders = packets.map(({ datagram }) => ({ family: datagram.source.family, address: datagram.source.text, port: datagram.sourcePort }));
  const registrars = receivers(/^REGISTER /);
  const found = registrars.length > 0 ? registrars : [receivers(/^INVITE /)[0] ?? receivers(/^(?!SIP\/)/)[0] ?? senders[0]].flatMap((server) => server ?? []);
  const seen = new Map(found.map((server) => [JSON.stringify(server), server]));
  return [...seen.values()].slice(0, SERVICES_MAX);
}

function endpointYaml(server: Server): string {
  return JSON.stringify(server.family === 6 ? `[${server.address}]:${server.port}` : `${server.address}:${server.port}`);
}

/** The text of a culvert.yaml; `rules` is put in as it is. */
export function configDerive(capture: Capture, rules = ""): string {
  const packets = datagramsOf(capture).flatMap((datagram) => {
    const message = sipSplit(datagram.payload);
    return message ? [{ datagram, message }] : [];
  });
  const servers = serversOf(packets);
  if (servers.length === 0) servers.push({ family: 4, address: OURS[4].unused, port: 5060 });
  const families = ([4, 6] as const).filter((family) => servers.some((server) => server.family === family));
  return [
    "realms:",
    ...families.flatMap((family) => [
      `  access${family}: { kind: access, media: "${OURS[family].access}" }`,
      `  core${family}: { kind: core, address: "${OURS[family].core}" }`,
    ]),
    "services:",
    ...servers.map(
      (server, i) =>
        `  s${i}: { access: access${server.family}, core: core${server.family}, address: ${endpointYaml(server)}, servers: [${endpointYaml(server)}] }`,
    ),
    rules,
    "capacity: { terminals: 100 }",
  ].join("\n");
}
