/*
 * Frames in vectors: what comes in is built from its lines, what goes out is taken apart and compared line by line and
 * then by what it carries.
 */

import * as abi from "#abi";
import { type Built, frameBuild } from "../frame/build.ts";
import { type Dissection, framesDissect } from "../frame/dissect.ts";
import { type Description, descriptionRead, layersShow } from "../frame/layer.ts";
import type { Output } from "./output.ts";
import { type Names, namesFill, patternMatch } from "./pattern.ts";
import type { Setting } from "./setting.ts";
import { type Expectation, type FrameInput, type FrameSent, VectorError } from "./step.ts";
import { binaryOf, bytesOf, lengthFill, textExpand } from "./text.ts";
import type { Outcome } from "./world.ts";

const KINDS = { framed: abi.OUTPUT_FRAME, bridged: abi.OUTPUT_BRIDGE, handed: abi.OUTPUT_STACK };
const NAMES: Record<number, string> = { [abi.OUTPUT_FRAME]: "sent", [abi.OUTPUT_BRIDGE]: "bridged", [abi.OUTPUT_STACK]: "handed to the stack" };

/** What a description carries, placeholders left in; `sent` is the payload that came in last. */
function payloadOf({ flavour, text }: Description, sent: string): string {
  if (flavour === "none") return "";
  return flavour === "same" ? sent : textExpand(flavour, text, sent);
}

/** The frame of an input, the same with its checksums completed, and its payload as a binary string. */
export function frameMake(action: FrameInput, names: Names, sent: string): { built: Built; completed: string; payload: string } {
  const description = descriptionRead(namesFill(action.text, names, false), action.edit);
  const payload = lengthFill(namesFill(payloadOf(description, sent), names, true));
  for (const { words } of description.layers) for (const word of words) namesFill(word, names, true);
  const whole = descriptionRead(namesFill(action.text, names, false).replace(" checksum=partial", ""), action.edit);
  return {
    built: frameBuild(description.layers, bytesOf(payload)),
    completed: frameWhole(frameBuild(whole.layers, bytesOf(payload))),
    payload,
  };
}

/** The frame as it was on the wire: with the tag that stood aside. */
export function frameWhole({ bytes, tag }: Built): string {
  const inline = Buffer.alloc(tag === 0 ? 0 : 4);
  if (tag !== 0) inline.writeUInt32BE(tag >>> 0);
  return binaryOf(Buffer.concat([bytes.subarray(0, 12), inline, bytes.subarray(12)]));
}

/** What went out in frames, without what is new in each: IPv4 identification and checksum, IPv6 fragment id. */
export function framesSent(outcome: Outcome): string {
  return JSON.stringify(
    dissected(outcome.outputs.filter(({ kind }) => kind === abi.OUTPUT_FRAME)).map(({ of, dissection }) => [
      of.value,
      layersShow(dissection.layers),
      dissection.payload.toString("latin1"),
    ]),
  );
}

function dissected(outputs: Output[]): { dissection: Dissection; of: Output }[] {
  return framesDissect(outputs.map((of) => ({ frame: Buffer.from(of.payload, "latin1"), of })));
}

function linesProblem(expected: string, actual: string): string {
  const [lines, others] = [expected.split("\n"), actual.split("\n")];
  const at = lines.findIndex((line, i) => line !== others[i]);
  return `header ${at + 1}\n  expected ${lines[at]}\n  actual   ${others[at] ?? "nothing"}`;
}

function framedProblem(expected: FrameSent, { layers, payload }: Dissection, { names, sent }: Setting): string | undefined {
  const description = descriptionRead(expected.text, expected.edit);
  const [lines, actual] = [layersShow(description.layers), layersShow(layers)];
  if (!patternMatch(lines, actual, names)) return linesProblem(namesFill(lines, names, false), actual);
  const filled = { ...description, text: namesFill(description.text, names, false) };
  const carried = payload.toString("latin1");
  if (patternMatch(payloadOf(filled, sent), carried, names)) return undefined;
  return `carries\n${JSON.stringify(carried)}\nnot\n${JSON.stringify(namesFill(payloadOf(filled, sent), names, false))}`;
}

function frameProblem(expected: FrameSent, output: Output, dissection: Dissection | undefined, setting: Setting): string | undefined {
  if (output.kind !== KINDS[expected.type]) return `should be ${NAMES[KINDS[expected.type]]}, was ${NAMES[output.kind]}`;
  const name = setting.interfaces[output.value] ?? String(output.value);
  if (name !== expected.interface) return `interface ${expected.interface} expected, is ${name}`;
  if (dissection) return framedProblem(expected, dissection, setting);
  const came = setting.frames[expected.before ? 1 : 0];
  return output.payload === (expected.completed ? setting.completed : came) ? undefined : "is not byte-identical";
}

/** Everything about frames that is not as expected: all that leave must be listed: ours, those that go on, those that are handed. */
export function frameProblems(expected: Expectation[], outputs: Output[], setting: Setting): string[] {
  const wanted = expected.filter((one): one is FrameSent => one.type === "framed" || one.type === "bridged" || one.type === "handed");
  const ours = dissected(outputs.filter(({ kind }) => kind === abi.OUTPUT_FRAME));
  const others = [abi.OUTPUT_BRIDGE, abi.OUTPUT_STACK]
    .flatMap((kind) => outputs.filter((one) => one.kind === kind))
    .map((of) => ({ of, dissection: undefined }));
  const actual: { of: Output; dissection: Dissection | undefined }[] = [...ours, ...others];
  const problems = wanted.flatMap((one, i) => {
    const found = actual[i];
    const problem = found ? frameProblem(one, found.of, found.dissection, setting) : "no frame went out";
    return problem === undefined ? [] : [`line ${one.line}: ${problem}`];
  });
  const more = actual.length - wanted.length;
  return more > 0 ? [...problems, `${more} frames more than expected`] : problems;
}

/** For tests of the language itself. */
export function frameOf(text: string): { built: Built; lines: string } {
  const description = descriptionRead(text, false);
  if (description.flavour === "edit") throw new VectorError("a frame by itself edits nothing");
  return { built: frameBuild(description.layers, bytesOf(payloadOf(description, ""))), lines: layersShow(description.layers) };
}
