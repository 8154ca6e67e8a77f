import { beforeEach, describe, expect, test } from "vitest";
import { type Plan, planMake } from "../../../../hosts/shared/router/plan.ts";
import { type Done, type Machine, Setup, SetupError } from "../../../../hosts/shared/router/setup.ts";
import { shellText } from "../../../../hosts/shared/router/shell.ts";
import type { Command } from "../../../../hosts/shared/router/step.ts";
import { configWith } from "./configuration.ts";

/** Rules, routes, addresses, tables and settings as lists of lines; a command that is refused can be named. */
class FakeMachine implements Machine {
  rules = { 4: ["pref 0 lookup local"], 6: ["pref 0 lookup local"] };
  routes = { 4: [] as string[], 6: [] as string[] };
  addresses: string[] = [];
  tables: string[] = [];
  settings = new Map<string, string>();
  record: Done[] | undefined;
  refused: RegExp | undefined;
  log: string[] = [];

  get state(): unknown {
    const written = [...this.settings].filter(([, value]) => value !== "0");
    return JSON.parse(JSON.stringify([this.rules, this.routes, this.addresses, this.tables, written]));
  }

  async run(command: Command): Promise<{ code: number; output: string; error: string }> {
    const text = shellText(command);
    const asks = /^(ip -[46] (rule|route|addr) show|sysctl -n|nft list)/.test(text);
    if (asks) return { code: 0, output: this.#answer(text), error: "" };
    this.log.push(text);
    if (this.refused?.test(text)) return { code: 2, output: "", error: "RTNETLINK answers: Operation not permitted\n" };
    return { code: this.#change(text, command) ? 0 : 2, output: "", error: "" };
  }

  #answer(text: string): string {
    const family = text.startsWith("ip -6") ? 6 : 4;
    if (text.startsWith("sysctl"))
      return text
        .split(" ")
        .slice(2)
        .map((key) => `${this.settings.get(key) ?? "0"}\n`)
        .join("");
    if (text.startsWith("nft")) return this.tables.join("\n");
    if (text.includes("addr")) return this.addresses.map((address) => `    inet ${address} scope host lo\n`).join("");
    if (text.includes("route")) return this.routes[family].map((route) => `${route.replace(/ table \S+/, "")}\n`).join("");
    return this.rules[family].map((rule) => `${FakeMachine.#shown(rule)}\n`).join("");
  }

  /** As `ip rule show` prints what was added. */
  static #shown(rule: string): string {
    const { pref, words } = /^pref (?<pref>\d+) (?<words>.*)$/.exec(rule)!.groups!;
    const protocol = words!.replace("protocol 67", "proto 67").replace(/ ?protocol kernel/, "");
    return `${pref}:\t${protocol.startsWith("iif lo from") ? protocol.replace(/^iif lo from (\S+)/, "from $1 iif lo") : `from all ${protocol}`}`;
  }

  #change(text: string, command: Command): boolean {
    const [, family, what, verb, words] = /^ip -([46]) (\w+) (\w+) (.*)$/.exec(text) ?? [];
    if (text.startsWith("nft -f")) return this.tables.push(command.input!) > 0;
    if (text.startsWith("nft delete")) return this.tables.splice(0).length > 0;
    if (text.startsWith("sysctl")) {
      for (const setting of command.args.slice(1)) this.settings.set(setting.split("=")[0]!, setting.split("=")[1]!);
      return true;
    }
    const list = what === "addr" ? this.addresses : (what === "rule" ? this.rules : this.routes)[Number(family) as 4 | 6];
    if (verb === "flush") return list.splice(0).length > 0;
    if (verb === "add") return list.push(what === "addr" ? words!.split(" ")[0]! : words!.replace("protocol kernel", "").trim()) > 0;
    const at = list.findIndex((one) => (what === "addr" ? words!.startsWith(one) : `${one} `.startsWith(`${words!} `)));
    return at >= 0 && list.splice(at, 1).length > 0;
  }

  async recordRead(): Promise<Done[] | undefined> {
    return this.record;
  }

  async recordWrite(done: Done[]): Promise<void> {
    this.record = done.length > 0 ? (JSON.parse(JSON.stringify(done)) as Done[]) : undefined;
  }
}

let machine: FakeMachine;
let before: unknown;
const plan = (interception?: string): Plan => planMake(configWith(interception));

beforeEach(() => {
  machine = new FakeMachine();
  machine.settings.set("net.ipv6.conf.all.forwarding", "1");
  for (const name of ["all", "eth1"]) machine.settings.set(`net.ipv4.conf.${name}.send_redirects`, "1");
  machine.settings.set("net/ipv4/conf/eth0.100/send_redirects", "1");
  before = machine.state;
});

describe.each(["{}", "{ kind: tproxy }", "{ kind: local, mode: parallel, returns: [ { via: 10.3.0.1 } ] }"])("%s", (interception) => {
  test("applied twice is applied once; removed is as before", async () => {
    const { steps } = plan(interception);
    const first = await new Setup(machine).apply(plan(interception));
    expect(first.changes).toHaveLength(steps.length - 1);
    expect(first.unchanged).toBe(1);
    const set = machine.state;
    machine.log = [];
    expect(await new Setup(machine).apply(plan(interception))).toMatchObject({ changes: [], unchanged: steps.length });
    expect(machine.log).toEqual([]);
    expect(machine.state).toEqual(set);
    expect((await new Setup(machine).remove(plan(interception))).warnings).toEqual([]);
    expect(machine.state).toEqual(before);
    expect(machine.record).toBeUndefined();
  });

  test("whichever step fails, what was done is taken back", async () => {
    for (const step of plan(interception).steps) {
      machine.refused = new RegExp(`^${shellText(step.apply).replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`);
      if (shellText(step.apply).includes("net.ipv6.conf.all.forwarding")) continue;
      await expect(new Setup(machine).apply(plan(interception))).rejects.toThrow(
        /failed: .*not permitted \(run it as root.*\); what was done before it is taken back/,
      );
      expect(machine.state).toEqual(before);
      expect(machine.record).toBeUndefined();
    }
  });
});

test("another configuration takes the place of the first", async () => {
  await new Setup(machine).apply(plan());
  const { changes } = await new Setup(machine).apply(plan("{ kind: tproxy }"));
  expect(changes).toContain("taken back: and not before it");
  const other = new FakeMachine();
  for (const [key, value] of (before as [unknown, unknown, unknown, unknown, [string, string][]])[4]) other.settings.set(key, value);
  await new Setup(other).apply(plan("{ kind: tproxy }"));
  expect(machine.state).toEqual(other.state);
  await new Setup(machine).remove(plan("{ kind: tproxy }"));
  expect(machine.state).toEqual(before);
});

test("interrupted in the middle, the record has what was done before and what was to come", async () => {
  await new Setup(machine).apply(plan());
  machine.rules[4].splice(0, 1);
  const whole = machine.record!.length;
  machine.recordWrite = async (done) => {
    machine.record = [...done];
    throw new Error("interrupted");
  };
  await expect(new Setup(machine).apply(plan("{ preference: 20 }"))).rejects.toThrow("interrupted");
  const settings = (done: Done[]): number => done.filter(({ undo }) => undo.program === "sysctl").length;
  expect(whole).toBeGreaterThan(10);
  expect(settings(machine.record!)).toBe(4);
});

test("what stood before stays: an address on its interface, a setting", async () => {
  machine.addresses.push("203.0.113.5/32");
  before = machine.state;
  await new Setup(machine).apply(plan("{ kind: local }"));
  await new Setup(machine).remove(plan("{ kind: local }"));
  expect(machine.state).toEqual(before);
});

test("without the record what is ours is found by its tag, also of another configuration; settings stay, and that is said", async () => {
  await new Setup(machine).apply(plan("{ preference: 200 }"));
  machine.record = undefined;
  const { warnings } = await new Setup(machine).remove(plan());
  expect(warnings).toEqual(["there is no record of what was set up: settings (sysctl) and addresses of interfaces stay as they are"]);
  expect(machine.rules).toEqual({ 4: ["pref 0 lookup local"], 6: ["pref 0 lookup local"] });
  expect(machine.routes).toEqual({ 4: [], 6: [] });
  expect(machine.tables).toEqual([]);
  expect(machine.settings.get("net.ipv4.conf.all.arp_announce")).toBe("2");
});

test("what cannot be taken back is said, and stays in the record", async () => {
  await new Setup(machine).apply(plan());
  machine.refused = /rule del pref 11/;
  const { warnings } = await new Setup(machine).remove(plan());
  expect(warnings).toEqual([expect.stringMatching(/^`ip -4 rule del pref 11 .*` failed: .*not permitted \(run it as root.*\)$/)]);
  expect(machine.record).toHaveLength(1);
  machine.refused = undefined;
  await new Setup(machine).remove(plan());
  expect(machine.state).toEqual(before);
});

test("a sweep that fails says why", async () => {
  machine.rules[4].push("pref 11 to 192.0.2.1 goto 15 protocol 67");
  machine.refused = /rule del pref 11/;
  await expect(new Setup(machine).remove(plan())).rejects.toThrow(SetupError);
});
