/*
 * Compares what an action led to with what the vector expects of it.
 *
 * What was sent must be listed, all of it and in order. Bindings and events are compared when the vector
 * lists any of their kind; verdict and deadline when it says them.
 */

import * as abi from "#abi";
import { eventName } from "../../hosts/shared/names.ts";
import { type Output, transportName } from "./output.ts";
import { type Names, namesFill, patternMatch } from "./pattern.ts";
import { outputShow, trafficShow } from "./show.ts";
import type { Deadline, Dialled, Endpoint, Expectation, Hung, Opened, Route, Sent, Verdict } from "./step.ts";
import { textExpand } from "./text.ts";
import { frameProblems } from "./frame.ts";
import type { Setting } from "./setting.ts";
import { type Outcome, trafficOf } from "./world.ts";

/** A tenth either way for `~`. */
const ABOUT = 0.1;

function endpointProblem(what: string, expected: Endpoint, address: string, port: number, names: Names): string | undefined {
  if (expected.address === address && patternMatch(expected.port, String(port), names)) return undefined;
  return `${what} ${expected.address}:${namesFill(expected.port, names, false)} expected, is ${address}:${port}`;
}

/** The first line that differs. */
function payloadProblem(expected: string, actual: string): string {
  const lines = expected.split("\n");
  const others = actual.split("\n");
  const at = lines.findIndex((line, i) => line !== others[i]);
  if (at < 0) return `${others.length - lines.length} lines more than expected`;
  return `line ${at + 1}\n  expected ${JSON.stringify(lines[at])}\n  actual   ${JSON.stringify(others[at])}`;
}

function routeProblem(route: Route, output: Output, { names, realms }: Setting): string | undefined {
  if (output.kind === abi.OUTPUT_SEND && output.value !== 0) return "was sent on a connection, should be a datagram";
  const from = endpointProblem("source", route.from, output.local, output.localPort, names);
  const to = endpointProblem("destination", route.to, output.remote, output.remotePort, names);
  if (from ?? to) return from ?? to;
  const { realm } = route;
  return realm === undefined || realms[output.realm] === realm ? undefined : `realm ${realm} expected, is ${realms[output.realm] ?? output.realm}`;
}

function connectionProblem(name: string, output: Output, { connections }: Setting): string | undefined {
  if (connections.get(name) === output.value) return undefined;
  const actual = [...connections].find(([, handle]) => handle === output.value)?.[0] ?? (output.value === 0 ? "a datagram" : "another one");
  return `connection ${name} expected, is ${actual}`;
}

/** Names what was dialled. */
function dialledProblems(expected: Expectation[], outputs: Output[], setting: Setting): string[] {
  const wanted = expected.filter((one): one is Dialled => one.type === "dial");
  const actual = outputs.filter(({ kind }) => kind === abi.OUTPUT_DIAL);
  if (actual.length !== wanted.length) return [`${wanted.length} dialled connections expected, are ${actual.length}`];
  return wanted.flatMap(({ connection, route, transport, partner, line }, i) => {
    const output = actual[i]!;
    const from = endpointProblem("source", route.from, output.local, output.localPort, setting.names);
    const to = endpointProblem("destination", route.to, output.remote, output.remotePort, setting.names);
    const other = transportName(output.detail) === transport ? undefined : `${transport} expected, is ${transportName(output.detail)}`;
    const joined =
      output.partner === (partner === undefined ? 0 : setting.connections.get(partner)) ? undefined : `is not to be joined with ${partner ?? "none"}`;
    setting.connections.set(connection, output.value);
    const problem = from ?? to ?? other ?? joined;
    return problem === undefined ? [] : [`line ${line}: ${problem}`];
  });
}

function hungProblems(expected: Expectation[], outputs: Output[], { connections }: Setting): string[] {
  const wanted = expected.filter((one): one is Hung => one.type === "hang").map(({ connection }) => connection);
  const named = new Map([...connections].map(([name, handle]) => [handle, name]));
  const actual = outputs.filter(({ kind }) => kind === abi.OUTPUT_HANG).map(({ value }) => named.get(value) ?? "another one");
  return wanted.join() === actual.join() ? [] : [`to hang up ${wanted.join(", ") || "nothing"} expected, is ${actual.join(", ") || "nothing"}`];
}

function sentProblem(expected: Sent, output: Output, setting: Setting): string | undefined {
  const { names, sent } = setting;
  const kind = expected.type === "forward" ? abi.OUTPUT_FORWARD : abi.OUTPUT_SEND;
  if (output.kind !== kind) return expected.type === "forward" ? "was sent by us, should be forwarded" : "was forwarded, should be sent by us";
  const way = expected.route ? routeProblem(expected.route, output, setting) : connectionProblem(expected.connection!, output, setting);
  const traffic = expected.route && trafficOf(expected.labels) !== output.detail ? `leaves with ${trafficShow(output.detail) || "no mark"}` : undefined;
  if (way ?? traffic) return way ?? traffic;
  const template = expected.flavour === "same" ? sent : textExpand(expected.flavour, namesFill(expected.text, names, false), sent);
  if (expected.flavour === "same" ? template === output.payload : patternMatch(template, output.payload, names)) return undefined;
  return payloadProblem(namesFill(template, names, false), output.payload);
}

function sentProblems(expected: Expectation[], outputs: Output[], setting: Setting): string[] {
  const wanted = expected.filter((one): one is Sent => one.type === "out" || one.type === "forward");
  const actual = outputs.filter(({ kind }) => kind === abi.OUTPUT_SEND || kind === abi.OUTPUT_FORWARD);
  const problems = wanted.flatMap((one, i) => {
    const output = actual[i];
    const problem = output ? sentProblem(one, output, setting) : "nothing was sent";
    return problem === undefined ? [] : [`line ${one.line}: ${problem}`];
  });
  for (const output of actual.slice(wanted.length)) problems.push(`sent and not expected:\n${outputShow(output, setting.realms, setting.names)}`);
  return problems;
}

function openedProblem({ type, at, transport }: Opened, output: Output, names: Names): string | undefined {
  const actual = transportName(output.value);
  return transport === actual ? endpointProblem(type, at, output.local, output.localPort, names) : `${type} for ${transport} expected, is for ${actual}`;
}

function openedProblems(type: "bind" | "unbind", expected: Expectation[], outputs: Output[], names: Names): string[] {
  const wanted = expected.filter((one): one is Opened => one.type === type);
  const actual = outputs.filter(({ kind }) => kind === (type === "bind" ? abi.OUTPUT_BIND : abi.OUTPUT_UNBIND));
  if (wanted.length === 0) return [];
  const problems = wanted.flatMap((one, i) => {
    const output = actual[i];
    const problem = output ? openedProblem(one, output, names) : `no ${type}`;
    return problem === undefined ? [] : [`line ${one.line}: ${problem}`];
  });
  for (const output of actual.slice(wanted.length)) problems.push(`${type} ${output.local}:${output.localPort} not expected`);
  return problems;
}

function eventProblems(expected: Expectation[], outputs: Output[]): string[] {
  const wanted = expected.filter((one) => one.type === "event").map((one) => one.name);
  const actual = outputs.filter(({ kind }) => kind === abi.OUTPUT_EVENT).map(({ realm }) => eventName(realm));
  if (wanted.length === 0 || wanted.join() === actual.join()) return [];
  return [`events ${wanted.join(", ")} expected, are ${actual.join(", ") || "none"}`];
}

function verdictProblem(expected: Verdict, outcome: Outcome): string | undefined {
  const verdict = expected.verdict === undefined || expected.verdict === outcome.verdict;
  const reason = expected.reason === undefined || expected.reason === outcome.reason;
  return verdict && reason
    ? undefined
    : `verdict ${expected.verdict ?? "any"} reason=${expected.reason ?? "any"} expected, is ${outcome.verdict} reason=${outcome.reason}`;
}

function deadlineProblem(expected: Deadline, outcome: Outcome): string | undefined {
  const slack = expected.about ? expected.ms * ABOUT : 0;
  return Math.abs(outcome.timeoutMs - expected.ms) <= slack ? undefined : `timeout ${expected.ms}ms expected, is ${outcome.timeoutMs}ms`;
}

/** Everything that is not as expected. Binds placeholders. */
export function outcomeProblems(expected: Expectation[], outcome: Outcome, setting: Setting): string[] {
  const problems = [
    ...openedProblems("bind", expected, outcome.outputs, setting.names),
    ...dialledProblems(expected, outcome.outputs, setting),
    ...sentProblems(expected, outcome.outputs, setting),
    ...frameProblems(expected, outcome.outputs, setting),
    ...openedProblems("unbind", expected, outcome.outputs, setting.names),
    ...hungProblems(expected, outcome.outputs, setting),
    ...eventProblems(expected, outcome.outputs),
  ];
  for (const one of expected) {
    const problem = one.type === "verdict" ? verdictProblem(one, outcome) : one.type === "timeout" ? deadlineProblem(one, outcome) : undefined;
    if (problem !== undefined) problems.push(`line ${one.line}: ${problem}`);
  }
  return problems;
}
