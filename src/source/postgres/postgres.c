#include "source/postgres/postgres.h"

enum rc postgres_run(struct station *station, struct err *err)
{
    return err_set(err, RC_FATAL, "cannot run '%s': it is not built yet", station->name);
}

bool postgres_is_ready(const struct station *station)
{
    (void)station;
    return false;
}
