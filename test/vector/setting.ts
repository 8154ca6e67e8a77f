/*
 * What expectations are read against.
 */

import type { Names } from "./pattern.ts";

/** What the expectations are read against: realm names and the packet that went in. */
export interface Setting {
  realms: string[];
  names: Names;
  /** Handles of the connections by name. */
  connections: Map<string, number>;
  /** Binary string of the packet's payload. */
  sent: string;
  interfaces: string[];
  /** Binary strings of the frames that came, the last first. */
  frames: string[];
  /** The last one with its checksums completed. */
  completed: string;
}
