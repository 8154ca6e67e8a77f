/*
 * Calls in rtpengine by its ng control protocol: bencoded dictionaries in UDP datagrams, each with a cookie that comes back.
 */

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { Media } from "./call.ts";

type Value = string | Value[] | { [key: string]: Value };

const ATTEMPTS = 50;
const ATTEMPT_MS = 100;

export function bencode(value: Value): string {
  if (typeof value === "string") return `${Buffer.byteLength(value)}:${value}`;
  if (Array.isArray(value)) return `l${value.map(bencode).join("")}e`;
  const keys = Object.keys(value).sort();
  return `d${keys.map((key) => bencode(key) + bencode(value[key]!)).join("")}e`;
}

/** The SDP in an answer. */
function sdpOf(answer: string): string {
  const found = /3:sdp(\d+):/.exec(answer);
  if (!found) throw new Error(`rtpengine says ${answer}`);
  return answer.slice(found.index + found[0].length).slice(0, Number(found[1]));
}

/** Sets up a call for each pair of sides, caller first; each is aimed at rtpengine. `interfaces` are those of its names, the callers' first. */
export async function ngCalls(port: number, interfaces: [string, string], pairs: [Media, Media][]): Promise<void> {
  const socket = createSocket("udp4");
  const answers = new Map<string, string>();
  socket.on("message", (data) => {
    const text = data.toString("latin1");
    answers.set(text.slice(0, text.indexOf(" ")), text.slice(text.indexOf(" ") + 1));
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const ask = async (cookie: string, request: Value): Promise<string> => {
    for (let i = 0; i < ATTEMPTS && !answers.has(cookie); i++) {
      socket.send(`${cookie} ${bencode(request)}`, port, "127.0.0.1");
      for (const end = Date.now() + ATTEMPT_MS; Date.now() < end && !answers.has(cookie); ) await sleep(1);
    }
    return answers.get(cookie) ?? "nothing";
  };
  for (const [i, [caller, callee]] of pairs.entries()) {
    const call = { "call-id": `bench-${i}`, "from-tag": "a" };
    const offer = { ...call, command: "offer", direction: [...interfaces], sdp: caller.describe() };
    callee.aim(sdpOf(await ask(`o${i}`, offer)));
    caller.aim(sdpOf(await ask(`a${i}`, { ...call, command: "answer", "to-tag": "b", sdp: callee.describe() })));
  }
  socket.close();
}
