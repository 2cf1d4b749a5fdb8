/* What a task may ask of the runtime, whatever its kind; see plugin.h. */
#include <poll.h>
#include <unistd.h>

#include "stream/connect/plugin.h"

bool task_stopping(const struct task_context *ctx)
{
    return ctx->ops->stopping(ctx);
}

void task_started(struct task_context *ctx)
{
    ctx->ops->started(ctx);
}

void task_wait(const struct task_context *ctx, int timeout_ms)
{
    struct pollfd fd = { .fd = ctx->wakeup_fd, .events = POLLIN };
    uint64_t count = 0;

    if (poll(&fd, 1, timeout_ms) == 1 && read(ctx->wakeup_fd, &count, sizeof count) < 0)
        return; /* somebody else took it: waking up was all that mattered */
}
