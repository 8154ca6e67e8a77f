/*
 * Structured logs: JSON lines, or for a person at a terminal readable ones. Never a secret, never a message body.
 */

import pino from "pino";
import pretty from "pino-pretty";
import type { Config } from "./config.ts";

export type LogLevel = Config["log"]["level"];

/** What the hosts use of pino. */
export interface Log {
  trace(fields: object, message: string): void;
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  isLevelEnabled(level: string): boolean;
}

/** Writes to standard output; `fields` stand in every line. */
export function logOpen(settings: Config["log"], terminal: boolean, fields: object | null = null): Log {
  const readable = settings.format === "pretty" || (settings.format === "auto" && terminal);
  const options = { level: settings.level, base: fields };
  if (!readable) return pino({ ...options, timestamp: pino.stdTimeFunctions.isoTime });
  return pino(options, pretty({ sync: true, colorize: terminal, translateTime: "SYS:HH:MM:ss.l", singleLine: true }));
}
