#include "source/seeder/seeder.h"

enum rc seeder_run(struct station *station, struct err *err)
{
    return err_set(err, RC_FATAL, "cannot run '%s': it is not built yet", station->name);
}
