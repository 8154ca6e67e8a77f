/*
 * What the core did, in the spelling of the vectors: for messages of failed tests and for UPDATE=1.
 */

import * as abi from "#abi";
import { endpointText } from "../../hosts/shared/address.ts";
import { eventName } from "../../hosts/shared/names.ts";
import { frameDissect } from "../frame/dissect.ts";
import { layersShow } from "../frame/layer.ts";
import { type Output, transportName } from "./output.ts";
import type { Names } from "./pattern.ts";
import type { Outcome } from "./world.ts";

/** Writes bound placeholders for their values; short numbers would be found everywhere. */
function namesPut(text: string, names: Names): string {
  let result = text;
  for (const [name, value] of names) if (value.length > 3) result = result.replaceAll(value, `{${name}}`);
  return result;
}

function frameShow({ value, payload }: Output): string {
  const { layers, payload: carried } = frameDissect(Buffer.from(payload, "latin1"));
  return `\`\`\`out frame ${value}\n${layersShow(layers)}${payloadShow(carried.toString("latin1"))}\`\`\``;
}

function payloadShow(payload: string): string {
  const text = /^[\t\r\n\x20-\x7e]*$/.test(payload) && payload.endsWith("\r\n") && !/[^\r]\n/.test(payload);
  if (text) return `\n${payload.replaceAll("\r\n", "\n")}`;
  const hex = Buffer.from(payload, "latin1").toString("hex");
  return ` hex\n${hex.replace(/.{64}/g, "$&\n")}\n`;
}

/** ` dscp=46 ecn=1` of a traffic class. */
export function trafficShow(traffic: number): string {
  return `${traffic >> 2 === 0 ? "" : ` dscp=${traffic >> 2}`}${(traffic & 3) === 0 ? "" : ` ecn=${traffic & 3}`}`;
}

export function outputShow(output: Output, realms: string[], names: Names): string {
  const local = endpointText(output.local, output.localPort);
  switch (output.kind) {
    case abi.OUTPUT_SEND:
    case abi.OUTPUT_FORWARD: {
      const type = output.kind === abi.OUTPUT_SEND ? "out" : "forward";
      const way = `${local} -> ${endpointText(output.remote, output.remotePort)} @${realms[output.realm] ?? output.realm}`;
      const route = output.kind === abi.OUTPUT_SEND && output.value !== 0 ? `connection ${output.value} (${way})` : way + trafficShow(output.detail);
      return namesPut(`\`\`\`${type} ${route}${payloadShow(output.payload)}\`\`\``, names);
    }
    case abi.OUTPUT_FRAME:
      return namesPut(frameShow(output), names);
    case abi.OUTPUT_BRIDGE:
      return `- \`bridged ${output.value}\``;
    case abi.OUTPUT_STACK:
      return `- \`handed ${output.value}\``;
    case abi.OUTPUT_BIND:
      return namesPut(`- \`bind ${local}${output.value === 0 ? "" : ` ${transportName(output.value)}`}\``, names);
    case abi.OUTPUT_UNBIND:
      return namesPut(`- \`unbind ${local}${output.value === 0 ? "" : ` ${transportName(output.value)}`}\``, names);
    case abi.OUTPUT_DIAL:
      return namesPut(
        `- \`dial NAME ${local} -> ${endpointText(output.remote, output.remotePort)} ${transportName(output.detail)}${output.partner === 0 ? "" : ` with ${output.partner}`}\``,
        names,
      );
    case abi.OUTPUT_HANG:
      return `- \`hang ${output.value}\``;
    default:
      return `- \`event ${eventName(output.realm)}\``;
  }
}

export function outcomeShow(outcome: Outcome, realms: string[], names: Names): string {
  const timeout = outcome.timeoutMs < 0 ? "never" : `${outcome.timeoutMs}ms`;
  return [
    ...outcome.outputs.map((output) => outputShow(output, realms, names)),
    `- \`verdict ${outcome.verdict} reason=${outcome.reason}\``,
    `- \`timeout ${timeout}\``,
  ].join("\n");
}
