/*
 * A log that a test can read.
 */

import type { Log } from "../../../hosts/shared/log.ts";

export interface FakeLog extends Log {
  lines: { level: string; fields: Record<string, unknown>; message: string }[];
  /** Messages of one level. */
  at(level: string): string[];
}

export function fakeLog(lowest = "debug"): FakeLog {
  const levels = ["trace", "debug", "info", "warn", "error"];
  const lines: FakeLog["lines"] = [];
  const write = (level: string) => (fields: object, message: string) => void lines.push({ level, fields: fields as Record<string, unknown>, message });
  return {
    lines,
    at: (level) => lines.filter((line) => line.level === level).map((line) => line.message),
    isLevelEnabled: (level) => levels.indexOf(level) >= levels.indexOf(lowest),
    trace: write("trace"),
    debug: write("debug"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
  };
}
