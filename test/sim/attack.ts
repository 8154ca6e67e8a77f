/*
 * Attacks on the media of a call (CONFORMANCE 72 to 75): who attacks, when, with what; and what came of it. Each is played on
 * a Scene, over every kind of datagram and both ports of the pair; what any of them achieved is the result.
 */

import type { Maker } from "../fuzz/lockstep.ts";
import { type Place, placeText, type Realm } from "./network.ts";
import { FAR, HOME, NAT, OURS, Scene, type Setting } from "./scene.ts";

export interface Attacker {
  name: string;
  realm: Realm;
  /** The source that he writes: his own, where he listens, or one that he forges. */
  place: (scene: Scene) => Place;
  /** Is that nothing that the call has to do with, as far as the default policy goes? */
  off: boolean;
}

const ATTACKERS: Attacker[] = [
  { name: "a stranger, from his own address", realm: "access", off: true, place: () => ({ address: "192.0.2.66", port: 6666 }) },
  { name: "forges the address of another house", realm: "access", off: true, place: () => ({ address: "198.51.100.12", port: 4000 }) },
  { name: "forges a media port of ours", realm: "access", off: true, place: () => ({ address: OURS.access, port: 20_062 }) },
  { name: "forges a private address and port, behind NAT those in SDP", realm: "access", off: true, place: () => HOME },
  { name: "forges that address, another port", realm: "access", off: true, place: () => ({ ...HOME, port: 6666 }) },
  { name: "forges the address that signaling comes from, or shares it", realm: "access", off: false, place: () => ({ address: NAT, port: 6666 }) },
  { name: "on the path, forges all that he sees", realm: "access", off: false, place: ({ source }) => source },
  { name: "in the core: a stranger, from his own address", realm: "core", off: true, place: () => ({ address: "10.9.0.99", port: 6666 }) },
  { name: "in the core: forges the address of a server", realm: "core", off: false, place: () => ({ address: "10.9.0.10", port: 6666 }) },
  { name: "in the core: forges the address in SDP, another port", realm: "core", off: false, place: () => ({ ...FAR, port: 6666 }) },
  { name: "in the core: on the path, forges all that he sees", realm: "core", off: false, place: () => FAR },
];

export interface Moment {
  name: string;
  /** How many datagrams he sends. */
  packets: number;
  /** Does the call's own media go on meanwhile? */
  flows: boolean;
  bring(scene: Scene): void;
}

const MANY = 6;
/** Where media flows he sends so many between two packets of it. */
const BURST = 5;

export const MOMENTS: Moment[] = [
  { name: "first, one", packets: 1, flows: false, bring: () => undefined },
  { name: "first, many", packets: MANY, flows: false, bring: () => undefined },
  { name: "probation", packets: 3 * BURST, flows: true, bring: (scene) => scene.talk(2) },
  { name: "locked", packets: 3 * BURST, flows: true, bring: (scene) => scene.talk(10) },
  { name: "pause", packets: MANY, flows: false, bring: pause },
  { name: "refreshed", packets: 3 * BURST, flows: true, bring: refresh },
  { name: "resumed", packets: MANY, flows: false, bring: resume },
  { name: "late", packets: MANY, flows: false, bring: (scene) => scene.wait(120_000) },
  { name: "ended", packets: MANY, flows: false, bring: (scene) => scene.end() },
];

function pause(scene: Scene): void {
  scene.talk(10);
  scene.wait(2000);
}

function refresh(scene: Scene): void {
  scene.talk(10);
  scene.exchange();
}

/** On hold for a while in which nobody sends, and back. */
function resume(scene: Scene): void {
  scene.talk(10);
  scene.exchange(false, "inactive");
  scene.wait(5000);
  scene.exchange();
}

type Content = (scene: Scene, realm: Realm, nth: number) => Buffer;

const bytes = (...values: number[]): Content => {
  const payload = Buffer.from(values);
  return () => payload;
};
const filled = (first: number, len: number): Content => bytes(...Array.from({ length: len }, (_, i) => (i === 0 ? first : i)));

/** What he sends. The first goes on with the victim's own SSRC and sequence numbers, as who sees them would. */
const CONTENTS: Content[] = [
  (scene, realm, nth) => scene.rtp(realm, nth),
  (scene, realm, nth) => scene.rtp(realm, nth + 7000, 0x66),
  (_, realm) => Buffer.from([0x80, 201, 0, 1, 0, 0, 0, realm === "access" ? 1 : 2]),
  bytes(0x80, 201, 0, 1, 0, 0, 0, 0x66),
  bytes(0x00, 0x01, 0x00, 0x00, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12),
  filled(22, 60),
  filled(0xff, 60),
  bytes(0x80),
  bytes(),
];

/** What an attack achieved. */
export interface Result {
  /** Something of his reached who is on the other side. */
  passes: boolean;
  /** Media of the call went to the place that he wrote. */
  diverts: boolean;
  /** The party whose source he is not is not heard any more, until the next offer or answer. */
  silences: boolean;
}

/** Packets after which a call that was disturbed must be well again. */
const RECOVERY = 20;

const other = (realm: Realm): Realm => (realm === "access" ? "core" : "access");

function play(scene: Scene, attacker: Attacker, moment: Moment, content: Content, control: boolean): Result {
  const { realm } = attacker;
  const result: Result = { passes: false, diverts: false, silences: false };
  const place = attacker.place(scene);
  const from = control ? { ...place, port: place.port + 1 } : place;
  const look = (): void => {
    for (const to of [scene.stream(other(realm)), scene.report(other(realm))]) if (to === placeText(from)) result.diverts = true;
  };
  scene.back();
  for (let i = 0; i < moment.packets; i++) {
    if (moment.flows && i % BURST === 0) scene.stream(realm);
    if (scene.media(realm, from, content(scene, realm, i), control) !== "") result.passes = true;
    look();
    if (i % BURST === BURST - 1) scene.wait();
  }
  for (let i = 0; i < RECOVERY; i++) {
    scene.wait();
    scene.stream(realm);
  }
  look();
  result.silences = scene.stream(realm) === "";
  return result;
}

/** Is the party whose source is attacked heard when nobody attacks? */
function isHeard(scene: Scene, realm: Realm): boolean {
  scene.back();
  scene.stream(other(realm));
  scene.stream(realm);
  scene.stream(other(realm));
  return scene.stream(realm) !== "";
}

export interface Row {
  attacker: Attacker;
  /** One for each moment. */
  results: Result[];
}

function merged(results: Result[]): Result {
  return {
    passes: results.some(({ passes }) => passes),
    diverts: results.some(({ diverts }) => diverts),
    silences: results.some(({ silences }) => silences),
  };
}

/** Every attack there is on a call under a setting. */
export async function attacksPlay(makers: Maker[], setting: Setting): Promise<Row[]> {
  const rows: Row[] = ATTACKERS.map((attacker) => ({ attacker, results: [] }));
  for (const moment of MOMENTS) {
    const scene = await Scene.open(makers, setting);
    moment.bring(scene);
    scene.keep();
    const heard = { access: isHeard(scene, "access"), core: isHeard(scene, "core") };
    for (const { attacker, results } of rows) {
      const genuine = placeText(attacker.place(scene)) === placeText(attacker.realm === "access" ? scene.source : FAR);
      const all = CONTENTS.flatMap((content) => [false, true].map((control) => play(scene, attacker, moment, content, control)));
      const { passes, diverts, silences } = merged(all);
      // What goes where it belongs is not diverted, and who is not heard anyway is not silenced.
      results.push({ passes, diverts: diverts && !genuine, silences: silences && heard[attacker.realm] });
    }
    scene.compare();
  }
  return rows;
}
