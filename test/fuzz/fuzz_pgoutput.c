/* Any bytes: a frame of the walsender, its pgoutput message, and the same bytes as a row of COPY. */
#include <stdlib.h>
#include <string.h>

#include "wire/pg/pg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile size_t sink;

static void touch(const struct pg_tuple *tuple)
{
    for (size_t i = 0; i < tuple->count; i++)
        for (size_t k = 0; k < tuple->values[i].bytes.len; k++)
            sink += (size_t)tuple->values[i].bytes.p[k];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(pgoutput_decoder_free) struct pgoutput_decoder decoder = { 0 };
    struct pg_value values[4];
    struct walsender_message frame;
    struct pgoutput_message m;
    struct err err;

    if (!walsender_decode(str_n((const char *)data, size), &frame, &err) && frame.kind == 'w' &&
        !pgoutput_decode(&decoder, frame.data, &m, &err)) {
        touch(&m.old_tuple);
        touch(&m.new_tuple);
    }
    if (!pgoutput_decode(&decoder, str_n((const char *)data, size), &m, &err)) {
        touch(&m.old_tuple);
        touch(&m.new_tuple);
        for (size_t i = 0; i < m.relation.column_count; i++)
            sink += m.relation.columns[i].name.len;
    }
    char *copy = malloc(size ? size : 1);
    if (size)
        memcpy(copy, data, size);
    if (!pg_copy_split(copy, size, values, size % ARRAY_LEN(values) + 1, &err))
        touch(&(struct pg_tuple){ .count = size % ARRAY_LEN(values) + 1, .values = values });
    free(copy);
    return 0;
}
