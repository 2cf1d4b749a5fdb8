/*
 * Small XML documents of protocols: elements and texts, nothing else.  Attributes, comments and
 * namespaces are passed over; a document type declaration is refused, because nobody honest sends one.
 */
#ifndef NET_XML_H
#define NET_XML_H

#include "base/base.h"

enum { XML_DEPTH_MAX = 16, XML_PATH_MAX = 512, XML_TEXT_MAX = 64 << 10 };

struct xml_reader {
    /* At the end of each element: where it is ("Delete/Object/Key") and the text directly in it.  An
     * answer other than RC_OK ends the reading. */
    enum rc (*element)(void *user, const char *path, struct str text);
    void *user;
};

/* RC_BAD_INPUT with line and column when the document is not well-formed; else what `element` answered. */
MUST_CHECK enum rc xml_read(struct str document, const struct xml_reader *reader, struct err *err);
/* Text between tags: & < > " and control characters become references. */
void xml_escape(struct buf *out, struct str text);
/* <name>escaped text</name> */
void xml_put(struct buf *out, const char *name, struct str text);
void xml_printf(struct buf *out, const char *name, const char *format, ...) PRINTF_LIKE(3, 4);

#endif
