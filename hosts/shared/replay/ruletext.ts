/*
 * A rule as the person who wrote it knows it: number, line and text in the configuration.
 */

import { prefixText } from "../address.ts";
import type { Config, Rule } from "../config.ts";
import { YamlDocument } from "../config/document.ts";
import { rangeText } from "../config/range.ts";

export interface RuleText {
  /** From 1, as people count; 0 for no rule. */
  number: number;
  /** 0 when it stands in no file: a default rule. */
  line: number;
  text: string;
}

const PORT_MAX = 65_535;

/** As it is written: one label, or the outer and the inner one. */
function labelsText(outer: number | undefined, inner: number | undefined): string | number | undefined {
  return outer === undefined ? inner : `[${outer}, ${inner}]`;
}

function settledText(config: Config, rule: Rule): string {
  const parts: [string, string | number | undefined][] = [
    ["in", rule.realm === undefined ? undefined : config.realms[rule.realm]?.name],
    ["vpn", rule.vpn],
    ["vlan", labelsText(rule.vlanOuter, rule.vlan)],
    ["mpls", labelsText(rule.mplsOuter, rule.mpls)],
    ["protocol", rule.protocol === 17 ? "udp" : rule.protocol],
    ["from", rule.from && prefixText(rule.from)],
    ["fromPort", rule.fromPort.first === 0 && rule.fromPort.last === PORT_MAX ? undefined : rangeText(rule.fromPort)],
    ["to", rule.to && prefixText(rule.to)],
    ["toPort", rule.toPort.first === 0 && rule.toPort.last === PORT_MAX ? undefined : rangeText(rule.toPort)],
    [rule.action, rule.action === "proxy" ? config.services[rule.service]?.name : "true"],
  ];
  return `{ ${parts.flatMap(([key, value]) => (value === undefined ? [] : [`${key}: ${value}`])).join(", ")} }`;
}

/** The rules of a configuration with their places in its text. */
export class RuleTexts {
  readonly #config: Config;
  readonly #file: string;
  readonly #document: YamlDocument;
  readonly #written: boolean;

  constructor(config: Config, text: string, file: string) {
    this.#config = config;
    this.#file = file;
    this.#document = new YamlDocument(text, file);
    this.#written = Array.isArray((this.#document.value() as { rules?: unknown } | null)?.rules);
  }

  /** The rule at an index, or what happens to what no rule matches (-1). */
  find(index: number): RuleText {
    const rule = this.#config.rules[index];
    if (!rule) return { number: 0, line: 0, text: `otherwise: ${this.#config.otherwise}` };
    const line = this.#written ? this.#document.locate(["rules", index], "value").line : 0;
    return { number: index + 1, line, text: settledText(this.#config, rule) };
  }

  /** "rule 2 (culvert.yaml:14) { … }" */
  label(index: number): string {
    const { number, line, text } = this.find(index);
    if (number === 0) return `no rule, ${text}`;
    return `rule ${number} (${line > 0 ? `${this.#file}:${line}` : "default"}) ${text}`;
  }
}
