/* Any bytes as table metadata: read, walked, changed, read again; and as a set of offsets. */
#include <stdlib.h>

#include "lake/build/offsets.h"
#include "lake/iceberg/iceberg.h"

static void as_offsets(const char *text)
{
    struct offsets a = { 0 }, b = { 0 };
    struct err err;

    if (offsets_parse(text, &a, &err))
        return;
    char *printed = offsets_print(&a);
    if (!printed || offsets_parse(printed, &b, &err) || !offsets_equal(&a, &b))
        abort();
    free(printed);
    offsets_free(&a);
    offsets_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct iceberg_new_column more = { "another", "decimal(9,2)", false };
    struct iceberg_table *table = NULL;
    struct err err;
    bool broken = false;
    char *text = mem_strndup((const char *)data, size);

    as_offsets(text);
    free(text);
    if (iceberg_parse(str_n((const char *)data, size), NULL, &table, &err))
        return 0;
    iceberg_summary_walk(table, table->current, "haus.offsets", &broken);
    iceberg_property(table, "x");
    for (size_t i = 0; i < table->partition_count; i++)
        iceberg_column_by_id(table, table->partition[i].source_id);
    if (!iceberg_add_columns(table, &more, 1, &err) && !iceberg_column_by_name(table, "another"))
        abort();
    iceberg_close(table);
    return 0;
}
