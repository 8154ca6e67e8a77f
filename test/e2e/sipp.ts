/*
 * sipp: runs a scenario and reads its statistics file.
 */

import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { type Ended, Program } from "./process.ts";

export interface SippOptions {
  /** Scenario file, or "uac" or "uas" for a built-in one. */
  scenario: string;
  /** Where it sends, host:port; omit for a callee. */
  remote?: string;
  /** User part: the [service] of the scenario. */
  user?: string;
  /** Local address and port. */
  local?: string;
  port?: number;
  mediaPort?: number;
  /** Number of calls, and how many a second. */
  calls?: number;
  rate?: number;
  /** u1 UDP (otherwise), t1 TCP, all calls by one socket; un, tn a socket for each call, ui for each address of a list. */
  transport?: "u1" | "t1" | "un" | "tn" | "ui";
  seconds: number;
  /** Where its logs go. */
  folder: string;
  netns?: string;
  extra?: string[];
}

/** A scenario without its RTP, where it is about signaling. */
export function silenced(text: string): string {
  return text.replace(/^.*play_pcap_audio.*$/gm, "");
}

export interface Figures {
  successful: number;
  failed: number;
  retransmissions: number;
}

function statistics(options: SippOptions): string {
  return join(options.folder, `${basename(options.scenario, ".xml")}-${options.port ?? 0}.csv`);
}

export function sipp(options: SippOptions): Program {
  const builtIn = !options.scenario.endsWith(".xml");
  const args = [
    ...(options.remote === undefined ? [] : [options.remote]),
    builtIn ? "-sn" : "-sf",
    options.scenario,
    "-nostdin",
    "-t",
    options.transport ?? "u1",
    "-max_retrans",
    "5",
    "-timeout",
    String(options.seconds),
    "-trace_err",
    "-trace_stat",
    "-fd",
    "1s",
    "-stf",
    statistics(options),
  ];
  const add = (flag: string, value: string | number | undefined): void => void (value !== undefined && args.push(flag, String(value)));
  add("-s", options.user);
  add("-i", options.local);
  add("-p", options.port);
  add("-mp", options.mediaPort);
  add("-m", options.calls);
  add("-r", options.rate);
  const netns = options.netns === undefined ? {} : { netns: options.netns };
  return new Program("sipp", [...args, ...(options.extra ?? [])], { seconds: options.seconds + 10, cwd: options.folder, ...netns });
}

/** Runs it to its end. Exit code 0 means that every call went as scripted. */
export function sippRun(options: SippOptions): Promise<Ended> {
  return sipp(options).ended;
}

/** Totals of a run that has ended. */
export function sippFigures(options: SippOptions): Figures {
  const rows = readFileSync(statistics(options), "utf8")
    .trim()
    .split("\n")
    .map((row) => row.split(";"));
  const last = rows[rows.length - 1] ?? [];
  const column = (name: string): number => Number(last[rows[0]?.indexOf(name) ?? -1] ?? Number.NaN);
  return { successful: column("SuccessfulCall(C)"), failed: column("FailedCall(C)"), retransmissions: column("Retransmissions(C)") };
}
