/*
 * What the C code that wasm2c makes of the core rests on, in place of wabt's own prelude and run-time
 * library: checked loads and stores, the integer operations that C leaves undefined, copy and fill
 * (WebAssembly core specification 2.0, 4.3.2 and 4.4.7).
 *
 * Invariant: memory lies in natural byte order, so that its bytes are identical on all machines; a
 * big-endian one swaps what it loads and stores (wabt's prelude would keep all of memory backwards there).
 */
#ifndef CULVERT_WASM_H
#define CULVERT_WASM_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include "culvert.h"

typedef uint8_t u8;
typedef int8_t s8;
typedef uint16_t u16;
typedef int16_t s16;
typedef uint32_t u32;
typedef int32_t s32;
typedef uint64_t u64;
typedef int64_t s64;

/** The core has no state besides its memory: bindings/c/source.ts refuses anything else. */
typedef struct culvert wasm_rt_memory_t;
typedef struct w2c_culvert {
  wasm_rt_memory_t w2c_memory;
} w2c_culvert;

#define UNLIKELY(x) __builtin_expect(!!(x), 0)

#define TRAP(code) (culvert_trap(code), 0)
#define UNREACHABLE culvert_trap(CULVERT_TRAP_UNREACHABLE)
#define FUNC_PROLOGUE
#define FUNC_EPILOGUE

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define ORDER8(x) (x)
#define ORDER16(x) __builtin_bswap16(x)
#define ORDER32(x) __builtin_bswap32(x)
#define ORDER64(x) __builtin_bswap64(x)
#else
#define ORDER8(x) (x)
#define ORDER16(x) (x)
#define ORDER32(x) (x)
#define ORDER64(x) (x)
#endif

/** `at` is a 32-bit address and a 32-bit offset added in 64 bits; size is at least a page: nothing here can wrap. */
#define CHECK(mem, at, n) \
  if (UNLIKELY((at) > (u64)(mem)->size - (n))) culvert_trap(CULVERT_TRAP_BOUNDS)

#define DEFINE_LOAD(name, wide, narrow, signed_narrow, bits)                      \
  static inline wide name##_default32(const wasm_rt_memory_t *mem, u64 at) {      \
    narrow raw;                                                                   \
    CHECK(mem, at, sizeof raw);                                                   \
    memcpy(&raw, mem->data + at, sizeof raw);                                     \
    return (wide)(signed_narrow)(narrow)ORDER##bits(raw);                         \
  }

#define DEFINE_STORE(name, wide, narrow, bits)                                    \
  static inline void name##_default32(wasm_rt_memory_t *mem, u64 at, wide value) { \
    narrow raw = (narrow)ORDER##bits((narrow)value);                              \
    CHECK(mem, at, sizeof raw);                                                   \
    memcpy(mem->data + at, &raw, sizeof raw);                                     \
  }

DEFINE_LOAD(i32_load, u32, u32, u32, 32)
DEFINE_LOAD(i64_load, u64, u64, u64, 64)
DEFINE_LOAD(i32_load8_s, u32, u8, s8, 8)
DEFINE_LOAD(i64_load8_s, u64, u8, s8, 8)
DEFINE_LOAD(i32_load8_u, u32, u8, u8, 8)
DEFINE_LOAD(i64_load8_u, u64, u8, u8, 8)
DEFINE_LOAD(i32_load16_s, u32, u16, s16, 16)
DEFINE_LOAD(i64_load16_s, u64, u16, s16, 16)
DEFINE_LOAD(i32_load16_u, u32, u16, u16, 16)
DEFINE_LOAD(i64_load16_u, u64, u16, u16, 16)
DEFINE_LOAD(i64_load32_s, u64, u32, s32, 32)
DEFINE_LOAD(i64_load32_u, u64, u32, u32, 32)
DEFINE_STORE(i32_store, u32, u32, 32)
DEFINE_STORE(i64_store, u64, u64, 64)
DEFINE_STORE(i32_store8, u32, u8, 8)
DEFINE_STORE(i32_store16, u32, u16, 16)
DEFINE_STORE(i64_store8, u64, u8, 8)
DEFINE_STORE(i64_store16, u64, u16, 16)
DEFINE_STORE(i64_store32, u64, u32, 32)

static inline void memory_range(const wasm_rt_memory_t *mem, u64 at, u64 n) {
  if (UNLIKELY(at + n > mem->size)) culvert_trap(CULVERT_TRAP_BOUNDS);
}

static inline void memory_fill(wasm_rt_memory_t *mem, u32 at, u32 value, u32 n) {
  memory_range(mem, at, n);
  memset(mem->data + at, (int)(value & 0xff), n);
}

static inline void memory_copy(wasm_rt_memory_t *to, const wasm_rt_memory_t *from, u32 to_at, u32 from_at, u32 n) {
  memory_range(to, to_at, n);
  memory_range(from, from_at, n);
  memmove(to->data + to_at, from->data + from_at, n);
}

#define I32_CLZ(x) ((x) ? (u32)__builtin_clz(x) : 32u)
#define I64_CLZ(x) ((x) ? (u64)__builtin_clzll(x) : 64u)
#define I32_CTZ(x) ((x) ? (u32)__builtin_ctz(x) : 32u)
#define I64_CTZ(x) ((x) ? (u64)__builtin_ctzll(x) : 64u)
#define I32_POPCNT(x) ((u32)__builtin_popcount(x))
#define I64_POPCNT(x) ((u64)__builtin_popcountll(x))

#define ROTATE_LEFT(x, y, mask) (((x) << ((y) & (mask))) | ((x) >> ((0 - (y)) & (mask))))
#define ROTATE_RIGHT(x, y, mask) (((x) >> ((y) & (mask))) | ((x) << ((0 - (y)) & (mask))))
#define I32_ROTL(x, y) ROTATE_LEFT(x, y, 31)
#define I64_ROTL(x, y) ROTATE_LEFT(x, y, 63)
#define I32_ROTR(x, y) ROTATE_RIGHT(x, y, 31)
#define I64_ROTR(x, y) ROTATE_RIGHT(x, y, 63)

#define DEFINE_DIVISION(bits)                                                          \
  static inline u##bits I##bits##_DIV_S(u##bits x, u##bits y) {                        \
    if (UNLIKELY(y == 0)) culvert_trap(CULVERT_TRAP_DIVISION);                         \
    if (UNLIKELY((s##bits)x == INT##bits##_MIN && (s##bits)y == -1)) culvert_trap(CULVERT_TRAP_OVERFLOW); \
    return (u##bits)((s##bits)x / (s##bits)y);                                         \
  }                                                                                    \
  static inline u##bits I##bits##_REM_S(u##bits x, u##bits y) {                        \
    if (UNLIKELY(y == 0)) culvert_trap(CULVERT_TRAP_DIVISION);                         \
    return (s##bits)y == -1 ? 0 : (u##bits)((s##bits)x % (s##bits)y);                  \
  }

DEFINE_DIVISION(32)
DEFINE_DIVISION(64)

#define DIV_U(x, y) ((y) == 0 ? TRAP(CULVERT_TRAP_DIVISION) : (x) / (y))
#define REM_U(x, y) ((y) == 0 ? TRAP(CULVERT_TRAP_DIVISION) : (x) % (y))

#endif
