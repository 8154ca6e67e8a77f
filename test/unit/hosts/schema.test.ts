import { expect, test } from "vitest";
import { schemaJson } from "../../../hosts/shared/config/schema.ts";

test("the JSON Schema knows every key and forbids others", () => {
  const schema = schemaJson() as { properties: Record<string, { additionalProperties?: { properties: object } }>; additionalProperties: boolean };
  expect(Object.keys(schema.properties)).toEqual([
    "realms",
    "services",
    "interfaces",
    "rules",
    "interception",
    "otherwise",
    "capacity",
    "secret",
    "state",
    "log",
    "control",
    "workers",
    "io",
    "pace",
  ]);
  expect(schema.additionalProperties).toBe(false);
  expect(schema.properties.services!.additionalProperties!.properties).toHaveProperty("servers");
});
