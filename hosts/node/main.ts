/*
 * `culvert` on Node; built to dist/node.js, which package.json names as the command.
 */

import { commandLine, commandRun } from "../shared/command.ts";
import { registerDemo } from "./demo.ts";
import { registerExplain } from "./explain.ts";
import { nodeHost } from "./host.ts";
import { registerReplay } from "./replay.ts";
import { registerRouter } from "./router.ts";
import { registerWorker } from "./worker.ts";

const program = commandLine(nodeHost);
registerReplay(program);
registerExplain(program);
registerRouter(program);
registerDemo(program);
registerWorker(program);
await commandRun(program, process.argv.slice(2), nodeHost);
