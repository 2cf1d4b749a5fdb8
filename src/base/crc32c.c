/* CRC-32C by the processor's instruction where it has one, else by table. */
#include "base/crc32c.h"

#include <string.h>

static uint32_t by_table(uint32_t crc, const uint8_t *p, size_t n)
{
    static uint32_t table[256];
    static bool made;

    if (!made) {
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t v = i;
            for (int k = 0; k < 8; k++)
                v = v & 1 ? 0x82f63b78u ^ v >> 1 : v >> 1;
            table[i] = v;
        }
        made = true; /* two threads may both fill it: with the same values */
    }
    while (n--)
        crc = table[(crc ^ *p++) & 0xff] ^ crc >> 8;
    return crc;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t crc, const uint8_t *p, size_t n)
{
    uint64_t wide = crc;

    for (; n >= 8; n -= 8, p += 8) {
        uint64_t word = 0;
        memcpy(&word, p, 8);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    crc = (uint32_t)wide;
    while (n--)
        crc = __builtin_ia32_crc32qi(crc, *p++);
    return crc;
}
#endif

uint32_t crc32c(uint32_t crc, const void *p, size_t n)
{
    crc = ~crc;
#ifdef __x86_64__
    if (__builtin_cpu_supports("sse4.2"))
        return ~by_instruction(crc, p, n);
#endif
    return ~by_table(crc, p, n);
}
