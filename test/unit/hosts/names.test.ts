import { expect, test } from "vitest";
import { problemsOf, SMALL } from "./configuration.ts";

function problems(names: string): string[] {
  return problemsOf(SMALL.replace("servers: [10.9.0.10]", `servers: [10.9.0.10], names: [${names}]`));
}

test.each(["203.0.113.5", "*", "*example.com", "a.*.example.com", ".example.com", "example.com:5060", `*.${"a".repeat(58)}.com`])(
  "%j is no name of terminals",
  (name) => {
    expect(problems(`"${name}"`)).toEqual([
      `culvert.yaml:5:64: error: services.voice.names[0]: "${name}" is not a name such as pbx.example.com, or *.example.com, of at most 63 characters`,
    ]);
  },
);

test("eight names are enough for a service, and one with a star is many", () => {
  const many = (n: number): string => Array.from({ length: n }, (_, i) => `"*.n${i}.example"`).join(", ");
  expect(problems(many(8))).toEqual([]);
  expect(problems(many(9))).toEqual([
    "culvert.yaml:5:63: error: services.voice.names: there are 9 names, and a service has room for 8; one such as *.example.com stands for many",
  ]);
});
