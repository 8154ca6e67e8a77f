/*
 * Culvert, the translation core as a C library: a transparent SIP and media translator without sockets,
 * clocks or allocation. The translation unit is culvert.c; the numbers (regions, records, kinds, reasons)
 * are in constants.h, which the build writes from core/memory.
 *
 * The caller owns everything: a `culvert` and the array that is its memory. In this order:
 *   culvert_open   gives it a zeroed array of CULVERT_MEMORY_MIN bytes or more, a multiple of 64 KiB;
 *   culvert_st32   writes the capacities; culvert_region(CULVERT_REGION_END) then says how much memory they
 *                  need (grow the array and call culvert_open again with it, before anything else);
 *   culvert_boot   starts, after realms, pools, services and rules were written;
 *   then: culvert_input once, culvert_output until CULVERT_OUTPUT_TIMEOUT, again.
 *
 * Invariant: the bytes of memory are the same on every machine (32-bit words are little-endian, so they are
 * read with culvert_ld32), and the same as those of the JavaScript and the WebAssembly build. Every access is
 * checked against `size`; one outside it calls culvert_trap, which does not return.
 */
#ifndef CULVERT_H
#define CULVERT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Must equal the word at CULVERT_HEADER_ABI after culvert_boot. */
#define CULVERT_ABI 6
#define CULVERT_PAGE 65536u
#define CULVERT_MEMORY_MIN (16u * CULVERT_PAGE)

typedef struct culvert {
  uint8_t *data;
  /** Bytes of `data`, below 2^31. */
  uint32_t size;
} culvert;

/** Why the core stopped. All but the first would be a mistake in the core; none has been seen. */
enum { CULVERT_TRAP_BOUNDS = 1, CULVERT_TRAP_DIVISION, CULVERT_TRAP_OVERFLOW, CULVERT_TRAP_UNREACHABLE };

#if defined(__GNUC__)
#define CULVERT_NORETURN __attribute__((noreturn))
#else
#define CULVERT_NORETURN
#endif

/** Called on a trap; must not return. The library's own aborts; a program may define another. */
CULVERT_NORETURN void culvert_trap(int code);

/** Gives the core its memory. Returns 0, or -1 for a size that it cannot have. The array is neither cleared nor freed. */
int culvert_open(culvert *core, void *memory, size_t size);

/** Starts with the configuration in memory at `now` (milliseconds, may wrap). Returns 0 or a fault (negative). */
int32_t culvert_boot(culvert *core, int32_t now);

/** Address of a region, CULVERT_REGION_*. */
int32_t culvert_region(culvert *core, int32_t id);

/** One input of `kind` (CULVERT_KIND_*) with `len` bytes or slots. Returns CULVERT_VERDICT_* or a fault (negative). */
int32_t culvert_input(culvert *core, int32_t kind, int32_t len, int32_t now);

/** Address of the next output record; the last one is a CULVERT_OUTPUT_TIMEOUT. */
int32_t culvert_output(culvert *core);

/** The bytes at `at`, or null when `len` of them do not lie in memory. */
static inline uint8_t *culvert_at(const culvert *core, int32_t at, uint32_t len) {
  if (at < 0 || (uint32_t)at > core->size || len > core->size - (uint32_t)at) return NULL;
  return core->data + at;
}

/** The word at `at`; 0 when it does not lie in memory. */
static inline int32_t culvert_ld32(const culvert *core, int32_t at) {
  const uint8_t *p = culvert_at(core, at, 4);
  if (p == NULL) return 0;
  return (int32_t)((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24);
}

/** Writes a word; nothing happens when `at` does not lie in memory. */
static inline void culvert_st32(culvert *core, int32_t at, int32_t value) {
  uint8_t *p = culvert_at(core, at, 4);
  uint32_t v = (uint32_t)value;
  if (p == NULL) return;
  p[0] = (uint8_t)v;
  p[1] = (uint8_t)(v >> 8);
  p[2] = (uint8_t)(v >> 16);
  p[3] = (uint8_t)(v >> 24);
}

#ifdef __cplusplus
}
#endif

#endif
