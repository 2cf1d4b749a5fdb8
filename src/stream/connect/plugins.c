/* The connectors there are.  One row more is all that a new one needs. */
#include "stream/connect/plugin.h"

const struct connector_class *const connector_classes[] = {
    NULL,
};
