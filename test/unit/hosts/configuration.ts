/*
 * A small configuration, and what reading one gives.
 */

import { expect } from "vitest";
import { type Config, configRead, problemText } from "../../../hosts/shared/config.ts";

export const SMALL = `
realms:
  access: { address: 192.0.2.1 }
  core: { address: 10.9.0.2 }
services:
  voice: { address: 203.0.113.5, servers: [10.9.0.10] }
`;

/** Read without a problem, not even a warning. */
export function read(text: string): Config {
  const { config, problems } = configRead(text, "culvert.yaml");
  expect(problems.map(problemText)).toEqual([]);
  return config!;
}

/** The problems as a person sees them. The line break at the front of a text does not count. */
export function problemsOf(text: string): string[] {
  return configRead(text.replace(/^\n/, ""), "culvert.yaml").problems.map(problemText);
}
