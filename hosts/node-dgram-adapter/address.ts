/*
 * An address as Deno's network API writes it (`Deno.NetAddr`).
 */

export interface NetAddr {
  transport: "tcp" | "udp";
  hostname: string;
  port: number;
}
