/* Answers: errors and documents in XML; see exchange.h. */
#include <stdio.h>
#include <string.h>

#include "lake/store/exchange.h"

#define XML_HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define OWNER_ID "02d6176db174dc93cb1b899f7c6078f08654445fe8cf1b6ce98d8855f66bdbf4"

enum s3_error exchange_fail(struct exchange *x, enum s3_error error, const char *format, ...)
{
    va_list args;

    if (x->why[0])
        return error;
    va_start(args, format);
    vsnprintf(x->why, sizeof x->why, format, args);
    va_end(args);
    return error;
}

static void put_error(struct exchange *x, const struct s3_error_row *row, struct buf *out)
{
    buf_puts(out, XML_HEAD "<Error>");
    xml_put(out, "Code", str_of(row->code));
    xml_put(out, "Message", str_of(x->why[0] ? x->why : row->message));
    if (x->level == LEVEL_OBJECT)
        xml_put(out, "Key", x->key);
    if (x->level != LEVEL_SERVICE)
        xml_put(out, "BucketName", x->bucket);
    xml_put(out, "Resource", x->request->path);
    if (row == &s3_errors[S3_PRECONDITION_FAILED] && exchange_header(x, "if-none-match").p)
        xml_put(out, "Condition", STR("If-None-Match"));
    else if (row == &s3_errors[S3_PRECONDITION_FAILED] && exchange_header(x, "if-match").p)
        xml_put(out, "Condition", STR("If-Match"));
    xml_put(out, "RequestId", str_of(x->id));
    xml_put(out, "HostId", str_of(x->store->station->name));
    buf_puts(out, "</Error>");
}

void answer_error(struct exchange *x, enum s3_error error)
{
    const struct s3_error_row *row = &s3_errors[error];
    struct http_response *response = x->response;

    response->status = row->status;
    buf_clear(&response->body);
    if (row->status == 304)
        return;
    if (row->status == 503)
        http_response_header(response, "Retry-After", "1");
    if (strcmp(x->request->method, "HEAD") == 0)
        return;
    response->content_type = "application/xml";
    put_error(x, row, &response->body);
}

void answer_xml_begin(struct buf *out, const char *root)
{
    buf_printf(out, XML_HEAD "<%s xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">", root);
}

void answer_xml_end(struct exchange *x, struct buf *out, const char *root)
{
    buf_printf(out, "</%s>", root);
    if (buf_failed(out)) {
        exchange_fail(x, S3_INTERNAL, "The answer is too large.");
        answer_error(x, S3_INTERNAL);
        return;
    }
    x->response->status = 200;
    x->response->content_type = "application/xml";
    buf_free(&x->response->body);
    x->response->body = *out;
    *out = (struct buf){ 0 };
}

void answer_empty(struct exchange *x, int status)
{
    x->response->status = status;
}

void answer_put_etag(struct buf *out, const char *etag)
{
    buf_printf(out, "<ETag>&#34;%s&#34;</ETag>", etag);
}

void answer_put_checksum(struct buf *out, const struct record *record)
{
    if (!record->checksum || !record->checksum_text[0])
        return;
    xml_put(out, checksum_rows[record->checksum].element, str_of(record->checksum_text));
    xml_put(out, "ChecksumType", record->checksum_is_whole ? STR("FULL_OBJECT") : STR("COMPOSITE"));
}

void answer_put_owner(struct buf *out, const char *name)
{
    buf_printf(out, "<%s><ID>%s</ID><DisplayName>minio</DisplayName></%s>", name, OWNER_ID, name);
}

void answer_put_time(struct buf *out, const char *name, int64_t ms)
{
    char text[CLOCK_TEXT_MAX];

    clock_format_iso(ms, text);
    xml_put(out, name, str_of(text));
}
