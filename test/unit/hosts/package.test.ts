/*
 * The npm package: what is in it, and that it works where there is nothing else, no registry either.
 */

import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { version } from "../../../package.json";
import { SHIM, shimRefused } from "../../shim.ts";
import { freePort, peer, registerAnswer, registerRequest } from "./register.ts";

/** What every package has; the shim comes on top. */
const CONTENT = [
  ...["LICENSE", "README.md", "deno.json", "package.json"],
  ...["README.md", "c/culvert.c", "c/culvert.h", "c/wasm.h"].map((name) => `bindings/${name}`),
  ...["abi.d.ts", "abi.js", "constants.h", "core.c", "core.d.ts", "core.js", "core.wasm"].map((name) => `dist/${name}`),
  ...["culvert.schema.json", "deno.js", "licences.txt", "node.js"].map((name) => `dist/${name}`),
];
const SHIMS = ["x64", "arm64"].flatMap((processor) => ["shim.node", "shim.so"].map((name) => `dist/linux-${processor}/${name}`));
const unbuilt = SHIMS.filter((file) => !existsSync(file)).join(", ");

const folder = mkdtempSync(join(tmpdir(), "culvert-package-"));
const culvert = join(folder, "node_modules/.bin/culvert");
/** Without what `npm test` says to its children. */
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("npm_")));
let files: string[];

/** Runs a program in the folder. Returns what it prints. */
function run(program: string, words: string[], cwd = folder): string {
  return execFileSync(program, words, { cwd, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

beforeAll(() => {
  const packed = JSON.parse(run("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", folder], resolve("."))) as {
    filename: string;
    files: { path: string }[];
  }[];
  files = packed[0]!.files.map(({ path }) => path);
  writeFileSync(join(folder, "package.json"), "{}");
  run("npm", ["install", "--offline", "--ignore-scripts", `./${packed[0]!.filename}`]);
});

afterAll(() => rmSync(folder, { recursive: true }));

test("has what its users need, and nothing else", () => {
  expect(files.filter((file) => !SHIMS.includes(file)).sort()).toEqual(CONTENT.sort());
});

test.skipIf(unbuilt !== "")(`has the I/O shim for x64 and arm64${unbuilt === "" ? "" : ` [skipped: ${unbuilt} not built]`}`, () => {
  expect(files).toEqual(expect.arrayContaining(SHIMS));
});

test("wants no other package", () => {
  expect(run("npm", ["ls", "--all", "--parseable"]).trim().split("\n")).toEqual([folder, join(folder, "node_modules/culvert")]);
});

test("has the licences of the libraries inside", () => {
  const text = readFileSync(join(folder, "node_modules/culvert/dist/licences.txt"), "utf8");
  for (const name of ["pino", "ws", "yaml", "zod"]) expect(text).toMatch(new RegExp(`^${name}\\n\\n`, "m"));
});

test("has the core as a module, its numbers, and as WebAssembly", () => {
  const script = `
    import { readFileSync } from "node:fs";
    import { createRequire } from "node:module";
    import { createCore } from "culvert/core";
    import { ABI_VERSION } from "culvert/abi";
    const file = createRequire(process.cwd() + "/").resolve("culvert/core.wasm");
    console.log(typeof createCore, ABI_VERSION > 0, WebAssembly.validate(readFileSync(file)));`;
  expect(run(process.execPath, ["--input-type=module", "-e", script])).toBe("function true true\n");
});

test("the command says its version, checks a configuration, and carries a REGISTER by the fastest sockets that there are", async () => {
  const [terminal, terminalPort] = await peer("127.0.0.4");
  const [registrar, registrarPort] = await peer("127.0.0.3");
  const port = await freePort("127.0.0.1");
  const file = join(folder, "culvert.yaml");
  writeFileSync(
    file,
    `
realms: { access: { address: 127.0.0.1, ports: { media: 20000-29999 } }, core: { address: 127.0.0.2 } }
services: { voice: { address: "127.0.0.1:${port}", servers: ["127.0.0.3:${registrarPort}"] } }
secret: 000102030405060708090a0b0c0d0e0f
`,
  );
  expect(run(culvert, ["--version"])).toBe(`${version}\n`);
  expect(run(culvert, ["check", "-c", file])).toContain("fine");

  const child = spawn(culvert, ["run", "-c", file], { cwd: folder, env, stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const said: string[] = [];
  for await (const line of createInterface(child.stdout)) {
    said.push((JSON.parse(line) as { msg: string }).msg);
    if (said.at(-1) === "up") break;
  }
  const refused = shimRefused().replace(SHIM, join(folder, "node_modules/culvert", SHIM.slice(resolve(".").length)));
  expect(said[0]).toBe(refused === "" ? "packets come and go in batches" : `each port has a socket of node: ${refused}`);

  terminal.send(registerRequest("127.0.0.1", `127.0.0.4:${terminalPort}`), "127.0.0.1", port);
  const request = await registrar.receive();
  expect(request.address).toBe("127.0.0.2");
  registrar.send(registerAnswer(request.text), request.address, request.port);
  expect((await terminal.receive()).text).toContain(`Contact: <sip:alice@127.0.0.4:${terminalPort}>`);
  child.kill("SIGTERM");
  expect(await once(child, "exit")).toEqual([0, null]);
});
