/*
 * First line: the journal of a build that died; the rest: the table's metadata, if any.  Cleaning touches nothing but
 * what lies below the table.
 */
#include <stdlib.h>
#include <string.h>

#include "../unit/lake/memory_io.h"
#include "lake/build/journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = str_n((const char *)data, size), line = { 0 };
    struct memory_store store = { 0 };
    struct iceberg_io io;
    struct err err = { 0 };

    str_cut(&rest, '\n', &line);
    CLEANUP_FREE char *journal = str_dup(line);
    CLEANUP_FREE char *metadata = str_dup(rest);
    memory_io(&io, &store);
    memory_put(&store, "lake/t/metadata/haus-pending-1.json", journal);
    memory_put(&store, "lake/t/data/a.parquet", "a");
    memory_put(&store, "lake/other/data/a.parquet", "a");
    if (metadata[0]) {
        memory_put(&store, "lake/t/metadata/v1.metadata.json", metadata);
        memory_put(&store, "lake/t/metadata/version-hint.text", "1");
    }
    bool cleaned = !journal_clean(&io, "s3a://lake/t", "me", &err);
    if (!cleaned && !err.text[0])
        abort();
    if (!memory_text(&store, "lake/other/data/a.parquet"))
        abort();
    memory_store_free(&store);
    return 0;
}
