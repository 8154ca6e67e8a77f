import { expect, test } from "vitest";
import { AddressCache } from "../../../hosts/shared/addresscache.ts";
import { EndpointTable, type OpenEndpoint } from "../../../hosts/shared/endpointtable.ts";

const cache = new AddressCache();

function endpoint(address: string, port: number): OpenEndpoint {
  return { socket: { send() {}, close() {} }, realm: 0, address, port, words: cache.words(address)!, next: undefined };
}

test("finds by address and port, also where one port is open on many addresses", () => {
  const table = new EndpointTable();
  const all = ["10.0.0.1", "10.0.0.2", "2001:db8::1"].flatMap((address) => [endpoint(address, 5060), endpoint(address, 5061)]);
  for (const one of all) table.add(one);
  const find = (one: OpenEndpoint): OpenEndpoint | undefined => table.find(one.words, 0, one.port);
  expect(all.map(find)).toEqual(all);
  expect(table.find(cache.words("10.0.0.3")!, 0, 5060)).toBeUndefined();
  expect(table.find(cache.words("10.0.0.1")!, 0, 5062)).toBeUndefined();

  for (const gone of [all[2]!, all[4]!, all[0]!]) {
    table.remove(gone);
    table.remove(gone);
    expect(find(gone)).toBeUndefined();
  }
  expect(table.size).toBe(3);
  expect([...table].map((one) => one.port)).toEqual([5061, 5061, 5061]);
});

test("may be emptied while it is walked", () => {
  const table = new EndpointTable();
  for (const address of ["10.0.0.1", "10.0.0.2", "10.0.0.3"]) table.add(endpoint(address, 5060));
  for (const one of table) table.remove(one);
  expect(table.size).toBe(0);
});
