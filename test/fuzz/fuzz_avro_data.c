/*
 * Input: a schema's text, a zero byte, a value.  The value is skipped and printed (the two may differ where a
 * block lies about its size); what was printed with tags encodes to a value that can be printed.
 */
#include <stdlib.h>
#include <string.h>

#include "wire/avro/avro.h"

static void encode_again(const struct avro_schema *schema, struct buf *text)
{
    CLEANUP(buf_free) struct buf bytes = { 0 };
    CLEANUP(buf_free) struct buf second = { 0 };
    json_t *value = json_loadb(text->data, text->len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    struct avro_reader reader;
    struct err err;

    if (!value || avro_from_json(schema, value, &bytes, &err)) {
        json_decref(value); /* keys with a zero byte, numbers in strings: not JSON that we can read */
        return;
    }
    json_decref(value);
    reader = avro_reader_of(buf_str(&bytes));
    avro_to_json(&reader, schema, AVRO_JSON_TAGGED, &second);
    if (avro_reader_failed(&reader) || avro_reader_left(&reader))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *zero = size ? memchr(data, 0, size) : NULL;
    CLEANUP(buf_free) struct buf text = { .max = 1 << 20 };
    struct avro_document *document = NULL;
    struct avro_reader skipped, printed;
    struct str value;
    struct err err;

    if (!zero || avro_schema_parse(str_n((const char *)data, (size_t)(zero - data)), &document, &err))
        return 0;
    value = str_n((const char *)zero + 1, size - (size_t)(zero - data) - 1);
    skipped = printed = avro_reader_of(value);
    avro_skip(&skipped, avro_root(document));
    avro_to_json(&printed, avro_root(document), AVRO_JSON_TAGGED, &text);
    if (!avro_reader_failed(&printed) && !buf_failed(&text))
        encode_again(avro_root(document), &text);
    avro_document_free(document);
    return 0;
}
