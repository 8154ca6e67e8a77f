/*
 * Carries a plan out, and takes back what was carried out before (SPEC I4). What was done is recorded with how to take it
 * back, each step before it is done, so that nothing is left behind however this ends. Where the record is lost, what is
 * ours is found by its tag and its names; only earlier settings are lost with it.
 */

import type { Plan } from "./plan.ts";
import { type Check, type Command, checkHolds, commandOf, FAMILIES, localRuleRestore, PROTOCOL, settingRestore, type Step } from "./step.ts";
import { shellText } from "./shell.ts";

/** What was done, and what takes it back while `check` finds it there. */
export interface Done {
  key: string;
  about: string;
  check: Check;
  undo: Command;
}

export interface Result {
  code: number;
  output: string;
  error: string;
}

/** The machine, or what a test has in its place. */
export interface Machine {
  run(command: Command): Promise<Result>;
  /** undefined: there is no record. */
  recordRead(): Promise<Done[] | undefined>;
  /** An empty record is taken away. */
  recordWrite(done: Done[]): Promise<void>;
}

export interface Outcome {
  /** What was done, for people. */
  changes: string[];
  /** What was in place already, or was not there to be taken back. */
  unchanged: number;
  warnings: string[];
}

/** How far `apply` has come. */
interface Progress {
  /** In place, in the order of the plan. */
  done: Done[];
  /** Of these, what this run made. */
  made: Done[];
  /** Recorded by an earlier run, and not come to yet. */
  kept: Map<string, Done>;
}

/** Thrown with what was tried, what was said about it, and what the machine is like now. */
export class SetupError extends Error {
  override name = "SetupError";
}

function keyOf({ apply }: Step): string {
  return `${shellText(apply)}\n${apply.input ?? ""}`;
}

/** What a person can do about a command that failed. */
function adviceOf({ program }: Command, error: string): string {
  if (/not permitted|Permission denied/.test(error)) return " (run it as root, outside of a container that may not change its network)";
  const missing = program === "nft" && /No such file|not supported/.test(error);
  return missing ? " (the kernel needs the modules nft_socket, nft_tproxy for kind tproxy, and nft_ct; OpenWrt: kmod-nft-socket, kmod-nft-tproxy)" : "";
}

export class Setup {
  readonly #machine: Machine;
  readonly #outcome: Outcome = { changes: [], unchanged: 0, warnings: [] };

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  async #there(check: Check): Promise<boolean> {
    return checkHolds(check, (await this.#machine.run(check.command)).output);
  }

  async #do(command: Command): Promise<void> {
    const { code, error } = await this.#machine.run(command);
    if (code !== 0) throw new SetupError(`\`${shellText(command)}\` failed: ${error.trim() || `exit code ${code}`}${adviceOf(command, error)}`);
  }

  /** The command that takes a step back, with the settings of now. */
  async #undoOf({ undo }: Step): Promise<Command> {
    if (undo.kind === "command") return undo.command;
    const { code, output, error } = await this.#machine.run(commandOf("sysctl", "-n", ...undo.keys));
    const values = output.trim().split("\n");
    if (code !== 0 || values.length !== undo.keys.length) throw new SetupError(`the settings ${undo.keys.join(", ")} cannot be read: ${error.trim()}`);
    return settingRestore(undo.keys, values);
  }

  /** Takes back what is there, the last first. Returns what could not be taken back. */
  async #takeBack(done: Done[]): Promise<Done[]> {
    const failed: Done[] = [];
    for (const one of [...done].reverse()) {
      if (!(await this.#there(one.check))) {
        this.#outcome.unchanged++;
        continue;
      }
      try {
        await this.#do(one.undo);
        this.#outcome.changes.push(`taken back: ${one.about}`);
      } catch (error) {
        failed.unshift(one);
        this.#outcome.warnings.push((error as Error).message);
      }
    }
    return failed;
  }

  /** Makes the machine what the plan says: what an earlier plan made and this one does not have is taken back. */
  async apply(plan: Plan): Promise<Outcome> {
    const earlier = await this.#machine.recordRead();
    if (earlier === undefined) await this.#sweep();
    const wanted = new Set(plan.steps.map(keyOf));
    const stuck = await this.#takeBack((earlier ?? []).filter(({ key }) => !wanted.has(key)));
    const progress: Progress = { done: [...stuck], made: [], kept: new Map((earlier ?? []).filter(({ key }) => wanted.has(key)).map((one) => [one.key, one])) };
    for (const step of plan.steps) {
      try {
        await this.#step(step, progress);
      } catch (error) {
        await this.#giveUp(progress, error as Error);
      }
    }
    await this.#machine.recordWrite(progress.done);
    return this.#outcome;
  }

  async #step(step: Step, { done, made, kept }: Progress): Promise<void> {
    const key = keyOf(step);
    const { about, check, undo } = step;
    if (await this.#there(check)) {
      this.#outcome.unchanged++;
      const ours = step.ours && undo.kind === "command" ? { key, about, check, undo: undo.command } : undefined;
      const one = kept.get(key) ?? ours;
      if (one) done.push(one);
      kept.delete(key);
      return;
    }
    const one: Done = { key, about, check, undo: await this.#undoOf(step) };
    kept.delete(key);
    done.push(one);
    made.push(one);
    await this.#machine.recordWrite([...done, ...kept.values()]);
    await this.#do(step.apply);
    this.#outcome.changes.push(about);
  }

  /** Takes back what this run made, keeps the record of what stood before, and says so. */
  async #giveUp({ done, made, kept }: Progress, cause: Error): Promise<never> {
    const failed = await this.#takeBack(made);
    const left = done.filter((one) => !made.includes(one) || failed.includes(one));
    await this.#machine.recordWrite([...left, ...kept.values()]);
    const state = failed.length === 0 ? "what was done before it is taken back" : `could not be taken back: ${failed.map(({ about }) => about).join("; ")}`;
    throw new SetupError(`${cause.message}; ${state}`);
  }

  /** Takes everything back. Without a record, what the plan would have made, and what is ours by its tag. */
  async remove(plan: Plan): Promise<Outcome> {
    const recorded = await this.#machine.recordRead();
    const ours = plan.steps.flatMap(({ ours, undo, about, check }): Done[] =>
      ours && undo.kind === "command" ? [{ key: "", about, check, undo: undo.command }] : [],
    );
    const failed = await this.#takeBack(recorded ?? ours);
    if (recorded === undefined && this.#outcome.changes.length > 0) {
      this.#outcome.warnings.push("there is no record of what was set up: settings (sysctl) and addresses of interfaces stay as they are");
    }
    await this.#machine.recordWrite(failed);
    if (failed.length === 0) await this.#sweep();
    return this.#outcome;
  }

  /** Rules and routes that have our tag; the rule that was taken from the front of all others is put back first. */
  async #sweep(): Promise<void> {
    for (const family of FAMILIES) {
      const { output } = await this.#machine.run(commandOf("ip", `-${family}`, "rule", "show"));
      const lines = output.split("\n");
      const tagged = lines.filter((line) => new RegExp(` proto ${PROTOCOL}( |$)`).test(line));
      const moved = tagged.some((line) => /^\d+:\s+from all lookup local /.test(line)) && !lines.some((line) => /^0:\s+from all lookup local/.test(line));
      if (moved) await this.#do(localRuleRestore(family));
      for (const line of tagged) await this.#do(commandOf("ip", `-${family}`, "rule", "del", "pref", line.split(":", 1)[0]!));
      const routes = await this.#machine.run(commandOf("ip", `-${family}`, "route", "show", "table", "all", "proto", String(PROTOCOL)));
      const left = routes.output.trim() !== "";
      if (left) await this.#do(commandOf("ip", `-${family}`, "route", "flush", "table", "all", "proto", String(PROTOCOL)));
      if (tagged.length > 0 || left) this.#outcome.changes.push(`taken back: rules and routes of an earlier configuration (IPv${family})`);
    }
  }
}
