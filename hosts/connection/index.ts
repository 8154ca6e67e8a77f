/*
 * Connections by the modules of Node, for every host that has them: Node itself, and Deno, whose own listeners neither ask
 * clients for certificates nor take others while they run.
 */

import type { Runtime } from "../shared/runtime.ts";
import { dial, listenStream } from "./stream.ts";
import { certificateCheck } from "./tls.ts";
import { listenWebSocket } from "./websocket.ts";

export const connections: Pick<Runtime, "certificateCheck" | "listenStream" | "dial"> = {
  certificateCheck,
  listenStream: (request) => (request.transport === "ws" || request.transport === "wss" ? listenWebSocket(request) : listenStream(request)),
  dial,
};
