/* Texts, bytes, points, arrays and hstore from PostgreSQL's text; cdc reference §4.1, §4.2. */
#include <stdlib.h>
#include <string.h>

#include "stream/connect/data/text.h"
#include "stream/connect/postgres/value.h"

void value_work_free(struct value_work *work)
{
    buf_free(&work->scratch);
    buf_free(&work->item);
    buf_free(&work->hstore);
    free(work->pairs);
    *work = (struct value_work){ 0 };
}

const char *convert_text(const struct value_type *type, struct str text, struct value_work *work, struct value *out)
{
    (void)type, (void)work;
    out->form = FORM_STRING;
    out->bytes = text;
    return NULL;
}

/* A value of a kind that has no form at all, such as an array of bit strings. */
const char *convert_never(const struct value_type *type, struct str text, struct value_work *work, struct value *out)
{
    (void)type, (void)text, (void)work, (void)out;
    return "values of this type have no form in events";
}

/* -------------------------------------------------------------------- bytes */

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static void url_safe(struct buf *buf)
{
    for (size_t i = 0; i < buf->len; i++)
        buf->data[i] = (char)(buf->data[i] == '+' ? '-' : buf->data[i] == '/' ? '_' : buf->data[i]);
}

/* bytes as the binary.handling.mode wants them; p may not be in scratch. */
static const char *put_binary(enum binary_mode mode, struct str bytes, struct value_work *work, struct value *out)
{
    out->form = mode == BINARY_BYTES ? FORM_BYTES : FORM_STRING;
    out->bytes = bytes;
    if (mode == BINARY_BYTES)
        return NULL;
    buf_clear(&work->scratch);
    if (mode == BINARY_HEX)
        encode_hex(&work->scratch, bytes.p, bytes.len);
    else if (bytes.len)
        encode_base64(&work->scratch, bytes.p, bytes.len);
    if (mode == BINARY_BASE64_URL)
        url_safe(&work->scratch);
    out->bytes = buf_str(&work->scratch);
    return buf_failed(&work->scratch) ? "too large" : NULL;
}

const char *convert_bytea(const struct value_type *type, struct str text, struct value_work *work, struct value *out)
{
    if (text.len < 2 || text.len % 2 || text.p[0] != '\\' || text.p[1] != 'x')
        return "not bytes in hexadecimal (bytea_output must be hex)";
    text = str_skip(text, 2);
    if (type->binary == BINARY_HEX) { /* it is so already */
        out->form = FORM_STRING;
        out->bytes = text;
        return NULL;
    }
    buf_clear(&work->scratch);
    char *p = buf_reserve(&work->scratch, text.len / 2 + 1);
    if (!p)
        return "too large";
    for (size_t i = 0; i < text.len; i += 2) {
        int high = hex_digit(text.p[i]), low = hex_digit(text.p[i + 1]);
        if (high < 0 || low < 0)
            return "not bytes in hexadecimal";
        p[i / 2] = (char)(high << 4 | low);
    }
    out->form = FORM_BYTES;
    out->bytes = str_n(p, text.len / 2);
    if (type->binary == BINARY_BYTES)
        return NULL;
    CLEANUP(buf_free) UNUSED struct buf raw = work->scratch; /* the encoding goes into a fresh one */
    work->scratch = (struct buf){ 0 };
    return put_binary(type->binary, out->bytes, work, out);
}

const char *convert_unknown(const struct value_type *type, struct str text, struct value_work *work, struct value *out)
{
    return put_binary(type->binary, text, work, out);
}

/* box, line and the like: numbers as Java prints doubles, the rest as it is. */
const char *convert_geometric(const struct value_type *type, struct str text, struct value_work *work,
                              struct value *out)
{
    CLEANUP(buf_free) struct buf spelled = { 0 };

    for (size_t i = 0; i < text.len;) {
        size_t n = i;
        double v;
        while (n < text.len && !strchr("()[]<>{},", text.p[n]))
            n++;
        if (n == i) {
            buf_putc(&spelled, text.p[i++]);
            continue;
        }
        if (!parse_double(str_n(text.p + i, n - i), &v))
            return "not a geometric value";
        size_t at = spelled.len;
        text_json_double(&spelled, v);
        if (!buf_failed(&spelled) && spelled.data[at] == '"') { /* NaN, Infinity: without the quotes */
            memmove(spelled.data + at, spelled.data + at + 1, spelled.len - at - 2);
            spelled.len -= 2;
        }
        i = n;
    }
    enum binary_mode mode = type->binary;
    buf_clear(&work->scratch);
    if (mode != BINARY_BYTES)
        return put_binary(mode, buf_str(&spelled), work, out);
    buf_put_str(&work->scratch, buf_str(&spelled));
    out->form = FORM_BYTES;
    out->bytes = buf_str(&work->scratch);
    return buf_failed(&work->scratch) ? "too large" : NULL;
}

/* "(1.5,2)"; WKB: byte order 1, type 1, x, y, little-endian. */
const char *convert_point(const struct value_type *type, struct str text, struct value_work *work, struct value *out)
{
    struct str x, rest;

    (void)type, (void)work;
    if (text.len < 5 || text.p[0] != '(' || text.p[text.len - 1] != ')')
        return "not a point";
    rest = str_n(text.p + 1, text.len - 2);
    if (!str_cut(&rest, ',', &x) || !rest.p || !parse_double(x, &out->real) || !parse_double(rest, &out->real2))
        return "not a point";
    out->form = FORM_POINT;
    return NULL;
}

/* ------------------------------------------------------------------- arrays */

const char *array_open(struct str text, struct array_cursor *cursor)
{
    if (text.len && text.p[0] == '[') { /* bounds: [0:2]={...} */
        const char *equals = memchr(text.p, '=', text.len);
        text = equals ? str_skip(text, (size_t)(equals - text.p) + 1) : text;
    }
    if (text.len < 2 || text.p[0] != '{' || text.p[text.len - 1] != '}')
        return "not an array";
    *cursor = (struct array_cursor){ .rest = str_skip(text, 1), .first = true };
    return NULL;
}

static bool fault(struct array_cursor *cursor, const char **why)
{
    cursor->done = true;
    *why = "not an array";
    return false;
}

/* The inner array as it stands, from '{' to its '}'. */
static bool take_nested(struct array_cursor *cursor, struct str *item)
{
    size_t depth = 0, i = 0;
    bool quoted = false;

    for (; i < cursor->rest.len; i++) {
        char c = cursor->rest.p[i];
        if (c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && c == '{')
            depth++;
        else if (!quoted && c == '}' && --depth == 0)
            break;
    }
    if (i >= cursor->rest.len)
        return false;
    *item = str_n(cursor->rest.p, i + 1);
    cursor->rest = str_skip(cursor->rest, i + 1);
    return true;
}

static bool take_quoted(struct array_cursor *cursor, struct buf *room, struct str *item)
{
    size_t i = 1, from = 1;

    buf_clear(room);
    for (; i < cursor->rest.len && cursor->rest.p[i] != '"'; i++)
        if (cursor->rest.p[i] == '\\') {
            buf_append(room, cursor->rest.p + from, i - from);
            from = ++i;
        }
    if (i >= cursor->rest.len)
        return false;
    if (room->len == 0 && from == 1) { /* nothing escaped: a view will do */
        *item = str_n(cursor->rest.p + 1, i - 1);
    } else {
        buf_append(room, cursor->rest.p + from, i - from);
        *item = buf_str(room);
    }
    cursor->rest = str_skip(cursor->rest, i + 1);
    return !buf_failed(room);
}

static void take_bare(struct array_cursor *cursor, struct str *item)
{
    size_t i = 0;

    while (i < cursor->rest.len && cursor->rest.p[i] != ',' && cursor->rest.p[i] != '}')
        i++;
    *item = str_n(cursor->rest.p, i);
    cursor->rest = str_skip(cursor->rest, i);
}

bool array_next(struct array_cursor *cursor, struct buf *room, struct str *item, bool *is_null, bool *nested,
                const char **why)
{
    *why = NULL;
    *is_null = *nested = false;
    if (cursor->done)
        return false;
    if (!cursor->rest.len)
        return fault(cursor, why);
    if (cursor->rest.p[0] == '}' && (cursor->first || cursor->rest.len == 1)) {
        cursor->done = true;
        return cursor->rest.len == 1 ? false : fault(cursor, why);
    }
    if (!cursor->first) {
        if (cursor->rest.p[0] != ',')
            return fault(cursor, why);
        cursor->rest = str_skip(cursor->rest, 1);
    }
    cursor->first = false;
    if (cursor->rest.len && cursor->rest.p[0] == '"')
        return take_quoted(cursor, room, item) || fault(cursor, why);
    if (cursor->rest.len && cursor->rest.p[0] == '{') {
        *nested = true;
        return take_nested(cursor, item) || fault(cursor, why);
    }
    take_bare(cursor, item);
    *is_null = str_is(*item, "NULL");
    return item->len > 0 || fault(cursor, why);
}

size_t array_count(struct str text, struct value_work *work, const char **why)
{
    struct array_cursor cursor;
    struct str item;
    bool is_null, nested;
    size_t count = 0;

    if ((*why = array_open(text, &cursor)))
        return 0;
    while (array_next(&cursor, &work->item, &item, &is_null, &nested, why))
        if (++count > ARRAY_ITEMS_MAX) {
            *why = "too many items";
            return 0;
        }
    return count;
}

const char *convert_array(const struct value_type *type, struct str text, struct value_work *work, struct value *out)
{
    const char *why;

    (void)type;
    out->form = FORM_ARRAY;
    out->bytes = text;
    out->integer = (int64_t)array_count(text, work, &why);
    return why;
}

/* int2vector, oidvector: "1 2 3" */
const char *convert_vector(const struct value_type *type, struct str text, struct value_work *work, struct value *out)
{
    struct str rest = text, item;

    (void)type, (void)work;
    out->form = FORM_VECTOR;
    out->bytes = text;
    out->integer = 0;
    while (text.len && str_cut(&rest, ' ', &item))
        out->integer++;
    return NULL;
}

/* ------------------------------------------------------------------- hstore */

/* Java's String.hashCode over UTF-16 units, as HashMap spreads it. */
static uint32_t java_hash(struct str s)
{
    uint32_t h = 0;

    for (size_t i = 0; i < s.len;) {
        const unsigned char *p = (const unsigned char *)s.p + i;
        uint32_t c = *p, n = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
        if (i + n > s.len)
            n = 1;
        else if (n > 1)
            c &= 0x7fu >> n;
        for (uint32_t k = 1; k < n; k++)
            c = c << 6 | (p[k] & 0x3f);
        i += n;
        if (c >= 0x10000) {
            h = h * 31 + (0xd800 + ((c - 0x10000) >> 10));
            c = 0xdc00 + ((c - 0x10000) & 0x3ff);
        }
        h = h * 31 + c;
    }
    return h ^ h >> 16;
}

static bool skip_to(struct str *rest, char c)
{
    while (rest->len && rest->p[0] == ' ')
        *rest = str_skip(*rest, 1);
    if (!rest->len || rest->p[0] != c)
        return false;
    *rest = str_skip(*rest, 1);
    return true;
}

/* A quoted part, unescaped to the end of work->hstore; its offset and length, for the buffer may move. */
static bool take_part(struct str *rest, struct buf *room, size_t *at, size_t *len)
{
    if (!skip_to(rest, '"'))
        return false;
    *at = room->len;
    while (rest->len && rest->p[0] != '"') {
        if (rest->p[0] == '\\')
            *rest = str_skip(*rest, 1);
        if (!rest->len)
            return false;
        buf_putc(room, rest->p[0]);
        *rest = str_skip(*rest, 1);
    }
    *len = room->len - *at;
    return skip_to(rest, '"');
}

static int by_bucket(const void *a, const void *b, void *mask)
{
    const struct hstore_pair *x = a, *y = b;
    uint32_t m = *(const uint32_t *)mask, i = x->hash & m, k = y->hash & m;

    return i < k ? -1 : i > k ? 1 : x->key.p < y->key.p ? -1 : x->key.p > y->key.p; /* keys lie in order of coming */
}

/* HashMap's order: its table is a power of two, at least 16, never more than three quarters full. */
static void sort_as_java(struct value_work *work)
{
    uint32_t size = 16;

    while (work->pair_count * 4 > (size_t)size * 3)
        size *= 2;
    uint32_t mask = size - 1;
    if (work->pair_count > 1)
        qsort_r(work->pairs, work->pair_count, sizeof *work->pairs, by_bucket, &mask);
}

static const char *take_pair(struct str *rest, struct value_work *work)
{
    size_t key_at, key_len, value_at = 0, value_len = 0;
    bool null = false;

    if (!take_part(rest, &work->hstore, &key_at, &key_len) || !skip_to(rest, '=') || !skip_to(rest, '>'))
        return "not an hstore";
    while (rest->len && rest->p[0] == ' ')
        *rest = str_skip(*rest, 1);
    if (str_starts(*rest, "NULL")) {
        null = true;
        *rest = str_skip(*rest, 4);
    } else if (!take_part(rest, &work->hstore, &value_at, &value_len)) {
        return "not an hstore";
    }
    if (work->pair_count == HSTORE_PAIRS_MAX)
        return "too many pairs";
    if (work->pair_count == work->pair_cap) {
        work->pair_cap = work->pair_cap ? work->pair_cap * 2 : 16;
        work->pairs = mem_grow(work->pairs, work->pair_cap, sizeof *work->pairs);
    }
    /* offsets for now: as pointers they come out right whatever the buffer did meanwhile */
    work->pairs[work->pair_count++] =
        (struct hstore_pair){ .key = { (const char *)(uintptr_t)(key_at + 1), key_len },
                              .value = { null ? NULL : (const char *)(uintptr_t)(value_at + 1), value_len } };
    return NULL;
}

const char *hstore_parse(struct str text, struct value_work *work)
{
    struct str rest = text;

    buf_clear(&work->hstore);
    work->pair_count = 0;
    while (rest.len) {
        const char *why = take_pair(&rest, work);
        if (why)
            return why;
        if (rest.len && !skip_to(&rest, ','))
            return "not an hstore";
    }
    if (buf_failed(&work->hstore))
        return "too large";
    const char *base = buf_cstr(&work->hstore);
    for (size_t i = 0; i < work->pair_count; i++) {
        struct hstore_pair *pair = &work->pairs[i];
        pair->key.p = base + ((uintptr_t)pair->key.p - 1);
        if (pair->value.p)
            pair->value.p = base + ((uintptr_t)pair->value.p - 1);
        pair->hash = java_hash(pair->key);
    }
    sort_as_java(work);
    return NULL;
}

const char *convert_hstore_json(const struct value_type *type, struct str text, struct value_work *work,
                                struct value *out)
{
    const char *why = hstore_parse(text, work);

    (void)type;
    if (why)
        return why;
    buf_clear(&work->scratch);
    buf_putc(&work->scratch, '{');
    for (size_t i = 0; i < work->pair_count; i++) {
        if (i)
            buf_putc(&work->scratch, ',');
        text_json_string(&work->scratch, work->pairs[i].key);
        buf_putc(&work->scratch, ':');
        if (work->pairs[i].value.p)
            text_json_string(&work->scratch, work->pairs[i].value);
        else
            buf_puts(&work->scratch, "null");
    }
    buf_putc(&work->scratch, '}');
    out->form = FORM_STRING;
    out->bytes = buf_str(&work->scratch);
    return buf_failed(&work->scratch) ? "too large" : NULL;
}

const char *convert_hstore_map(const struct value_type *type, struct str text, struct value_work *work,
                               struct value *out)
{
    (void)type;
    out->form = FORM_MAP;
    out->bytes = text;
    return hstore_parse(text, work);
}
