/*
 * The table of services.  Order is the order of starting; stopping goes the other way.  Ports and
 * aliases are those of the compose stack that this replaces.
 */
#include <signal.h>
#include <string.h>

#include "face/console/console.h"
#include "lake/store/store.h"
#include "source/postgres/postgres.h"
#include "source/seeder/seeder.h"
#include "stream/connect/connect.h"
#include "stream/log/log.h"
#include "stream/registry/registry.h"
#include "supervise/supervise.h"

const struct service services[] = {
    { .name = "postgres",
      .zone = "source",
      .port = 4444,
      .scheme = "postgresql://",
      .replaces = "PostgreSQL",
      .aliases = { "postgres_source:5432" },
      .run = postgres_run,
      .is_ready = postgres_is_ready,
      .stop_signal = SIGINT,
      .summary = "the online database: the system's PostgreSQL" },
    { .name = "log",
      .zone = "stream",
      .port = 9092,
      .scheme = "",
      .replaces = "Kafka",
      .aliases = { "kafka:29092", "kafka:9092" },
      .run = log_run,
      .summary = "the log: Kafka's protocol" },
    { .name = "store",
      .zone = "lake",
      .port = 9000,
      .scheme = "http://",
      .replaces = "MinIO",
      .aliases = { "minio:9000" },
      .run = store_run,
      .summary = "the object store: S3" },
    { .name = "registry",
      .zone = "stream",
      .port = 8081,
      .scheme = "http://",
      .replaces = "Schema Registry",
      .aliases = { "schema-registry:8081" },
      .needs = { "log" },
      .run = registry_run,
      .summary = "the schema registry: Confluent's REST API" },
    { .name = "connect",
      .zone = "stream",
      .port = 8083,
      .scheme = "http://",
      .replaces = "Kafka Connect, Debezium, S3 sink",
      .aliases = { "connect:8083" },
      .needs = { "log" },
      .run = connect_run,
      .summary = "Kafka Connect's REST API and its connectors" },
    { .name = "seeder",
      .zone = "source",
      .port = 8000,
      .scheme = "http://",
      .replaces = "FastAPI seeder",
      .aliases = { "seeder:8000" },
      .run = seeder_run,
      .summary = "fills the storefront with rows" },
    { .name = "console",
      .zone = "face",
      .port = 8080,
      .scheme = "http://",
      .replaces = "AKHQ, MinIO console, Spark UI",
      .aliases = { "console:8080" },
      .run = console_run,
      .summary = "the web console" },
};
const size_t service_count = ARRAY_LEN(services);

const struct service *service_find(const char *name)
{
    for (size_t i = 0; i < service_count; i++)
        if (strcmp(services[i].name, name) == 0)
            return &services[i];
    return NULL;
}
