/* Any text as stage_tables.yaml: accepted whole, or refused with file and line. */
#include <stdlib.h>
#include <string.h>

#include "lake/build/stage_yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stage_config config;
    struct err err = { 0 };

    if (stage_config_parse(str_n((const char *)data, size), "f.yaml", &config, &err)) {
        if (strncmp(err.text, "f.yaml", 6) != 0)
            abort();
        return 0;
    }
    for (size_t i = 0; i < config.count; i++)
        if (!config.tables[i].name || !config.tables[i].column_count || !config.tables[i].source_path)
            abort();
    stage_config_free(&config);
    return 0;
}
