/* Migration files: their names, order and checksums. Private to this folder. */
#ifndef SOURCE_MIGRATE_MIGRATION_H
#define SOURCE_MIGRATE_MIGRATION_H

#include "base/base.h"

enum { MIGRATIONS_MAX = 10000, MIGRATION_BYTES_MAX = 64 << 20 };

struct migration {
    char *version; /* "1.2"; NULL: repeatable */
    char *description;
    char *script; /* file name */
    struct buf text;
    int32_t checksum; /* of the raw text */
};

struct migrations {
    struct migration *items; /* versioned ascending, then repeatables by description */
    size_t count;
    char **misnamed; /* .sql files whose names say nothing, each with what is wrong */
    size_t misnamed_count;
};

/* Flyway's checksum: CRC-32 over the text without its byte order mark, CR and LF, as a signed number. */
int32_t migration_checksum(struct str text);
/* Compares "1.10" and "1.9" part by part; numbers of any length, missing parts are 0. */
int migration_version_cmp(const char *a, const char *b);
/* Splits "V1_2__add_table.sql".  RC_NOT_FOUND: not a migration's name; RC_BAD_INPUT: nearly one, with Flyway's words.
 */
MUST_CHECK enum rc migration_parse_name(const char *file_name, char **version, char **description, struct err *err);
MUST_CHECK enum rc migrations_read(const char *folder, struct migrations *out, struct err *err);
void migrations_free(struct migrations *migrations);

#endif
