/*
 * Rules: which policy rule a packet meets (SPEC P1-P3). The rules are compiled into an aggregated bit
 * vector classifier (table/classifier.ts; Baboescu & Varghese 2001, Lakshman & Stiliadis 1998):
 * one binary search a field, then an AND of bitmaps that visits only the words whose aggregates agree.
 * Before it stands a cache of what it said of packets with the same fields (table/recall.ts).
 *
 * Invariant: a match costs at most eleven searches of 2n edges and n/32 words a field, whatever the rules.
 */

import { ctz32, ld32, mul, st32 } from "../machine.ts";
import {
  ACTION_DISCARD,
  ACTION_FORWARD,
  ACTION_PROXY,
  RULE_ACTION,
  RULE_DESTINATION_PORT_FIRST,
  RULE_DESTINATION_PORT_LAST,
  RULE_DESTINATION_PREFIX,
  RULE_HITS,
  RULE_MPLS,
  RULE_MPLS_OUTER,
  RULE_PROTOCOL,
  RULE_REALM,
  RULE_SERVICE,
  RULE_SOURCE_PORT_FIRST,
  RULE_SOURCE_PORT_LAST,
  RULE_SOURCE_PREFIX,
  RULE_VLAN,
  RULE_VLAN_OUTER,
  RULE_VPN,
} from "../memory/config.ts";
import { CAPACITY_RULES, CONFIG_REALMS, CONFIG_RULES, CONFIG_SERVICES, REGION_CLASSIFIER, REGION_RULES, RULE_SIZE, table } from "../memory/layout.ts";
import { FAULT_CONFIG, fault } from "../memory/reason.ts";
import { CLASSIFIER_AGGREGATE, CLASSIFIER_ORDER, classifierBuild, classifierClear } from "./classifier.ts";
import { LABEL_MAX, PORT_MAX } from "./field.ts";
import { aggregatesMeet, bitmapsMeet, rowsFind } from "./lookup.ts";
import { PREFIX_MAX } from "./prefix.ts";
import { recallAt, recallClear, recallFind, recallPrepare, recallWrite, recalledRule } from "./recall.ts";

const PROTOCOL_MAX: i32 = 255;
/** After every rule. */
const NO_RULE: i32 = 0x7fffffff;

/**
 * Compiles the rule table; returns the number of rules, or a fault at the index of the first bad one.
 * After a fault nothing matches: the old bitmaps would speak of records that the host has overwritten.
 */
export function rulesCompile(): i32 {
  const classifier: i32 = table(REGION_CLASSIFIER);
  const rules: i32 = table(REGION_RULES);
  const n: i32 = ld32(CONFIG_RULES);
  classifierClear(classifier);
  recallClear();
  if (n < 0) return fault(FAULT_CONFIG, 0);
  if (n > ld32(CAPACITY_RULES)) return fault(FAULT_CONFIG, ld32(CAPACITY_RULES));
  for (let i: i32 = 0; i < n; i++) {
    if (!ruleValid(rules + mul(i, RULE_SIZE))) return fault(FAULT_CONFIG, i);
  }
  classifierBuild(classifier, rules, n);
  recallPrepare(rules, n);
  return n;
}

/** Index of the first rule that the packet at `packet` meets, which is counted, or -1. */
export function ruleMatch(packet: i32): i32 {
  const pair: i32 = recallAt(packet);
  let entry: i32 = recallFind(pair);
  if (entry === 0) {
    recallWrite(pair, ruleFind(packet));
    entry = pair;
  }
  const rule: i32 = recalledRule(entry);
  return rule < 0 ? -1 : ruleHit(rule);
}

/** The same by the classifier. */
function ruleFind(packet: i32): i32 {
  const classifier: i32 = table(REGION_CLASSIFIER);
  const aggregate: i32 = ld32(classifier + CLASSIFIER_AGGREGATE);
  let best: i32 = NO_RULE;
  rowsFind(classifier, packet);
  for (let at: i32 = 0; at < aggregate; at += 4) {
    let words: i32 = aggregatesMeet(classifier, at);
    while (words !== 0) {
      best = wordMatch(classifier, (at << 3) + ctz32(words), best);
      words = words & ((words - 1) | 0);
    }
  }
  return best === NO_RULE ? -1 : best;
}

/**
 * The first rule of one word that is met, or `best` if that comes before it. None may be: aggregates
 * also agree when each field is met by another rule of the word (a "false match" in the paper).
 */
function wordMatch(classifier: i32, word: i32, best: i32): i32 {
  const order: i32 = classifier + CLASSIFIER_ORDER + (word << 7);
  if (ld32(order) >= best) return best;
  const bits: i32 = bitmapsMeet(classifier, word);
  if (bits === 0) return best;
  const index: i32 = ld32(order + (ctz32(bits) << 2));
  return index < best ? index : best;
}

function ruleHit(index: i32): i32 {
  const hits: i32 = table(REGION_RULES) + mul(index, RULE_SIZE) + RULE_HITS;
  st32(hits, (ld32(hits) + 1) | 0);
  return index;
}

function within(v: i32, first: i32, last: i32): boolean {
  return v >= first && v <= last;
}

function portsValid(first: i32, last: i32): boolean {
  return within(first, 0, last) && last <= PORT_MAX;
}

/** A realm or a service that does not exist is an error, not a rule that never matches. */
function ruleValid(rule: i32): boolean {
  const action: i32 = ld32(rule + RULE_ACTION);
  if (action === ACTION_PROXY) {
    if (!within(ld32(rule + RULE_SERVICE), 0, ld32(CONFIG_SERVICES) - 1)) return false;
  } else if (action !== ACTION_FORWARD && action !== ACTION_DISCARD) {
    return false;
  }
  return (
    within(ld32(rule + RULE_REALM), -1, ld32(CONFIG_REALMS) - 1) &&
    within(ld32(rule + RULE_VPN), -1, LABEL_MAX) &&
    within(ld32(rule + RULE_VLAN), -1, LABEL_MAX) &&
    within(ld32(rule + RULE_MPLS), -1, LABEL_MAX) &&
    within(ld32(rule + RULE_VLAN_OUTER), -1, LABEL_MAX) &&
    within(ld32(rule + RULE_MPLS_OUTER), -1, LABEL_MAX) &&
    within(ld32(rule + RULE_PROTOCOL), -1, PROTOCOL_MAX) &&
    within(ld32(rule + RULE_SOURCE_PREFIX), 0, PREFIX_MAX) &&
    within(ld32(rule + RULE_DESTINATION_PREFIX), 0, PREFIX_MAX) &&
    portsValid(ld32(rule + RULE_SOURCE_PORT_FIRST), ld32(rule + RULE_SOURCE_PORT_LAST)) &&
    portsValid(ld32(rule + RULE_DESTINATION_PORT_FIRST), ld32(rule + RULE_DESTINATION_PORT_LAST))
  );
}
