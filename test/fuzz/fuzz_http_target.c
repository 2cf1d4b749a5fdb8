/* Any text as a request's target: path decoded, query taken apart; and as an address, and as what is to be encoded. */
#include <stdlib.h>
#include <string.h>

#include "net/net.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_decode(struct str text, bool plus_is_blank)
{
    CLEANUP(buf_free) struct buf out = { 0 };

    uri_decode(&out, text, plus_is_blank);
    if (out.len > text.len)
        abort();
}

/* what was encoded comes back as it was */
static void check_round_trip(struct str text, bool keep_slash)
{
    CLEANUP(buf_free) struct buf encoded = { 0 }, decoded = { 0 };

    uri_encode(&encoded, text, keep_slash);
    uri_decode(&decoded, buf_str(&encoded), false);
    if (!str_eq(buf_str(&decoded), text) && text.len)
        abort();
}

static void check_query(struct str query)
{
    struct str name = { 0 }, value = { 0 };
    size_t seen = 0, total = query.len;

    while (uri_query_next(&query, &name, &value)) {
        check_decode(name, true);
        check_decode(value, true);
        if (memchr(name.p, '=', name.len) || memchr(name.p, '&', name.len))
            abort();
        if ((seen += name.len + value.len) > total)
            abort();
    }
}

static void check_address(struct str text)
{
    struct str host = { 0 };
    struct err err = { 0 };
    int port = 0;

    if (address_split(text, &host, &port, &err)) {
        if (!err.text[0])
            abort();
    } else if (!host.len || port < 1 || port > 65535) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str target = str_n((const char *)data, size), path = { 0 };
    int64_t date = 0;

    check_round_trip(target, true);
    check_round_trip(target, false);
    check_address(target);
    (void)!http_date_parse(target, &date);
    if (!str_cut(&target, '?', &path))
        return 0;
    check_decode(path, false);
    if (target.p)
        check_query(target);
    return 0;
}
