/* Any bytes as a manifest list (first byte even) or a manifest (odd); lists that were read are written again. */
#include <stdlib.h>
#include <string.h>

#include "lake/iceberg/manifest.h"

static enum rc look(void *user, const struct iceberg_file *file, struct err *err)
{
    size_t *bytes = user;

    (void)err;
    *bytes += strlen(file->path) + strlen(file->format) + strlen(file->partition);
    return RC_OK;
}

static void as_list(struct str bytes)
{
    const struct manifest_list_head head = { 1, -1, 1 };
    struct manifest_list list, again;
    CLEANUP(buf_free) struct buf out = { 0 };
    struct err err;

    if (manifest_list_read(bytes, "fuzz", &list, &err))
        return;
    if (!manifest_list_write(&head, list.rows, list.count, &out, &err) && !buf_failed(&out)) {
        if (manifest_list_read(buf_str(&out), "again", &again, &err) || again.count != list.count)
            abort();
        manifest_list_free(&again);
    }
    manifest_list_free(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct manifest row = { .path = "fuzz", .added_snapshot_id = 1, .sequence_number = 1 };
    size_t bytes = 0;
    struct err err;

    if (!size)
        return 0;
    struct str rest = str_n((const char *)data + 1, size - 1);
    if (data[0] % 2 == 0)
        as_list(rest);
    else if (manifest_read(rest, &row, look, &bytes, &err) == RC_OK && bytes == SIZE_MAX)
        abort();
    return 0;
}
