/*
 * A program that runs in a namespace of the lab and sends UDP datagrams as it is told over a socket in the file system, from any
 * address and port of the namespace. It tells what it receives. See remote.ts.
 */

import { createSocket, type Socket } from "node:dgram";
import { createServer } from "node:net";
import { createInterface } from "node:readline";

export interface Datagram {
  from: string;
  to: string;
  hex: string;
}

/** Datagrams in their order; or each payload, from each source, to each port, again and again. */
export type Order =
  | { id: number; send: Datagram[] }
  | { id: number; spray: { from: string[]; to: string; first: number; last: number; payloads: string[]; eachMs: number; forMs: number } };

const sockets = new Map<string, Promise<Socket>>();
const split = (place: string): [string, number] => [place.slice(0, place.lastIndexOf(":")), Number(place.slice(place.lastIndexOf(":") + 1))];
let tell: (line: object) => void = () => undefined;

function socketAt(place: string): Promise<Socket> {
  const known = sockets.get(place);
  if (known) return known;
  const [address, port] = split(place);
  const opened = new Promise<Socket>((resolve, reject) => {
    const socket = createSocket({ type: "udp4", recvBufferSize: 1 << 20 });
    socket.once("error", reject);
    socket.on("message", (data, { address: sender, port: senderPort }) => tell({ from: `${sender}:${senderPort}`, to: place, hex: data.toString("hex") }));
    socket.bind(port, address, () => {
      // What cannot be delivered is no fault of ours.
      socket.off("error", reject).on("error", () => undefined);
      resolve(socket);
    });
  });
  sockets.set(place, opened);
  return opened;
}

async function send({ from, to, hex }: Datagram): Promise<void> {
  const socket = await socketAt(from);
  const [address, port] = split(to);
  await new Promise<void>((resolve, reject) =>
    socket.send(Buffer.from(hex, "hex"), port, address, (error) => {
      // That nobody listens at a port of ours is told by the one before.
      if (error && (error as NodeJS.ErrnoException).code !== "ECONNREFUSED") reject(error);
      else resolve();
    }),
  );
}

async function carry(order: Order): Promise<void> {
  if ("send" in order) {
    for (const datagram of order.send) await send(datagram);
    return;
  }
  const { from, to, first, last, payloads, eachMs, forMs } = order.spray;
  for (const end = Date.now() + forMs; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, eachMs)))
    for (let port = first; port <= last; port++)
      for (const source of from) await send({ from: source, to: `${to}:${port}`, hex: payloads[Math.floor(Math.random() * payloads.length)]! });
}

const server = createServer((control) => {
  tell = (line) => void control.write(`${JSON.stringify(line)}\n`);
  createInterface({ input: control }).on("line", (line) => {
    const order = JSON.parse(line) as Order;
    carry(order).then(
      () => tell({ done: order.id }),
      (error: Error) => tell({ done: order.id, error: error.message }),
    );
  });
  control.on("close", () => process.exit(0));
});
server.listen(process.argv[2], () => console.log("READY"));
