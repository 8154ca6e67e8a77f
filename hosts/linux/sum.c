/*
 * Sums of 16-bit words (RFC 1071). Part of shim.c.
 */

/** Adds bytes to a sum of 16-bit words (RFC 1071), in the machine's order; only the last part may have an odd length. */
static uint64_t sum(uint64_t total, const uint8_t *p, size_t n) {
  uint32_t four;
  for (; n >= 4; p += 4, n -= 4) {
    memcpy(&four, p, 4);
    total += four;
  }
  four = 0;
  memcpy(&four, p, n);
  return total + four;
}

static uint16_t folded(uint64_t total) {
  while (total >> 16) total = (total & 0xffff) + (total >> 16);
  return (uint16_t)~total;
}
