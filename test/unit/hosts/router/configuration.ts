/*
 * Configurations for the tests of `culvert router`.
 */

import { expect } from "vitest";
import { type Config, configRead, problemText } from "../../../../hosts/shared/config.ts";

/** Both IP versions, serial; `interception` and what a realm has more are YAML. */
export function configurationText(interception = "{}", access = ""): string {
  return `
realms:
  access: { interface: eth1, media: 198.51.100.2${access} }
  core: { interface: eth0.100, address: 10.9.0.2 }
  access6: { kind: access, interface: eth1, media: "2001:db8:1::2" }
  core6: { kind: core, interface: eth0.100, address: "2001:db8:9::2" }
services:
  voice: { address: 203.0.113.5, servers: [10.9.0.10], access: access, core: core }
  voice6: { address: "2001:db8:2::5", servers: ["2001:db8:9::10"], access: access6, core: core6 }
interception: ${interception}
`;
}

/** Read without an error. */
export function configOf(text: string): Config {
  const { config, problems } = configRead(text, "culvert.yaml");
  expect(problems.filter(({ severity }) => severity === "error").map(problemText)).toEqual([]);
  return config!;
}

export function configWith(interception?: string, access?: string): Config {
  return configOf(configurationText(interception, access));
}
