/* Any JSON as the configuration of a PostgreSQL connector, as far as its task gets before it connects: values checked,
 * patterns compiled, the address resolved, the form of events read.  Validation is connect_json's. */
#include <stdlib.h>
#include <string.h>

#include "stream/connect/postgres/event.h"
#include "stream/connect/postgres/postgres.h"
#include "stream/connect/postgres/settings.h"
#include "stream/connect/rest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *lookup(const void *user, const char *name)
{
    return config_text(user, name);
}

static void read_config(const struct connector_config *config)
{
    CLEANUP(postgres_settings_free) struct postgres_settings settings = { 0 };
    CLEANUP(buf_free) struct buf topic = { 0 };
    struct event_options *options = NULL;
    struct err err = { 0 };

    if (settings_of_config(NULL, config, &settings, &err)) {
        if (!err.text[0])
            abort();
        return;
    }
    if (!settings.host)
        abort();
    (void)settings_captures(&settings, "public", "orders");
    (void)settings_captures(&settings, "", "");
    if (event_options_new((struct connect_lookup){ lookup, config }, &options, &err))
        return;
    event_topic_name(options, "public", "orders", &topic);
    (void)event_includes_column(options, "public", "orders", "id");
    event_options_free(options);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(config_free) struct connector_config config = { 0 };
    struct http_response response = { 0 };
    json_t *body = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);

    if (body && rest_config(body, &config, NULL, &response)) {
        config.class = &postgres_connector;
        read_config(&config);
    }
    json_decref(body);
    buf_free(&response.body);
    return 0;
}
