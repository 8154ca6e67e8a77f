/*
 * The C core as an engine: builds driver.c with the core's C for a target, runs it (under qemu-user when the
 * target is another machine) and talks to it in frames. Requests are answered in order, so many may be under way.
 */

import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { constantsWrite, sourceCut } from "../../bindings/c/source.ts";
import type { Engine } from "./engine.ts";

export interface Target {
  name: string;
  compiler: string;
  /** Runs the binary, when this machine cannot. */
  emulator?: string;
  flags: string[];
}

export const NATIVE: Target = { name: "c", compiler: "gcc", flags: [] };
/** With what tells of every access outside an object and of everything that C leaves undefined; it ends at the first. */
export const SANITIZED: Target = {
  name: "c-sanitized",
  compiler: "gcc",
  flags: ["-g", "-fno-omit-frame-pointer", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"],
};
export const CROSS: Target[] = [
  { name: "c-aarch64", compiler: "aarch64-linux-gnu-gcc", emulator: "qemu-aarch64", flags: ["-static"] },
  { name: "c-armhf", compiler: "arm-linux-gnueabihf-gcc", emulator: "qemu-arm", flags: ["-static"] },
  { name: "c-mips", compiler: "mips-linux-gnu-gcc", emulator: "qemu-mips", flags: ["-static"] },
  { name: "c-mipsel", compiler: "mipsel-linux-gnu-gcc", emulator: "qemu-mipsel", flags: ["-static"] },
];

const FLAGS = ["-O2", "-std=c11", "-Wall", "-Wextra", "-Werror"];
const PARTS = ["bindings/c/culvert.h", "bindings/c/wasm.h", "bindings/c/culvert.c", "test/parity/driver.c"];
const WRITE_MAX = 1 << 19;
/** Binaries, by content; a build has a folder beside them while it lasts. */
const BUILT = join("dist", "parity");

function runs(program: string): boolean {
  return spawnSync(program, ["--version"], { stdio: "ignore" }).status === 0;
}

/** Why a target cannot be tried here, or undefined when it can. */
export function targetMissing(target: Target): string | undefined {
  if (!runs(target.compiler)) return `no ${target.compiler} on this machine`;
  if (target.emulator && !runs(target.emulator)) return `no ${target.emulator} on this machine`;
  return undefined;
}

/** What wasm2c makes of a module, cut down for bindings/c. */
export function moduleTranslate(wasm: string, folder: string): string {
  const out = join(folder, "raw.c");
  execFileSync(process.execPath, ["node_modules/wabt/bin/wasm2c", wasm, "-n", "culvert", "-o", out]);
  return sourceCut(readFileSync(out, "utf8"), readFileSync(join(folder, "raw.h"), "utf8"));
}

/** Builds the driver around a core, once for each content, in a folder of its own. Returns the path of the binary. */
export function driverBuild(target: Target, wasm: string, abi: Record<string, unknown>): string {
  const hash = createHash("sha256").update(readFileSync(wasm)).update(FLAGS.join()).update(target.name);
  for (const part of [...PARTS, "bindings/c/source.ts"]) hash.update(readFileSync(part));
  const kind = `${target.name}-${basename(wasm, ".wasm")}-`;
  const binary = join(BUILT, kind + hash.digest("hex").slice(0, 16));
  if (existsSync(binary)) return binary;
  mkdirSync(BUILT, { recursive: true });
  const folder = mkdtempSync(join(BUILT, "build-"));
  writeFileSync(join(folder, "core.c"), moduleTranslate(wasm, folder));
  writeFileSync(join(folder, "constants.h"), constantsWrite(abi));
  const made = join(folder, "driver");
  execFileSync(target.compiler, [...FLAGS, ...target.flags, "-Ibindings/c", `-I${folder}`, "bindings/c/culvert.c", "test/parity/driver.c", "-o", made]);
  for (const old of readdirSync(BUILT)) if (old.startsWith(kind)) rmSync(join(BUILT, old), { force: true });
  renameSync(made, binary);
  rmSync(folder, { recursive: true });
  return binary;
}

const CALLS = { boot: 0, region: 1, input: 2, output: 3 };

interface Waiting {
  resolve: (answer: Buffer) => void;
  reject: (error: Error) => void;
}

/** The driver as an engine. */
export class NativeEngine implements Engine {
  readonly name: string;
  private readonly child: ChildProcess;
  private readonly waiting: Waiting[] = [];
  private received: Buffer<ArrayBufferLike> = Buffer.alloc(0);

  constructor(target: Target, binary: string) {
    this.name = target.name;
    const [program, args] = target.emulator ? [target.emulator, [binary]] : [binary, []];
    this.child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
    this.child.stdout!.on("data", (bytes: Buffer) => this.take(bytes));
    this.child.on("exit", (code, signal) => this.fail(new Error(`${this.name}: the driver ended (${signal ?? code})`)));
    this.child.on("error", (error) => this.fail(error));
    this.child.stdin!.on("error", (error) => this.fail(error));
  }

  private fail(error: Error): void {
    for (const one of this.waiting.splice(0)) one.reject(error);
  }

  private take(bytes: Buffer): void {
    this.received = this.received.length === 0 ? bytes : Buffer.concat([this.received, bytes]);
    while (this.received.length >= 4 && this.received.length >= 4 + this.received.readUInt32LE(0)) {
      const end = 4 + this.received.readUInt32LE(0);
      const answer = this.received.subarray(4, end);
      this.received = this.received.subarray(end);
      const one = this.waiting.shift();
      if (answer[0] !== 0) one?.reject(new Error(`${this.name}: trap ${answer[0]}`));
      else one?.resolve(answer.subarray(1));
    }
  }

  private ask(operation: string, args: number[], bytes: Uint8Array = new Uint8Array()): Promise<Buffer> {
    const head = Buffer.alloc(21);
    head.writeUInt32LE(17 + bytes.length, 0);
    head.write(operation, 4, "latin1");
    args.forEach((value, i) => head.writeInt32LE(value | 0, 5 + 4 * i));
    if (this.child.exitCode !== null) return Promise.reject(new Error(`${this.name}: the driver has ended`));
    this.child.stdin!.write(bytes.length === 0 ? head : Buffer.concat([head, bytes]));
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  }

  private async call(name: keyof typeof CALLS, ...args: number[]): Promise<number> {
    return (await this.ask("C", [CALLS[name], ...args])).readInt32LE(0);
  }

  async open(size: number): Promise<void> {
    await this.ask("O", [size]);
  }

  boot(now: number): Promise<number> {
    return this.call("boot", now);
  }

  region(id: number): Promise<number> {
    return this.call("region", id);
  }

  input(kind: number, len: number, now: number): Promise<number> {
    return this.call("input", kind, len, now);
  }

  output(): Promise<number> {
    return this.call("output");
  }

  async read(at: number, len: number): Promise<Uint8Array> {
    return new Uint8Array(await this.ask("R", [at, len]));
  }

  async write(at: number, bytes: Uint8Array): Promise<void> {
    const parts: Promise<Buffer>[] = [];
    for (let done = 0; done < bytes.length; done += WRITE_MAX) parts.push(this.ask("W", [at + done], bytes.subarray(done, done + WRITE_MAX)));
    await Promise.all(parts);
  }

  async pages(): Promise<Uint32Array> {
    const answer = await this.ask("P", []);
    return Uint32Array.from({ length: answer.length / 4 }, (_, i) => answer.readUInt32LE(4 * i));
  }

  close(): void {
    this.child.stdin!.end();
  }
}
