/* JSON text as Jackson prints it, shared by the renderings here and by the events' JSON form.  Private to connect. */
#ifndef STREAM_CONNECT_DATA_TEXT_H
#define STREAM_CONNECT_DATA_TEXT_H

#include "base/base.h"

struct connect_schema;

/* Quoted; UTF-8 as it is, \b \t \n \f \r \" \\ short, other control characters \u00XX. */
void text_json_string(struct buf *out, struct str s);
/* The bytes as ISO-8859-1 characters, as Avro writes defaults of bytes. */
void text_json_latin1(struct buf *out, const void *p, size_t n);
/* Java's Double.toString / Float.toString; NaN and infinities in quotes. */
void text_json_double(struct buf *out, double v);
void text_json_float(struct buf *out, float v);
void text_int(struct buf *out, int64_t v);
/* Quoted base64. */
void text_json_base64(struct buf *out, const void *p, size_t n);
/* The schema's default value, which must be present; put_bytes: text_json_latin1 or text_json_base64. */
void text_json_default(struct buf *out, const struct connect_schema *schema,
                       void (*put_bytes)(struct buf *out, const void *p, size_t n));

#endif
