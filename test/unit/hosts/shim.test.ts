/*
 * The I/O shim for another processor (arm64), as far as an emulator goes: qemu knows nothing of BPF, which shim_open has to say.
 */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { CROSS, targetMissing } from "../../parity/native.ts";

const target = CROSS.find(({ name }) => name === "c-aarch64")!;
/** Where Debian has what programs for it link at run time. */
const LIBRARIES = "/usr/aarch64-linux-gnu";
const missing = targetMissing(target) ?? "";

test.skipIf(missing !== "")(`for arm64 loads, has all functions and answers${missing === "" ? "" : ` [skipped: ${missing}]`}`, () => {
  const folder = mkdtempSync(join(tmpdir(), "culvert-shim-"));
  try {
    const built = resolve("dist/linux-arm64");
    const probe = join(folder, "probe");
    execFileSync(target.compiler, ["test/unit/hosts/shimprobe.c", join(built, "shim.so"), `-Wl,-rpath,${built}`, "-ldl", "-o", probe]);
    const functions = readFileSync("hosts/deno/shim.ts", "utf8").match(/\bshim_\w+(?=:)/g)!;
    expect(functions).toContain("shim_open");
    const said = execFileSync(target.emulator!, ["-L", LIBRARIES, probe, join(built, "shim.node"), ...functions, "shim_none"], { encoding: "utf8" });
    expect(said).toMatch(/^addon has an entry\nno shim_none\nopen (ENOSYS|EPERM|opened)\n$/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
