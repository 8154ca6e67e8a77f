/*
 * Multicast memberships in Deno's shape over one dgram socket.
 */

import type { Socket } from "node:dgram";

export interface MulticastV4Membership {
  leave(): Promise<void>;
  setLoopback(loopback: boolean): Promise<void>;
  setTTL(ttl: number): Promise<void>;
}

export interface MulticastV6Membership {
  leave(): Promise<void>;
  setLoopback(loopback: boolean): Promise<void>;
}

function joinAt(socket: Socket, group: string, networkInterface: string): MulticastV4Membership {
  socket.addMembership(group, networkInterface);
  return {
    leave: async () => socket.dropMembership(group, networkInterface),
    setLoopback: async (loopback) => void socket.setMulticastLoopback(loopback),
    setTTL: async (ttl) => void socket.setMulticastTTL(ttl),
  };
}

/** `networkInterface` is the IPv4 address of the interface. */
export function joinV4(socket: Socket, group: string, networkInterface: string): MulticastV4Membership {
  return joinAt(socket, group, networkInterface);
}

/** `networkInterface` is the index of the interface, 0 for the system's choice. */
export function joinV6(socket: Socket, group: string, networkInterface: number): MulticastV6Membership {
  return joinAt(socket, group, `::%${networkInterface}`);
}
