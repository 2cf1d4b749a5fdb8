/* Two schemas, a line each, compared both ways; a schema can always read what it wrote itself. */
#include <stdlib.h>

#include "stream/registry/compat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = str_n((const char *)data, size), first;
    struct avro_document *a = NULL, *b = NULL;
    struct compat_messages messages = { 0 };
    struct err err;

    str_cut(&rest, '\n', &first);
    if (!avro_schema_parse(first, &a, &err) && !avro_schema_parse(rest, &b, &err) &&
        !compat_check(COMPAT_FULL, avro_root(a), avro_root(b), &messages, &err)) {
        struct compat_messages none = { 0 };
        if (!compat_check(COMPAT_BACKWARD, avro_root(a), avro_root(a), &none, &err) && none.count)
            abort();
        compat_messages_free(&none);
    }
    compat_messages_free(&messages);
    avro_document_free(a);
    avro_document_free(b);
    return 0;
}
