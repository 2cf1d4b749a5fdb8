/* XML by expat; see xml.h. */
#include "net/xml.h"

#include <expat.h>
#include <stdio.h>
#include <string.h>

struct reading {
    const struct xml_reader *reader;
    XML_Parser parser;
    char path[XML_PATH_MAX];
    size_t path_len;
    int depth;
    struct buf text[XML_DEPTH_MAX]; /* of each open element */
    enum rc rc;
    const char *cause;
};

static void stop(struct reading *r, enum rc rc, const char *cause)
{
    if (!r->rc) {
        r->rc = rc;
        r->cause = cause;
    }
    XML_StopParser(r->parser, XML_FALSE);
}

static void on_start(void *user, const char *name, const char **attributes)
{
    struct reading *r = user;
    const char *colon = strrchr(name, ':');
    const char *local = colon ? colon + 1 : name;

    (void)attributes;
    if (r->depth == XML_DEPTH_MAX || r->path_len + strlen(local) + 2 > sizeof r->path) {
        stop(r, RC_BAD_INPUT, "elements are nested too deep");
        return;
    }
    int n = snprintf(r->path + r->path_len, sizeof r->path - r->path_len, "%s%s", r->depth ? "/" : "", local);
    r->path_len += (size_t)n;
    r->text[r->depth].max = XML_TEXT_MAX;
    buf_clear(&r->text[r->depth++]);
}

static void on_end(void *user, const char *name)
{
    struct reading *r = user;

    (void)name;
    if (r->rc)
        return;
    struct buf *text = &r->text[--r->depth];
    if (buf_failed(text)) {
        stop(r, RC_BAD_INPUT, "a text is too long");
        return;
    }
    enum rc rc = r->reader->element(r->reader->user, r->path, buf_str(text));
    if (rc) {
        stop(r, rc, NULL);
        return;
    }
    char *slash = strrchr(r->path, '/');
    r->path_len = slash ? (size_t)(slash - r->path) : 0;
    r->path[r->path_len] = '\0';
}

static void on_text(void *user, const char *p, int n)
{
    struct reading *r = user;

    if (r->depth > 0 && !r->rc)
        buf_append(&r->text[r->depth - 1], p, (size_t)n);
}

static void on_doctype(void *user, const char *name, const char *system_id, const char *public_id, int has_subset)
{
    (void)name, (void)system_id, (void)public_id, (void)has_subset;
    stop(user, RC_BAD_INPUT, "document type declarations are not accepted");
}

enum rc xml_read(struct str document, const struct xml_reader *reader, struct err *err)
{
    struct reading r = { .reader = reader, .parser = XML_ParserCreate(NULL) };

    if (document.len > INT32_MAX)
        return err_set(err, RC_BAD_INPUT, "cannot read XML: it is too long");
    XML_SetUserData(r.parser, &r);
    XML_SetElementHandler(r.parser, on_start, on_end);
    XML_SetCharacterDataHandler(r.parser, on_text);
    XML_SetStartDoctypeDeclHandler(r.parser, on_doctype);
    bool ok = XML_Parse(r.parser, document.p ? document.p : "", (int)document.len, XML_TRUE) == XML_STATUS_OK;
    if (!r.rc && !ok) {
        r.rc = RC_BAD_INPUT;
        r.cause = XML_ErrorString(XML_GetErrorCode(r.parser));
    }
    if (r.cause)
        err_set(err, r.rc, "cannot read XML: %s at line %lu column %lu", r.cause,
                (unsigned long)XML_GetCurrentLineNumber(r.parser), (unsigned long)XML_GetCurrentColumnNumber(r.parser));
    for (int i = 0; i < XML_DEPTH_MAX; i++)
        buf_free(&r.text[i]);
    XML_ParserFree(r.parser);
    return r.rc;
}

void xml_escape(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c == '&')
            buf_puts(out, "&amp;");
        else if (c == '<')
            buf_puts(out, "&lt;");
        else if (c == '>')
            buf_puts(out, "&gt;");
        else if (c == '"')
            buf_puts(out, "&#34;");
        else if (c < 0x20 || c == 0x7f)
            buf_printf(out, "&#x%X;", c);
        else
            buf_putc(out, (char)c);
    }
}

void xml_put(struct buf *out, const char *name, struct str text)
{
    buf_printf(out, "<%s>", name);
    xml_escape(out, text);
    buf_printf(out, "</%s>", name);
}

void xml_printf(struct buf *out, const char *name, const char *format, ...)
{
    CLEANUP(buf_free) struct buf text = { 0 };
    va_list args;

    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    xml_put(out, name, buf_str(&text));
}
