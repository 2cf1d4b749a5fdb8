/* A whole request head as lines, read and verified as the store does: method, target, then headers. */
#include "net/net.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEADERS = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct sigv4_header headers[HEADERS];
    struct str left = str_n((const char *)data, size), line = { 0 };
    struct sigv4_request request = { .method = STR("GET"), .headers = headers, .payload = STR("UNSIGNED-PAYLOAD") };
    struct sigv4_claim claim = { 0 };
    struct sigv4_chain chain = { 0 };
    struct err err = { 0 };

    if (!str_cut(&left, '\n', &request.query))
        return 0;
    str_cut(&request.query, '?', &request.path);
    while (request.header_count < HEADERS && str_cut(&left, '\n', &line)) {
        struct str name = { 0 };
        str_cut(&line, ':', &name);
        headers[request.header_count++] = (struct sigv4_header){ name, line.p ? line : STR("") };
    }
    if (sigv4_claim_read(&request, &arena, &claim, &err) == SIGV4_VALID && claim.kind != SIGV4_NONE)
        (void)sigv4_verify(&request, &claim, "minio123", claim.time_ms, &chain, &err);
    return 0;
}
