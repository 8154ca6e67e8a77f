import { describe, expect, test } from "vitest";
import { addressFrom, addressParse, endpointParse, endpointText, prefixCovers, prefixParse, prefixText } from "../../../hosts/shared/address.ts";
import { AddressCache } from "../../../hosts/shared/addresscache.ts";

test("IPv4 is kept as ::ffff:a.b.c.d", () => {
  const address = addressParse("192.0.2.1")!;
  expect([...address.bytes]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 192, 0, 2, 1]);
  expect(address.family).toBe(4);
  expect(addressParse("::ffff:192.0.2.1")).toEqual(address);
});

test.each([
  ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
  ["::", "::"],
  ["fe80::1%eth0", "fe80::1"],
])("%s is written %s", (written, canonical) => {
  const address = addressParse(written)!;
  expect(address).toMatchObject({ text: canonical, family: 6 });
  expect(addressFrom(address.bytes, 0)).toEqual(address);
});

test.each(["", "1.2.3", "1.2.3.256", "0x7f.1", "1.2.3.4.5", "example.org", "2001:db8:::1", "10.0.0.1/8"])("%j is no address", (written) => {
  expect(addressParse(written)).toBeUndefined();
});

test.each([
  ["192.0.2.77/24", "192.0.2.0/24", 120],
  ["192.0.2.1", "192.0.2.1", 128],
  ["0.0.0.0/0", "0.0.0.0/0", 96],
  ["2001:db8::1/32", "2001:db8::/32", 32],
  ["::/0", "::/0", 0],
])("prefix %s is %s over %i bits", (written, canonical, length) => {
  const prefix = prefixParse(written)!;
  expect(prefixText(prefix)).toBe(canonical);
  expect(prefix.length).toBe(length);
});

test.each(["192.0.2.0/33", "192.0.2.0/", "192.0.2.0/24/1", "2001:db8::/129", "x/8", "1.2.3.4/-1"])("%j is no prefix", (written) => {
  expect(prefixParse(written)).toBeUndefined();
});

test("a prefix covers what lies in it", () => {
  const covers = (a: string, b: string): boolean => prefixCovers(prefixParse(a)!, prefixParse(b)!);
  expect(covers("10.0.0.0/8", "10.1.2.3")).toBe(true);
  expect(covers("10.0.0.0/8", "11.1.2.3")).toBe(false);
  expect(covers("10.1.0.0/16", "10.0.0.0/8")).toBe(false);
  expect(covers("0.0.0.0/0", "2001:db8::/32")).toBe(false);
});

describe("endpoints", () => {
  test.each([
    ["192.0.2.1", "192.0.2.1", undefined],
    ["192.0.2.1:5060", "192.0.2.1", 5060],
    ["2001:db8::1", "2001:db8::1", undefined],
    ["[2001:db8::1]", "2001:db8::1", undefined],
    ["[2001:db8::1]:5060", "2001:db8::1", 5060],
  ])("%s", (written, text, port) => {
    const endpoint = endpointParse(written)!;
    expect(endpoint.address.text).toBe(text);
    expect(endpoint.port).toBe(port);
    if (port) expect(endpointText(text, port)).toBe(written);
  });

  test.each(["192.0.2.1:", "192.0.2.1:0", "192.0.2.1:65536", "192.0.2.1:sip", "[192.0.2.1:5060", "host:5060"])("%j is none", (written) => {
    expect(endpointParse(written)).toBeUndefined();
  });
});

test("the cache gives words and texts back, also when more addresses than it holds pass through", () => {
  const cache = new AddressCache();
  const memory = new Int32Array(8);
  for (let i = 0; i < 20_000; i++) {
    const text = i % 2 ? `10.${i >> 12}.${(i >> 6) & 63}.${i & 63}` : `2001:db8::${(i + 1).toString(16)}`;
    memory.set(cache.words(text)!, 4);
    expect(cache.text(memory, 4)).toBe(text);
  }
  expect(cache.words("nonsense")).toBeUndefined();
  memory.set(cache.words("2001:db8::1")!, 4);
  expect(cache.text(memory, 4)).toBe("2001:db8::1");
});
