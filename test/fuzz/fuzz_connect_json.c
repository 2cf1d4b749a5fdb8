/*
 * Bodies of Connect's REST API: any bytes as a configuration, through reading, validation and the
 * answers made of it; and the config providers' text.
 */
#include <stdlib.h>

#include "stream/connect/rest.h"
#include "stream/connect/s3/file_schema.h"
#include "stream/connect/s3/s3.h"
#include "stream/connect/validate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct worker *worker, const struct connector_config *config)
{
    CLEANUP(validation_free) struct validation found = { 0 };
    CLEANUP(config_free) struct connector_config resolved = { 0 };
    CLEANUP(buf_free) struct buf words = { 0 };

    provider_resolve(worker, config, &resolved);
    validate(NULL, &s3_sink_class, &resolved, &found);
    validation_words(&found, &words);
    json_decref(validation_infos(&s3_sink_class, config, &found));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct settings settings;
    static struct station station = { .settings = &settings };
    static struct worker worker = { .station = &station };
    struct http_response response = { 0 };
    CLEANUP(config_free) struct connector_config config = { 0 };
    CLEANUP(buf_free) struct buf schema = { 0 };
    struct err err = { 0 };

    if (file_schema_make(str_n((const char *)data, size), &(struct file_schema_options){ .version = 1 }, &schema, &err))
        buf_clear(&schema);
    json_t *body = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
    if (body && rest_config(body, &config, NULL, &response))
        check(&worker, &config);
    json_decref(body);
    buf_free(&response.body);
    return 0;
}
