/*
 * Checksums; see checksum.h.  CRC-64/NVME is reflected, polynomial 0x9a6c9329ac4bc9b5, begun with and
 * finished by inverting.  Combining two CRCs is shifting the first by the second's length: a product of
 * matrices over GF(2), as zlib's crc32_combine does it, here for any of the three.
 */
#include "lake/store/checksum.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

enum { SLICES = 8 };

const struct checksum_row checksum_rows[CHECKSUM_KINDS] = {
    [CHECKSUM_NONE] = { "", "", "", 0, false, false },
    [CHECKSUM_CRC32] = { "CRC32", "x-amz-checksum-crc32", "ChecksumCRC32", 4, true, true },
    [CHECKSUM_CRC32C] = { "CRC32C", "x-amz-checksum-crc32c", "ChecksumCRC32C", 4, true, true },
    [CHECKSUM_CRC64NVME] = { "CRC64NVME", "x-amz-checksum-crc64nvme", "ChecksumCRC64NVME", 8, true, false },
    [CHECKSUM_SHA1] = { "SHA1", "x-amz-checksum-sha1", "ChecksumSHA1", 20, false, true },
    [CHECKSUM_SHA256] = { "SHA256", "x-amz-checksum-sha256", "ChecksumSHA256", 32, false, true },
};

static const uint64_t polynomials[CHECKSUM_KINDS] = {
    [CHECKSUM_CRC32] = 0xedb88320,
    [CHECKSUM_CRC32C] = 0x82f63b78,
    [CHECKSUM_CRC64NVME] = 0x9a6c9329ac4bc9b5,
};

enum checksum_kind checksum_by_name(struct str name)
{
    for (int kind = CHECKSUM_NONE + 1; kind < CHECKSUM_KINDS; kind++)
        if (str_is_nocase(name, checksum_rows[kind].name))
            return kind;
    return CHECKSUM_NONE;
}

enum checksum_kind checksum_by_header(struct str header)
{
    for (int kind = CHECKSUM_NONE + 1; kind < CHECKSUM_KINDS; kind++)
        if (str_is_nocase(header, checksum_rows[kind].header))
            return kind;
    return CHECKSUM_NONE;
}

/* ------------------------------------------------------------ crc64nvme */

static uint64_t crc64_table[SLICES][256];

static void make_crc64_table(void)
{
    for (uint64_t i = 0; i < 256; i++) {
        uint64_t v = i;
        for (int k = 0; k < 8; k++)
            v = v & 1 ? polynomials[CHECKSUM_CRC64NVME] ^ v >> 1 : v >> 1;
        crc64_table[0][i] = v;
    }
    for (int s = 1; s < SLICES; s++)
        for (int i = 0; i < 256; i++)
            crc64_table[s][i] = crc64_table[0][crc64_table[s - 1][i] & 0xff] ^ crc64_table[s - 1][i] >> 8;
}

static uint64_t crc64nvme(uint64_t crc, const uint8_t *p, size_t n)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, make_crc64_table);
    crc = ~crc;
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t word = 0;
        memcpy(&word, p, 8);
        word = le64toh(word) ^ crc;
        crc = 0;
        for (int i = 0; i < SLICES; i++)
            crc ^= crc64_table[7 - i][word >> 8 * i & 0xff];
    }
    while (n--)
        crc = crc64_table[0][(crc ^ *p++) & 0xff] ^ crc >> 8;
    return ~crc;
}

/* -------------------------------------------------------------- running */

static const EVP_MD *hash_of(enum checksum_kind kind)
{
    return kind == CHECKSUM_SHA1 ? EVP_sha1() : kind == CHECKSUM_SHA256 ? EVP_sha256() : NULL;
}

void checksum_begin(struct checksum *sum, enum checksum_kind kind)
{
    const EVP_MD *md = hash_of(kind);

    *sum = (struct checksum){ .kind = kind };
    if (!md)
        return;
    sum->hash = EVP_MD_CTX_new();
    EVP_DigestInit_ex(sum->hash, md, NULL);
}

void checksum_add(struct checksum *sum, const void *p, size_t n)
{
    if (sum->hash)
        EVP_DigestUpdate(sum->hash, p, n);
    else if (sum->kind == CHECKSUM_CRC32)
        sum->crc = crc32_z(sum->crc, p, n);
    else if (sum->kind == CHECKSUM_CRC32C)
        sum->crc = crc32c((uint32_t)sum->crc, p, n);
    else if (sum->kind == CHECKSUM_CRC64NVME)
        sum->crc = crc64nvme(sum->crc, p, n);
}

static void put_text(const uint8_t *bytes, size_t n, char out[static CHECKSUM_TEXT_MAX])
{
    CLEANUP(buf_free) struct buf text = { 0 };

    encode_base64(&text, bytes, n);
    snprintf(out, CHECKSUM_TEXT_MAX, "%s", buf_cstr(&text));
}

static void put_crc(enum checksum_kind kind, uint64_t crc, char out[static CHECKSUM_TEXT_MAX])
{
    uint8_t bytes[8];
    size_t size = checksum_rows[kind].size;

    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(crc >> 8 * (size - 1 - i));
    put_text(bytes, size, out);
}

void checksum_end(struct checksum *sum, char out[static CHECKSUM_TEXT_MAX])
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    out[0] = '\0';
    if (sum->hash) {
        EVP_DigestFinal_ex(sum->hash, digest, &n);
        EVP_MD_CTX_free(sum->hash);
        sum->hash = NULL;
        put_text(digest, n, out);
    } else if (polynomials[sum->kind]) {
        put_crc(sum->kind, sum->crc, out);
    }
}

/* ---------------------------------------------------------------- parts */

static uint64_t matrix_times(const uint64_t *matrix, uint64_t vector)
{
    uint64_t sum = 0;

    for (; vector; vector >>= 1, matrix++)
        if (vector & 1)
            sum ^= *matrix;
    return sum;
}

static void matrix_square(uint64_t *square, const uint64_t *matrix, int bits)
{
    for (int i = 0; i < bits; i++)
        square[i] = matrix_times(matrix, matrix[i]);
}

/* The CRC of A then B, from that of A, that of B and B's length. */
static uint64_t crc_combine(enum checksum_kind kind, uint64_t a, uint64_t b, uint64_t size_b)
{
    int bits = (int)checksum_rows[kind].size * 8;
    uint64_t odd[64], even[64];

    odd[0] = polynomials[kind]; /* one zero bit */
    for (int i = 1; i < bits; i++)
        odd[i] = 1ull << (i - 1);
    matrix_square(even, odd, bits); /* two */
    matrix_square(odd, even, bits); /* four */
    for (; size_b; size_b >>= 1) {
        matrix_square(even, odd, bits); /* a byte, then four, … */
        if (size_b & 1)
            a = matrix_times(even, a);
        memcpy(odd, even, sizeof odd);
    }
    return a ^ b;
}

static bool parse_text(enum checksum_kind kind, struct str text, struct buf *bytes)
{
    size_t before = bytes->len;

    return decode_base64(text, bytes) && bytes->len - before == checksum_rows[kind].size;
}

bool checksum_combine(enum checksum_kind kind, const struct checksum_part *parts, size_t count,
                      char out[static CHECKSUM_TEXT_MAX])
{
    uint64_t crc = 0;

    if (!polynomials[kind])
        return false;
    for (size_t i = 0; i < count; i++) {
        CLEANUP(buf_free) struct buf bytes = { 0 };
        uint64_t part = 0;
        if (!parse_text(kind, str_of(parts[i].text), &bytes))
            return false;
        for (size_t k = 0; k < bytes.len; k++)
            part = part << 8 | (uint8_t)bytes.data[k];
        crc = i ? crc_combine(kind, crc, part, parts[i].size) : part;
    }
    put_crc(kind, crc, out);
    return true;
}

bool checksum_composite(enum checksum_kind kind, const struct checksum_part *parts, size_t count,
                        char out[static CHECKSUM_TEXT_MAX])
{
    CLEANUP(buf_free) struct buf bytes = { 0 };
    struct checksum sum = { 0 };

    for (size_t i = 0; i < count; i++)
        if (!parse_text(kind, str_of(parts[i].text), &bytes))
            return false;
    checksum_begin(&sum, kind);
    checksum_add(&sum, buf_cstr(&bytes), bytes.len);
    checksum_end(&sum, out);
    size_t n = strlen(out);
    snprintf(out + n, CHECKSUM_TEXT_MAX - n, "-%zu", count);
    return true;
}

bool checksum_is_text(enum checksum_kind kind, struct str text)
{
    CLEANUP(buf_free) struct buf bytes = { 0 };
    const char *dash = text.len ? memchr(text.p, '-', text.len) : NULL;

    if (dash)
        text.len = (size_t)(dash - text.p);
    return parse_text(kind, text, &bytes);
}
