/* The rows of option_rows.c, for the connector's class, and checks that need more than one value. */
#ifndef STREAM_CONNECT_POSTGRES_OPTION_ROWS_H
#define STREAM_CONNECT_POSTGRES_OPTION_ROWS_H

#include "stream/connect/plugin.h"

enum { POSTGRES_OPTION_COUNT = 90 };
extern const struct option postgres_options[POSTGRES_OPTION_COUNT];

/* Values that are missing, and values that do not go together. */
void postgres_options_validate(const struct connector_config *config, struct validation *validation);
/* The first thing wrong with a configuration, for a task that was started without validation. */
MUST_CHECK enum rc postgres_options_check(const struct connector_config *config, struct err *err);

#endif
