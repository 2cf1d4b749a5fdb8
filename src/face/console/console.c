#include "face/console/console.h"

enum rc console_run(struct station *station, struct err *err)
{
    return err_set(err, RC_FATAL, "cannot run '%s': it is not built yet", station->name);
}
