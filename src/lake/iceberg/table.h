/* What the files of lake/iceberg share about metadata.  Private to the folder. */
#ifndef LAKE_ICEBERG_TABLE_H
#define LAKE_ICEBERG_TABLE_H

#include "lake/iceberg/iceberg.h"

/* Member of a list of objects whose `id_name` is id; NULL: none. */
const json_t *table_member_by_id(const json_t *list, const char *id_name, int64_t id);
/* Reads the views off table->metadata anew. */
MUST_CHECK enum rc table_refresh(struct iceberg_table *table, struct err *err);
MUST_CHECK enum rc table_spec_read(const struct iceberg_table *table, int spec_id, struct iceberg_partition_field **out,
                                   size_t *count, struct err *err);
/* One metadata file by its URI, whatever version it is of. */
MUST_CHECK enum rc table_open_file(const struct iceberg_io *io, const char *uri, struct iceberg_table **out,
                                   struct err *err);
void table_spec_free(struct iceberg_partition_field *fields, size_t count);

#endif
