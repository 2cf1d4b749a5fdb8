/* A connector's configuration as a flat map of texts with the defaults of its class behind it. */
#include <stdlib.h>
#include <string.h>

#include "stream/connect/plugin.h"

void config_set(struct connector_config *config, const char *name, const char *value)
{
    free(value ? map_put(&config->rows, str_of(name), mem_strdup(value)) : map_remove(&config->rows, str_of(name)));
}

const char *config_given(const struct connector_config *config, const char *name)
{
    return map_get(&config->rows, str_of(name));
}

static const char *fallback_of(const struct connector_class *class, const char *name)
{
    for (size_t i = 0; class && i < class->option_count; i++)
        if (strcmp(class->options[i].name, name) == 0)
            return class->options[i].fallback;
    return NULL;
}

const char *config_text(const struct connector_config *config, const char *name)
{
    const char *given = config_given(config, name);

    return given ? given : fallback_of(config->class, name);
}

int64_t config_int(const struct connector_config *config, const char *name)
{
    int64_t number = 0;

    return str_to_i64(str_trim(str_of(config_text(config, name))), INT64_MIN, INT64_MAX, &number) ? number : 0;
}

bool config_bool(const struct connector_config *config, const char *name)
{
    return str_is_nocase(str_trim(str_of(config_text(config, name))), "true");
}

bool config_list_next(struct str *rest, struct str *item)
{
    while (str_cut(rest, ',', item)) {
        *item = str_trim(*item);
        if (item->len)
            return true;
    }
    return false;
}

void config_copy(struct connector_config *to, const struct connector_config *from)
{
    to->class = from->class;
    for (struct map_entry *e = NULL; (e = map_next(&from->rows, e));)
        config_set(to, e->key, e->value);
}

void config_free(struct connector_config *config)
{
    map_free(&config->rows, free);
    config->class = NULL;
}
