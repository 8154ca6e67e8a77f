/*
 * Settles what terminals may use besides UDP: TCP at the service's own port, TLS, WebSocket, each at a port of its own.
 */

import type { Report } from "./problem.ts";
import type { WrittenService } from "./schema.ts";
import type { Service, StreamTransport } from "./settled.ts";

/** RFC 3261 19.1.2. */
const TLS_PORT = 5061;

export function streamsSettle(service: WrittenService, port: number): Service["streams"] {
  const { tcp, tls, ws, wss } = service.transports ?? {};
  const secure = tls ?? service.tls !== undefined;
  return { tcp: (tcp ?? true) ? port : 0, tls: secure === true ? TLS_PORT : secure === false ? 0 : secure, ws: ws ?? 0, wss: wss ?? 0 };
}

export function streamsCheck(service: Service, report: Report): void {
  const path = ["services", service.name];
  const names: StreamTransport[] = ["tls", "ws", "wss"];
  const used = new Map<number, string>(service.streams.tcp > 0 ? [[service.port, "tcp"]] : []);
  for (const name of names) {
    const port = service.streams[name];
    if (port === 0) continue;
    const other = used.get(port);
    if (other) report.error([...path, "transports"], `port ${port} is for ${name} and for ${other}; give one of them another port`);
    used.set(port, name);
  }
  if ((service.streams.tls > 0 || service.streams.wss > 0) && !service.tls) {
    report.error([...path, "transports"], "tls and wss need a certificate; give `tls: { certificate: …, key: … }`");
  }
  const { certificate, key } = service.coreTls ?? {};
  if ((certificate === undefined) !== (key === undefined)) report.error([...path, "coreTls"], "a certificate needs its key, and a key its certificate");
  if (service.coreTls && service.coreTransport !== "tls")
    report.warn([...path, "coreTls"], "is not used: the servers are not reached by TLS; say `coreTransport: tls`");
}
