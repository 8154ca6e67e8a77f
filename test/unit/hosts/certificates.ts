/*
 * Certificates of a configuration that has none.
 */

import { Certificates } from "../../../hosts/shared/certificates.ts";
import type { Config } from "../../../hosts/shared/config.ts";
import type { Host } from "../../../hosts/shared/runtime.ts";
import { fakeLog } from "./fakelog.ts";
import { fakeRuntime } from "./fakeruntime.ts";

export function certificatesNone(config: Config): Certificates {
  return new Certificates(config, "", { runtime: fakeRuntime() } as unknown as Host, fakeLog());
}
