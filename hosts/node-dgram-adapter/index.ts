/*
 * node:dgram in the shape of Deno's datagram API: what runs over `Deno.listenDatagram` runs on Node.
 * Invariant: `listenDatagram` returns a socket that is bound, or throws; nothing in it waits.
 */

export type { NetAddr } from "./address.ts";
export { listenDatagram, type ListenOptions } from "./listen.ts";
export { DatagramSocket, type DatagramConn, type MessageHandler } from "./socket.ts";
export type { MulticastV4Membership, MulticastV6Membership } from "./multicast.ts";
