/*
 * The sockets of one network namespace, driven over IPC by station.ts. Bytes travel as binary strings, one
 * character a byte. Nothing is decided here.
 */

import { createSocket, type Socket } from "node:dgram";
import { connect, createServer, type Server, type Socket as Stream } from "node:net";

export interface Place {
  address: string;
  port: number;
}

export type Order =
  | { do: "bind"; id: number; at: Place }
  | { do: "listen"; id: number; at: Place }
  | { do: "connect"; id: number; at: Place; to: Place }
  | { do: "send"; id: number; to: Place; data: string }
  | { do: "close"; id: number };

/** `id` is the socket that it is about; `stream` the connection that a listener accepted, or 0. */
export type Report =
  | { is: "open"; id: number }
  | { is: "failed"; id: number; why: string }
  | { is: "data"; id: number; stream: number; from: Place; data: string };

type Opened = { datagram: Socket } | { server: Server; streams: Set<Stream> } | { stream: Stream };

const sockets = new Map<number, Opened>();
let accepted = 0;

const tell = (report: Report): void => void process.send?.(report);

function bind({ id, at }: { id: number; at: Place }): void {
  const datagram = createSocket({ type: at.address.includes(":") ? "udp6" : "udp4", reuseAddr: true });
  sockets.set(id, { datagram });
  datagram.on("error", (error) => tell({ is: "failed", id, why: error.message }));
  datagram.on("message", (data, { address, port }) => tell({ is: "data", id, stream: 0, from: { address, port }, data: data.toString("latin1") }));
  datagram.bind(at.port, at.address, () => tell({ is: "open", id }));
}

function follow(stream: Stream, id: number, number: number): void {
  const from = { address: stream.remoteAddress ?? "", port: stream.remotePort ?? 0 };
  stream.setNoDelay(true);
  stream.on("data", (data) => tell({ is: "data", id, stream: number, from, data: data.toString("latin1") }));
  stream.on("error", (error) => tell({ is: "failed", id, why: error.message }));
}

function listen({ id, at }: { id: number; at: Place }): void {
  const streams = new Set<Stream>();
  const server = createServer((stream) => {
    accepted++;
    sockets.set(-accepted, { stream });
    streams.add(stream);
    follow(stream, id, -accepted);
  });
  sockets.set(id, { server, streams });
  server.on("error", (error) => tell({ is: "failed", id, why: error.message }));
  server.listen(at.port, at.address, () => tell({ is: "open", id }));
}

function open({ id, at, to }: { id: number; at: Place; to: Place }): void {
  const stream = connect({ host: to.address, port: to.port, localAddress: at.address, localPort: at.port });
  sockets.set(id, { stream });
  stream.once("connect", () => {
    follow(stream, id, 0);
    tell({ is: "open", id });
  });
  stream.once("error", (error) => tell({ is: "failed", id, why: error.message }));
}

function send({ id, to, data }: { id: number; to: Place; data: string }): void {
  const opened = sockets.get(id);
  const bytes = Buffer.from(data, "latin1");
  if (opened !== undefined && "datagram" in opened) opened.datagram.send(bytes, to.port, to.address, () => undefined);
  else if (opened !== undefined && "stream" in opened) opened.stream.write(bytes);
}

function close(id: number): void {
  const opened = sockets.get(id);
  sockets.delete(id);
  if (opened === undefined) return;
  if ("datagram" in opened) opened.datagram.close();
  else if ("stream" in opened) opened.stream.destroy();
  else {
    opened.server.close();
    for (const stream of opened.streams) stream.destroy();
  }
}

process.on("message", (order: Order) => {
  if (order.do === "bind") bind(order);
  else if (order.do === "listen") listen(order);
  else if (order.do === "connect") open(order);
  else if (order.do === "send") send(order);
  else close(order.id);
});
process.on("disconnect", () => process.exit(0));
process.on("uncaughtException", () => undefined);
