/*
 * The C core as a child process for the tests. Requests on stdin, answers on stdout; every frame is a 32-bit
 * little-endian length and that many bytes. Request: an operation, then 32-bit arguments, then bytes.
 * Answer: 0 and the result, or the code of a trap.
 */
#include "culvert.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY_MAX (256u << 20)
#define FRAME_MAX (1u << 20)

enum { OP_OPEN = 'O', OP_WRITE = 'W', OP_READ = 'R', OP_CALL = 'C', OP_PAGES = 'P' };
enum { CALL_BOOT, CALL_REGION, CALL_INPUT, CALL_OUTPUT };

/** Exactly as large as the core's, so that a sanitizer sees whatever lies behind it. */
static uint8_t *memory;
static uint8_t request[FRAME_MAX];
static uint8_t answer[FRAME_MAX];
static culvert core;
static jmp_buf trapped;

CULVERT_NORETURN void culvert_trap(int code) {
  longjmp(trapped, code);
}

static uint32_t get32(const uint8_t *p) {
  return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void put32(uint8_t *p, uint32_t v) {
  for (int i = 0; i < 4; i++) p[i] = (uint8_t)(v >> (8 * i));
}

static void refuse(const char *why) {
  fprintf(stderr, "driver: %s\n", why);
  exit(2);
}

/** Fowler-Noll-Vo over the 32-bit words of each page: engine.ts has the same. */
static uint32_t page_hash(const uint8_t *p) {
  uint32_t hash = 0x811c9dc5u;
  for (uint32_t i = 0; i < CULVERT_PAGE; i += 4) hash = (hash ^ get32(p + i)) * 0x01000193u;
  return hash;
}

static uint32_t do_open(uint32_t size) {
  free(memory);
  memory = size > MEMORY_MAX ? NULL : calloc(1, size);
  if (memory == NULL || culvert_open(&core, memory, size) != 0) refuse("memory size");
  return 0;
}

static uint32_t do_write(uint32_t at, const uint8_t *bytes, uint32_t len) {
  uint8_t *to = culvert_at(&core, (int32_t)at, len);
  if (to == NULL) refuse("write outside memory");
  memcpy(to, bytes, len);
  return 0;
}

static uint32_t do_read(uint32_t at, uint32_t len, uint8_t *to) {
  const uint8_t *from = culvert_at(&core, (int32_t)at, len);
  if (from == NULL || len > FRAME_MAX - 16) refuse("read outside memory");
  memcpy(to, from, len);
  return len;
}

static uint32_t do_call(const uint8_t *args, uint8_t *to) {
  const int32_t a = (int32_t)get32(args + 4);
  const int32_t b = (int32_t)get32(args + 8);
  const int32_t c = (int32_t)get32(args + 12);
  int32_t result = 0;
  switch (get32(args)) {
    case CALL_BOOT: result = culvert_boot(&core, a); break;
    case CALL_REGION: result = culvert_region(&core, a); break;
    case CALL_INPUT: result = culvert_input(&core, a, b, c); break;
    case CALL_OUTPUT: result = culvert_output(&core); break;
    default: refuse("call");
  }
  put32(to, (uint32_t)result);
  return 4;
}

static uint32_t do_pages(uint8_t *to) {
  const uint32_t pages = core.size / CULVERT_PAGE;
  for (uint32_t i = 0; i < pages; i++) put32(to + 4 * i, page_hash(core.data + i * CULVERT_PAGE));
  return 4 * pages;
}

static uint32_t perform(uint32_t len) {
  uint8_t *to = answer + 5;
  if (len < 17) refuse("short request");
  switch (request[0]) {
    case OP_OPEN: return do_open(get32(request + 1));
    case OP_WRITE: return do_write(get32(request + 1), request + 17, len - 17);
    case OP_READ: return do_read(get32(request + 1), get32(request + 5), to);
    case OP_CALL: return do_call(request + 1, to);
    case OP_PAGES: return do_pages(to);
    default: refuse("operation");
  }
  return 0;
}

/** One request and its answer. Returns 0 at the end of input. */
static int serve(void) {
  uint8_t head[4];
  volatile uint32_t len;
  uint32_t result;
  int code;
  if (fread(head, 1, 4, stdin) != 4) return 0;
  len = get32(head);
  if (len > FRAME_MAX) refuse("frame");
  if (fread(request, 1, len, stdin) != len) refuse("truncated request");
  code = setjmp(trapped);
  result = code == 0 ? perform(len) : 0;
  answer[4] = (uint8_t)code;
  put32(answer, result + 1);
  if (fwrite(answer, 1, result + 5, stdout) != result + 5) refuse("answer");
  fflush(stdout);
  return 1;
}

int main(void) {
  while (serve()) {
  }
  return 0;
}
