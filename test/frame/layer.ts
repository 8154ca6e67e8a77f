/*
 * A frame as lines of text, one for each header from the outside in, and what it carries (vector/README.md has the
 * spellings). The lines are what a test writes and what it compares: a field that has its usual value is left away.
 */

import { type Flavour, VectorError } from "../vector/step.ts";

export type Kind = "eth" | "vlan" | "mpls" | "ip" | "udp" | "tcp" | "icmp" | "icmp6" | "type";

export interface Layer {
  kind: Kind;
  /** `A -> B`, or the one thing that it is. */
  words: string[];
  fields: Map<string, string>;
}

export interface Description {
  layers: Layer[];
  flavour: Flavour | "same" | "none";
  /** What it carries, as written. */
  text: string;
}

const KINDS = ["eth", "vlan", "mpls", "ip", "udp", "tcp", "icmp", "icmp6", "type"];

/** Fields of each header in the order in which they are written, with their usual value. */
export const FIELDS: Record<Kind, Record<string, string>> = {
  eth: { padding: "0" },
  vlan: { pcp: "0", tpid: "8100", aside: "" },
  mpls: { ttl: "64", tc: "0" },
  ip: { ttl: "64", dscp: "0", ecn: "0", df: "no", options: "", extension: "", piece: "", pieces: "", checksum: "right", length: "right", proto: "" },
  udp: { checksum: "right", length: "right" },
  tcp: { checksum: "right" },
  icmp: { mtu: "0", checksum: "right" },
  icmp6: { mtu: "0", checksum: "right" },
  type: {},
};

/** Fields that a dissector does not show: what is only chosen when a frame is written. */
const WRITTEN_ONLY = ["id", "aside", "options", "extension", "piece"];

function layerRead(line: string): Layer {
  const [kind, ...rest] = line.trim().split(/\s+/) as [Kind, ...string[]];
  const layer: Layer = { kind, words: [], fields: new Map() };
  for (const word of rest) {
    const [name, value] = word.split("=");
    if (value === undefined && word !== "df" && word !== "aside") layer.words.push(word);
    else if (!(name! in FIELDS[kind]) && name !== "id") throw new VectorError(`"${name}" is no field of ${kind}`);
    else layer.fields.set(name!, value ?? "yes");
  }
  return layer;
}

/** Reads the lines of a frame: headers, then `rtp …`, `hex …`, `same`, or an empty line and text. */
export function descriptionRead(text: string, edit: boolean): Description {
  const layers: Layer[] = [];
  const lines = text.split("\n");
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!.replace(/#.*$/, "").trim();
    const kind = line.split(/\s+/)[0]!;
    if (KINDS.includes(kind)) layers.push(layerRead(line));
    else if (kind === "rtp" || kind === "hex") return { layers, flavour: kind, text: line.slice(4) };
    else if (kind === "same") return { layers, flavour: "same", text: "" };
    else if (line === "" && i < lines.length - 1) return { layers, flavour: edit ? "edit" : "text", text: lines.slice(i + 1).join("\n") };
    else if (line !== "") throw new VectorError(`"${line}" is no line of a frame`);
  }
  return { layers, flavour: "none", text: "" };
}

function layerShow({ kind, words, fields }: Layer): string {
  const shown = Object.entries(FIELDS[kind]).flatMap(([name, usual]) => {
    const value = fields.get(name);
    if (value === undefined || value === usual || WRITTEN_ONLY.includes(name)) return [];
    return [value === "yes" ? name : `${name}=${value}`];
  });
  return [kind, ...words, ...shown].join(" ");
}

/** The lines, fields in order and usual ones left away. */
export function layersShow(layers: Layer[]): string {
  return layers.map((layer) => `${layerShow(layer)}\n`).join("");
}
