/* Iceberg's primitive types and what a manifest stores of their values.  Private to lake/iceberg. */
#ifndef LAKE_ICEBERG_TYPE_H
#define LAKE_ICEBERG_TYPE_H

#include "base/base.h"

enum iceberg_kind {
    ICEBERG_BOOLEAN,
    ICEBERG_INT,
    ICEBERG_LONG,
    ICEBERG_FLOAT,
    ICEBERG_DOUBLE,
    ICEBERG_DATE,
    ICEBERG_TIME,
    ICEBERG_TIMESTAMP,
    ICEBERG_TIMESTAMPTZ,
    ICEBERG_STRING,
    ICEBERG_UUID,
    ICEBERG_FIXED,
    ICEBERG_BINARY,
    ICEBERG_DECIMAL,
};
enum { ICEBERG_DECIMAL_PRECISION_MAX = 38, ICEBERG_BOUND_UNITS = 16 };

struct iceberg_type {
    enum iceberg_kind kind;
    int precision, scale; /* decimal */
    int length;           /* fixed */
};

bool iceberg_type_parse(const char *text, struct iceberg_type *out); /* false: nested or unknown */
/* Bytes of Avro's fixed for a decimal of that precision: the fewest that hold it. */
int iceberg_decimal_bytes(int precision);
/* Type of a transform's result; NULL: unknown transform. */
const char *iceberg_transform_type(const char *transform, const char *source_type);
/* Appends the Avro schema of a partition value: {"type":"int","logicalType":"date"}; names must be unique
 * in one schema, so fixed types are named after the field. */
bool iceberg_type_avro(const struct iceberg_type *type, int field_id, struct buf *out);
/* Appends the Avro encoding of a value given in single-value serialization; false: wrong length. */
bool iceberg_type_write_avro(const struct iceberg_type *type, struct str value, struct buf *out);
/* < 0, 0, > 0 in the type's own order. */
int iceberg_value_compare(const struct iceberg_type *type, struct str a, struct str b);
/* The bound of a float or double that is zero: -0.0 sorts below +0.0, and writers do not tell them apart.  False, and
 * nothing written, for any other number. */
bool iceberg_zero_bound(bool upper, struct str bytes, struct buf *out);

#endif
