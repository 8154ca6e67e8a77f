/*
 * Looks through the tables of the core and says what does not fit together: counts, owners of ports, lists, and
 * records that nothing will ever end. Whatever an input was, taken or refused, this must hold after it.
 */

import * as abi from "#abi";
import { CoreFault } from "./fault.ts";

/** Offsets into a slab's bookkeeping (core/table/slab.ts), which is no part of the contract. */
const SLAB = { base: 0, capacity: 8, used: 16 };
/** How far apart the records of each slab stand. */
const SIZES = {
  terminals: abi.TERMINAL_SIZE,
  bindings: abi.BINDING_SIZE,
  registrations: abi.REGISTRATION_SIZE,
  calls: abi.CALL_SIZE,
  flows: abi.FLOW_SIZE,
  connections: abi.CONNECTION_SIZE,
  blocks: abi.BLOCK_SIZE,
};
type Table = keyof typeof SIZES;
const SLABS = Object.keys(SIZES) as Table[];
type Records = Map<number, number>;

export type Usage = Record<Table | "ports" | "listeners", number>;

export class Audit {
  constructor(private readonly bytes: Buffer) {}

  private word(at: number): number {
    return this.bytes.readInt32LE(at);
  }

  private slab(table: Table): number {
    return abi.SLABS + SLABS.indexOf(table) * abi.SLAB_SIZE;
  }

  /** Addresses of the records in use by their index. */
  private records(table: Table): Records {
    const slab = this.slab(table);
    const [base, size, capacity] = [this.word(slab + SLAB.base), SIZES[table], this.word(slab + SLAB.capacity)];
    const found: Records = new Map();
    for (let i = 0; i < capacity; i++) if ((this.word(base + i * size + abi.RECORD_GENERATION) & 1) === 1) found.set(i, base + i * size);
    this.equal(this.word(slab + SLAB.used), found.size, `records in use of ${table}`);
    return found;
  }

  private equal(said: number, counted: number, what: string): void {
    if (said !== counted) throw new CoreFault("tables", `${what}: the core says ${said}, and there are ${counted}`);
  }

  private held(table: Records, index: number, what: string): number {
    const at = table.get(index);
    if (at === undefined) throw new CoreFault("tables", `${what} hangs on record ${index}, which is not in use`);
    return at;
  }

  private terminals(terminals: Records, bindings: Records, registrations: Records): void {
    const owners = [...bindings.values()].map((b) => this.word(b + abi.BINDING_TERMINAL));
    const registered = [...registrations.values()].map((r) =>
      this.word(this.held(bindings, this.word(r + abi.REGISTRATION_BINDING), "a registration") + abi.BINDING_TERMINAL),
    );
    for (const owner of owners) this.held(terminals, owner, "a binding");
    for (const [i, t] of terminals) {
      const n = owners.filter((owner) => owner === i).length;
      this.equal(this.word(t + abi.TERMINAL_BINDINGS), n, `bindings of terminal ${i}`);
      this.equal(this.word(t + abi.TERMINAL_REGISTRATIONS), registered.filter((owner) => owner === i).length, `registrations of terminal ${i}`);
      if (n === 0) throw new CoreFault("lost", `terminal ${i} has no binding, so that nothing will ever free it`);
    }
  }

  private bindings(bindings: Records, registrations: Records, calls: Records): void {
    const count = (records: Records, field: number, i: number): number => [...records.values()].filter((at) => this.word(at + field) === i).length;
    for (const [i, b] of bindings) {
      this.equal(this.word(b + abi.BINDING_CALLS), count(calls, abi.CALL_BINDING, i), `calls of binding ${i}`);
      this.equal(this.word(b + abi.BINDING_REGISTRATIONS), count(registrations, abi.REGISTRATION_BINDING, i), `registrations of binding ${i}`);
    }
    for (const c of calls.values()) this.held(bindings, this.word(c + abi.CALL_BINDING), "a call");
  }

  /** Indices on the list of flows that begins at a field of a call. */
  private listed(call: number, head: number, flows: Records): number[] {
    const found: number[] = [];
    for (let next = this.word(call + head); next !== 0 && found.length <= flows.size; next = this.word(flows.get(next - 1)! + abi.FLOW_NEXT)) {
      this.held(flows, next - 1, "a call");
      found.push(next - 1);
    }
    return found;
  }

  /** Each flow is on the list of its call, or one of the descriptions that it set aside, which have no ports. Returns those with ports. */
  private flows(calls: Records, flows: Records): Records {
    const open: Records = new Map();
    let aside = 0;
    for (const [i, c] of calls) {
      const [main, others] = [this.listed(c, abi.CALL_FLOWS, flows), this.listed(c, abi.CALL_ASIDE, flows)];
      for (const flow of [...main, ...others]) this.equal(this.word(flows.get(flow)! + abi.FLOW_CALL), i, `call of flow ${flow}`);
      for (const flow of main) open.set(flow, flows.get(flow)!);
      for (const flow of others) this.equal(this.word(flows.get(flow)! + abi.FLOW_ACCESS + abi.SIDE_PORT), 0, `port of description ${flow}`);
      if (this.word(c + abi.CALL_STATE) === abi.CALL_ENDED) this.equal(others.length, 0, `descriptions of call ${i}, which has ended`);
      aside += others.length;
    }
    this.equal(open.size + aside, flows.size, "flows on the lists of calls");
    return open;
  }

  /** What each port of a pool should be owned by. */
  private owners(bindings: Records, flows: Records): Map<string, number> {
    const owners = new Map<string, number>();
    for (const [i, b] of bindings) owners.set(`${this.word(b + abi.BINDING_POOL)}:${this.word(b + abi.BINDING_PORT)}`, abi.PORT_BINDING | i);
    for (const [i, f] of flows) {
      for (const [block, flag] of [
        [f + abi.FLOW_ACCESS, 0],
        [f + abi.FLOW_CORE, abi.PORT_FLOW_CORE],
      ] as const) {
        const [pool, port] = [this.word(block + abi.SIDE_POOL), this.word(block + abi.SIDE_PORT)];
        owners.set(`${pool}:${port}`, abi.PORT_FLOW | flag | i);
        owners.set(`${pool}:${port + 1}`, abi.PORT_FLOW | flag | abi.PORT_FLOW_RTCP | i);
      }
    }
    return owners;
  }

  /** Connections hang on the lists of their bindings, and every block on one of them. */
  private connections(bindings: Records, connections: Records, blocks: Records): void {
    const onLists = new Set<number>();
    for (const [i, b] of bindings) {
      let next = this.word(b + abi.BINDING_CONNECTIONS);
      for (let n = 0; next !== 0 && n <= connections.size; n++) {
        const c = this.held(connections, next - 1, `binding ${i}`);
        this.equal(this.word(c + abi.CONNECTION_BINDING), i, `binding of connection ${next - 1}`);
        onLists.add(next - 1);
        next = this.word(c + abi.CONNECTION_NEXT);
      }
    }
    const core = [...connections.values()].filter((c) => this.word(c + abi.CONNECTION_BINDING) >= 0);
    this.equal(onLists.size, core.length, "connections on the lists of bindings");
    const room = abi.BLOCK_SIZE - abi.BLOCK_BYTES;
    const wanted = [...connections.values()].reduce((sum, c) => sum + Math.ceil(this.word(c + abi.CONNECTION_HELD) / room), 0);
    this.equal(wanted, blocks.size, "blocks for what connections hold");
  }

  private ports(bindings: Records, flows: Records): number {
    const owners = this.owners(bindings, flows);
    const table = this.word(abi.DIRECTORY + 4 * abi.REGION_PORTS);
    let all = 0;
    for (let pool = 0; pool < this.word(abi.CONFIG_POOLS); pool++) {
      const record = abi.POOL_STATES + pool * abi.POOL_SIZE;
      const first = this.word(record + abi.POOL_FIRST);
      let used = 0;
      for (let port = first; port <= this.word(record + abi.POOL_LAST); port++) {
        const entry = this.word(table + 4 * (this.word(record + abi.POOL_BASE) + port - first));
        const owner = (entry & abi.PORT_REFUSED) !== 0 ? 0 : entry;
        this.equal(owner, owners.get(`${pool}:${port}`) ?? 0, `owner of port ${port} of pool ${pool}`);
        if (owner !== 0) used++;
      }
      this.equal(this.word(record + abi.POOL_USED), used, `ports in use of pool ${pool}`);
      all += used;
    }
    return all;
  }

  /** A connection for media is that of a flow on one side. */
  private streams(flows: Records, connections: Records): void {
    for (const [i, c] of connections) {
      const flow = this.word(c + abi.CONNECTION_FLOW);
      if (flow === 0) continue;
      const f = this.held(flows, flow - 1, `connection ${i}`);
      const handle = ((this.word(c + abi.RECORD_GENERATION) & 0x7ff) << abi.HANDLE_SHIFT) | i;
      const sides = [abi.FLOW_STREAM_ACCESS, abi.FLOW_STREAM_CORE].filter((field) => this.word(f + field) === handle);
      this.equal(sides.length, 1, `sides of flow ${flow - 1} that have connection ${i}`);
    }
  }

  private sum(records: Records, count: (at: number) => number): number {
    return [...records.values()].reduce((sum, at) => sum + count(at), 0);
  }

  /**
   * Checks everything. Returns how much is in use; of the ports those with sockets for datagrams (RTCP's have none once rtcp-mux is
   * agreed, those of media over TCP have none at all), and how many ports of media take connections.
   */
  check(): Usage {
    const tables = Object.fromEntries(SLABS.map((table) => [table, this.records(table)])) as Record<Table, Records>;
    const { terminals, bindings, registrations, calls, flows, connections, blocks } = tables;
    this.terminals(terminals, bindings, registrations);
    this.bindings(bindings, registrations, calls);
    const relayed = this.flows(calls, flows);
    const ports = this.ports(bindings, relayed) - this.sum(relayed, (f) => 2 * this.word(f + abi.FLOW_MUXED));
    const listeners = this.sum(relayed, (f) => 2 * this.word(f + abi.FLOW_LISTENS));
    this.connections(bindings, connections, blocks);
    this.streams(relayed, connections);
    const sizes = Object.fromEntries(SLABS.map((table) => [table, tables[table].size])) as Record<Table, number>;
    return { ...sizes, ports, listeners };
  }
}

/** A port that is open; its kind is that of its pool. */
type OpenPort = { realm: number; address: string; port: number; kind: number };

/** What a BIND or UNBIND is about. */
export function placeOf({ local, localPort, value }: { local: string; localPort: number; value: number }): string {
  return `${local}:${localPort}${value === abi.TRANSPORT_UDP ? "" : ` for transport ${value}`}`;
}

/** The sockets that are open as BIND and UNBIND say, against the ports in use. */
export class Sockets {
  readonly open = new Map<string, OpenPort>();
  private readonly listening = new Map<string, OpenPort>();

  /** Where connections are taken. */
  get streams(): OpenPort[] {
    return [...this.listening.values()];
  }

  take(outputs: { kind: number; realm: number; local: string; localPort: number; value: number; detail: number }[]): void {
    for (const { kind, realm, local, localPort, value, detail } of outputs) {
      const place = placeOf({ local, localPort, value });
      const open = value === abi.TRANSPORT_UDP ? this.open : this.listening;
      if (kind === abi.OUTPUT_BIND) {
        if (open.has(place)) throw new CoreFault("sockets", `${place} is opened twice`);
        open.set(place, { realm, address: local, port: localPort, kind: detail });
      } else if (kind === abi.OUTPUT_UNBIND && !open.delete(place)) throw new CoreFault("sockets", `${place} is closed and was not open`);
    }
  }

  /** Another process goes on: nothing is open but those that nobody hears, which nothing is said of. Returns the places of the others. */
  restart(deaf: Set<number>): Set<string> {
    const before = new Set<string>();
    for (const open of [this.open, this.listening]) {
      for (const [place, { port }] of open) if (!deaf.has(port) && open.delete(place)) before.add(place);
    }
    return before;
  }

  check({ ports, listeners }: Usage): void {
    const taken = this.streams.filter(({ kind }) => kind === abi.POOL_MEDIA).length;
    if (listeners !== taken) throw new CoreFault("sockets", `${taken} ports of media take connections by BIND and UNBIND, and ${listeners} should`);
    if (ports !== this.open.size) throw new CoreFault("sockets", `${this.open.size} are open by BIND and UNBIND, and ${ports} are in use`);
  }
}
