/*
 * Any text as a schema: parsed, printed, normalised; what was printed parses to an equal schema, which is printed so
 * again.  Two exceptions are Java's, too.  An alias without a namespace is printed bare and read back in its type's;
 * one that is called like a primitive type is then printed with it.  And ".R", a name of no namespace used inside one,
 * is printed "R" and read back as that namespace's own R if there is one.
 */
#include <stdlib.h>
#include <string.h>

#include "wire/avro/avro.h"

static struct avro_document *parse_printed(const struct buf *text)
{
    struct avro_document *document = NULL;
    struct err err;

    if (avro_schema_parse(buf_str(text), &document, &err))
        abort();
    return document;
}

static bool has_bare_names(const uint8_t *text, size_t size)
{
    return memmem(text, size, "\".", 2) || memmem(text, size, "\"\\", 2); /* or an escape, which may be a dot */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(buf_free) struct buf text = { 0 };
    CLEANUP(buf_free) struct buf twice = { 0 };
    CLEANUP(buf_free) struct buf normal = { 0 };
    struct avro_document *document = NULL, *again = NULL;
    struct err err;

    if (avro_schema_parse(str_n((const char *)data, size), &document, &err))
        return 0;
    avro_schema_print(document, &text);
    again = parse_printed(&text);
    bool has_aliases = strstr(buf_cstr(&text), "\"aliases\"");
    if (!avro_schema_equal(avro_root(document), avro_root(again)) && !has_aliases && !has_bare_names(data, size))
        abort();
    if (has_aliases) { /* what the first printing lost is lost: from here on nothing changes */
        avro_document_free(document);
        document = again;
        buf_clear(&text);
        avro_schema_print(document, &text);
        again = parse_printed(&text);
    }
    avro_schema_print(again, &twice);
    if (!str_eq(buf_str(&text), buf_str(&twice)))
        abort();
    if (avro_schema_print_normal(document, &normal, &err) == RC_OK && buf_failed(&normal))
        abort();
    avro_document_free(document);
    avro_document_free(again);
    return 0;
}
