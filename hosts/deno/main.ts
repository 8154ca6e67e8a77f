/*
 * `culvert` on Deno: deno run --allow-net --allow-read --allow-env dist/deno.js run -c culvert.yaml
 */

import { commandLine, commandRun } from "../shared/command.ts";
import { denoHost } from "./host.ts";

await commandRun(commandLine(denoHost), Deno.args, denoHost);
