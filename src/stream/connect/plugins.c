/* The connectors there are.  One row more is all that a new one needs. */
#include "stream/connect/plugin.h"
#include "stream/connect/postgres/postgres.h"
#include "stream/connect/s3/s3.h"

const struct connector_class *const connector_classes[] = {
    &s3_sink_class,
    &postgres_connector,
    NULL,
};
