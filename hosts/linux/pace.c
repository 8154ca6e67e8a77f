/*
 * Pace: a queue whose packets come fast is looked at by the clock, as network cards do with interrupts, because waking up for each
 * costs more than the packet. One with few of them wakes at once, which is the least delay. Part of shim.c.
 */

/** Packets a second from which a queue is paced, and below which it no longer is; nanoseconds that a rate is measured over. */
enum { PACE_FROM = 15000, PACE_UNTIL = 8000, PACE_WINDOW = 4000000, SECOND = 1000000000, MILLISECOND = 1000000 };

struct pace {
  /** When the measurement began, and packets since. */
  int64_t since;
  int packets, fast;
  /** The host has left packets where they are, to come back at once. */
  int left;
};

/** Is a queue to be left alone until it is time, by what has come? */
static int paceWeigh(struct pace *p) {
  struct timespec clock;
  clock_gettime(CLOCK_MONOTONIC, &clock);
  int64_t now = (int64_t)clock.tv_sec * SECOND + clock.tv_nsec, elapsed = now - p->since;
  if (elapsed >= PACE_WINDOW) {
    p->fast = p->packets * (int64_t)SECOND / elapsed >= (p->fast ? PACE_UNTIL : PACE_FROM);
    p->since = now;
    p->packets = 0;
  }
  return p->fast && !p->left;
}
