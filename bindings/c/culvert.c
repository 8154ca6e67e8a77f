/*
 * The C library: one translation unit, so that the compiler sees the whole core. core.c is what wasm2c made
 * of the WebAssembly core, cut down by source.ts to its functions. Build: cc -O2 -I bindings/c -I dist -c culvert.c
 */
#include "wasm.h"

#include <stdlib.h>

#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-label"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wunused-variable"
#pragma GCC diagnostic ignored "-Wunused-but-set-variable"
#endif
#include "core.c"
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

__attribute__((weak, noinline)) void culvert_trap(int code) {
  (void)code;
  abort();
}

int culvert_open(culvert *core, void *memory, size_t size) {
  if (memory == NULL || size < CULVERT_PAGE || size > INT32_MAX || size % CULVERT_PAGE != 0) return -1;
  core->data = memory;
  core->size = (uint32_t)size;
  return 0;
}

/** Sound because the core's instance is its memory and nothing else. */
static inline w2c_culvert *instance(culvert *core) {
  return (w2c_culvert *)(void *)core;
}

int32_t culvert_boot(culvert *core, int32_t now) {
  return (int32_t)w2c_culvert_boot(instance(core), (u32)now);
}

int32_t culvert_region(culvert *core, int32_t id) {
  return (int32_t)w2c_culvert_region(instance(core), (u32)id);
}

int32_t culvert_input(culvert *core, int32_t kind, int32_t len, int32_t now) {
  return (int32_t)w2c_culvert_input(instance(core), (u32)kind, (u32)len, (u32)now);
}

int32_t culvert_output(culvert *core) {
  return (int32_t)w2c_culvert_output(instance(core));
}
