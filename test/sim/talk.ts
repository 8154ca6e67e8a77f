/*
 * Who calls whom and when, what they do in their calls, and whether they hear each other: where both ends of a call say that
 * it is up and not on hold, each must go on hearing the other.
 */

import { CoreFault } from "../fuzz/fault.ts";
import type { Random } from "../unit/core/random.ts";
import type { Dialog } from "./dialog.ts";
import type { Phone } from "./phone.ts";
import type { Schedule } from "./schedule.ts";

interface Call {
  id: string;
  caller: Dialog;
  from: Phone;
  to: Phone;
}

/** How long media may take until it goes both ways, and how long it may be missing then. */
const SETTLE_MS = 8000;
const GAP_MS = 5000;
const LOOK_MS = 1000;

export class Talk {
  private readonly calls: Call[] = [];
  private readonly answered = new Set<string>();

  constructor(
    private readonly phones: Phone[],
    private readonly schedule: Schedule,
    private readonly random: Random,
  ) {}

  begin(start: number, end: number): void {
    const { schedule, random } = this;
    schedule.after(start, () => {
      schedule.every(4000, () => {
        if (random.chance(0.5)) this.dial();
        return schedule.now < end - 20_000;
      });
      schedule.every(LOOK_MS, () => {
        for (const call of this.calls) this.look(call);
        return schedule.now < end;
      });
    });
  }

  private isFree(phone: Phone): boolean {
    return phone.registered && [...phone.dialogs.values()].every(({ state }) => state === "over");
  }

  private dial(): void {
    const { random } = this;
    const free = this.phones.filter((phone) => this.isFree(phone));
    if (free.length < 2) return;
    const from = random.pick(free);
    const to = random.pick(free.filter((phone) => phone !== from));
    const id = `call${this.calls.length}@${from.user}`;
    const caller = from.call(to.user, id, random.chance(0.1));
    this.calls.push({ id, caller, from, to });
    if (random.chance(0.15)) this.schedule.after(random.between(200, 4000), () => caller.cancel());
    this.schedule.after(random.between(8000, 40_000), () => this.end(from, to, id));
    if (random.chance(0.4)) this.schedule.after(random.between(8000, 15_000), () => this.holdFor(from, to, id));
  }

  private either(from: Phone, to: Phone, id: string): Dialog | undefined {
    return this.random.pick([from, to]).dialogs.get(id);
  }

  private end(from: Phone, to: Phone, id: string): void {
    this.either(from, to, id)?.hangUp();
  }

  private holdFor(from: Phone, to: Phone, id: string): void {
    const dialog = this.either(from, to, id);
    dialog?.hold(this.random.pick(["sendonly", "blackhole"]));
    this.schedule.after(6000, () => dialog?.hold("sendrecv"));
  }

  private look({ id, caller, to }: Call): void {
    const callee = to.dialogs.get(id);
    if (caller.state !== "up" || callee?.state !== "up") return;
    this.answered.add(id);
    if (caller.disturbed || callee.disturbed || caller.talkingSince === undefined || callee.talkingSince === undefined) return;
    const since = Math.max(caller.talkingSince, callee.talkingSince, caller.stream.sentAt, callee.stream.sentAt);
    if (caller.stream.sentAt < 0 || callee.stream.sentAt < 0) return;
    for (const [dialog, who] of [
      [caller, "caller"],
      [callee, "callee"],
    ] as const) {
      const quietSince = Math.max(dialog.stream.heardAt, since);
      const allowed = dialog.stream.heardAt < since ? SETTLE_MS : GAP_MS;
      if (this.schedule.now - quietSince > allowed)
        throw new CoreFault("media", `the ${who} of ${id} to ${to.user} has heard ${dialog.stream.heard} packets, and none since ${quietSince} ms`);
    }
  }

  /** Ends everything that is left. */
  finish(): void {
    for (const phone of this.phones) for (const dialog of phone.dialogs.values()) dialog.hangUp();
  }

  figures(): { calls: number; answered: number; heard: number } {
    const heard = this.phones.reduce((sum, phone) => sum + [...phone.dialogs.values()].reduce((n, { stream }) => n + stream.heard, 0), 0);
    return { calls: this.calls.length, answered: this.answered.size, heard };
  }
}
