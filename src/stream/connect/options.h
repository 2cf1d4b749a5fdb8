/* Connect's own configuration keys, those that every connector has; and the classes by name. */
#ifndef STREAM_CONNECT_OPTIONS_H
#define STREAM_CONNECT_OPTIONS_H

#include "stream/connect/plugin.h"

struct option_rows {
    const struct option *rows;
    size_t count;
};
struct option_rows options_common(void);
struct option_rows options_of_kind(enum connector_kind kind);
const char *const *options_converters(void); /* class names, NULL ends them */

/* Full class name, its simple name, or that without "Connector"; NULL: none. */
const struct connector_class *class_find(struct str name);

#endif
