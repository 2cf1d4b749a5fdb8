/* The XML documents that requests bring.  Private to lake/store. */
#ifndef LAKE_STORE_DEMAND_H
#define LAKE_STORE_DEMAND_H

#include "lake/store/error.h"
#include "lake/store/upload.h"

enum { DELETE_KEYS_MAX = 1000, TAGS_MAX = 10, BUCKET_TAGS_MAX = 50, TAG_KEY_MAX = 128, TAG_VALUE_MAX = 256 };

struct demand_delete {
    struct str *keys;     /* in the arena */
    struct str *versions; /* absent views where none was named */
    size_t count;
    bool quiet;
};
enum s3_error demand_delete_read(struct str document, struct arena *arena, struct demand_delete *out);

struct demand_complete {
    struct completed_part *parts; /* in the arena; ascending */
    size_t count;
};
enum s3_error demand_complete_read(struct str document, struct arena *arena, struct demand_complete *out);

/* Tags as a query "a=1&b=2", each encoded; in the arena. */
enum s3_error demand_tags_read(struct str document, size_t max, struct arena *arena, struct str *out);
/* The same from an x-amz-tagging header. */
enum s3_error demand_tags_check(struct str query, size_t max);

#endif
