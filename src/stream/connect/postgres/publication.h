/* The publication that pgoutput reads, and replica identities: looked up, and made as the settings say. */
#ifndef STREAM_CONNECT_POSTGRES_PUBLICATION_H
#define STREAM_CONNECT_POSTGRES_PUBLICATION_H

#include "stream/connect/postgres/catalog.h"

MUST_CHECK enum rc publication_prepare(struct catalog *catalog, const struct postgres_settings *settings,
                                       struct err *err);
/* replica.identity.autoset.values */
MUST_CHECK enum rc identities_prepare(struct catalog *catalog, const struct postgres_settings *settings,
                                      struct err *err);

#endif
