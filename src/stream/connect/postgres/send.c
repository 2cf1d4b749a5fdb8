/* What all parts of a task end in: one record, or only the position, on its way to the log; see task.h. */
#include <errno.h>

#include "stream/connect/postgres/task.h"

enum rc task_send(struct postgres_task *task, const struct outgoing *record, struct err *err)
{
    struct source_record out = {
        .topic = record->topic,
        .partition = record->partition,
        .key = record->has_key ? buf_str(&task->key) : (struct str){ 0 },
        .value = record->has_value ? buf_str(&task->value) : (struct str){ 0 },
        .headers = record->headers,
        .header_count = record->header_count,
        .timestamp_ms = -1,
        .source_partition = buf_str(&task->partition),
    };

    buf_clear(&task->offset);
    if (record->with_offset) {
        position_print(&task->position, &task->transaction, &task->offset);
        out.source_offset = buf_str(&task->offset);
    }
    if (buf_failed(&task->key) || buf_failed(&task->value) || buf_failed(&task->offset))
        return err_set(err, RC_FULL, "a record of topic '%.*s' is too large", STR_ARG(record->topic));
    if (FAULT_POINT("postgres.send"))
        return err_set_errno(err, errno, "cannot send a record");
    return source_send(task->ctx, &out, &task->sent, err);
}

enum rc task_send_position(struct postgres_task *task, struct err *err)
{
    return task_send(task, &(struct outgoing){ .with_offset = true }, err);
}
