import { expect, test } from "vitest";
import { configRead } from "../../../hosts/shared/config.ts";
import { problemText } from "../../../hosts/shared/config/problem.ts";

function problems(names: string): string[] {
  const text = `
realms:
  access: { media: 203.0.113.21 }
  core: { address: 10.9.0.2 }
services:
  voice: { address: 203.0.113.20, servers: [10.9.0.10], names: [${names}] }
rules:
  - { to: 203.0.113.20, proxy: voice }
`;
  return configRead(text, "culvert.yaml").problems.map(problemText);
}

test.each(["203.0.113.5", "*", "*example.com", "a.*.example.com", ".example.com", "example.com:5060", `*.${"a".repeat(58)}.com`])(
  "%j is no name of terminals",
  (name) => {
    expect(problems(`"${name}"`)).toEqual([
      `culvert.yaml:6:65: error: services.voice.names[0]: "${name}" is not a name such as pbx.example.com, or *.example.com, of at most 63 characters`,
    ]);
  },
);

test("eight names are enough for a service, and one with a star is many", () => {
  const many = (n: number): string => Array.from({ length: n }, (_, i) => `"*.n${i}.example"`).join(", ");
  expect(problems(many(8))).toEqual([]);
  expect(problems(many(9))).toEqual([
    "culvert.yaml:6:64: error: services.voice.names: there are 9 names, and a service has room for 8; one such as *.example.com stands for many",
  ]);
});
