/*
 * The native connector io.debezium.connector.postgresql.PostgresConnector: a PostgreSQL database's rows,
 * first as they are and then as they change, as Debezium 2.5.4 sends them.
 */
#ifndef STREAM_CONNECT_POSTGRES_POSTGRES_H
#define STREAM_CONNECT_POSTGRES_POSTGRES_H

#include "stream/connect/plugin.h"

extern const struct connector_class postgres_connector;

#endif
