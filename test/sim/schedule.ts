/*
 * Virtual time: what is to happen, in order of its time, and of its arrangement where times are equal.
 */

interface Event {
  at: number;
  order: number;
  act: () => void;
}

/** Something arranged that may be called off. */
export interface Appointment {
  cancel(): void;
}

export class Schedule {
  now = 0;
  private readonly heap: Event[] = [];
  private order = 0;

  after(ms: number, act: () => void): Appointment {
    const event = { at: this.now + Math.max(0, ms), order: this.order++, act };
    this.push(event);
    return { cancel: () => (event.act = () => undefined) };
  }

  /** Does `act` every `ms` until it says no. */
  every(ms: number, act: () => boolean): void {
    this.after(ms, () => {
      if (act()) this.every(ms, act);
    });
  }

  /** Lets everything happen that is due until `end`. Returns how much that was. */
  runUntil(end: number): number {
    let count = 0;
    while (this.heap.length > 0 && this.heap[0]!.at <= end) {
      const event = this.pop();
      this.now = event.at;
      event.act();
      count++;
    }
    this.now = end;
    return count;
  }

  private before(a: Event, b: Event): boolean {
    return a.at < b.at || (a.at === b.at && a.order < b.order);
  }

  private push(event: Event): void {
    const { heap } = this;
    let i = heap.length;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!this.before(event, heap[parent]!)) break;
      heap[i] = heap[parent]!;
      i = parent;
    }
    heap[i] = event;
  }

  private pop(): Event {
    const { heap } = this;
    const top = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return top;
    let i = 0;
    for (let child = 1; child < heap.length; child = 2 * i + 1) {
      if (child + 1 < heap.length && this.before(heap[child + 1]!, heap[child]!)) child++;
      if (!this.before(heap[child]!, last)) break;
      heap[i] = heap[child]!;
      i = child;
    }
    heap[i] = last;
    return top;
  }
}
