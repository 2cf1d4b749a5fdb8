/* Skimming records; see skim.h.  Every byte is taken from the window, which is filled anew when it is empty: a record
 * may lie across many of them. */
#include "wire/kafka/skim.h"

enum { WINDOW_KEPT_MAX = 4 << 20 }; /* a raw block of snappy is inflated in one: those of usual batches */

static void fail(struct kafka_skimmer *skimmer, enum kafka_error error, const char *why)
{
    if (skimmer->error)
        return;
    skimmer->error = error;
    skimmer->why = why;
    skimmer->at = skimmer->end;
}

static void invalid(struct kafka_skimmer *skimmer, const char *why)
{
    fail(skimmer, KAFKA_INVALID_RECORD, why);
}

static void cannot_inflate(struct kafka_skimmer *skimmer, enum rc rc)
{
    static const char *const whys[] = {
        [KAFKA_CODEC_NONE] = "the record batch has an unknown codec",
        [KAFKA_CODEC_GZIP] = "the record batch is not whole gzip data",
        [KAFKA_CODEC_SNAPPY] = "the record batch is not whole snappy data",
        [KAFKA_CODEC_LZ4] = "the record batch is not one whole lz4 frame",
        [KAFKA_CODEC_ZSTD] = "the record batch is not whole zstd data",
    };

    if (rc == RC_FULL)
        fail(skimmer, KAFKA_MESSAGE_TOO_LARGE, "the record batch inflates to more than 256 MiB");
    else if (rc == RC_RETRY)
        fail(skimmer, KAFKA_STORAGE_ERROR, "there is no memory to inflate the record batch");
    else
        invalid(skimmer, whys[skimmer->inflater.codec]);
}

/* the window is empty: the next bytes; false when there are none */
static bool fill(struct kafka_skimmer *skimmer)
{
    enum rc rc = RC_OK;

    if (skimmer->error || skimmer->inflater.codec == KAFKA_CODEC_NONE)
        return false;
    buf_clear(&skimmer->window);
    while (!rc && skimmer->window.len == 0)
        rc = kafka_inflater_next(&skimmer->inflater, &skimmer->window, NULL);
    skimmer->seen += skimmer->window.len;
    if (!rc && skimmer->seen > KAFKA_INFLATED_MAX)
        rc = RC_FULL;
    if (rc && rc != RC_AGAIN)
        cannot_inflate(skimmer, rc);
    skimmer->at = buf_cstr(&skimmer->window);
    skimmer->end = skimmer->at + (skimmer->error ? 0 : skimmer->window.len);
    return !rc;
}

/* of all bytes, which is the next one */
static uint64_t place(const struct kafka_skimmer *skimmer)
{
    return skimmer->seen - (uint64_t)(skimmer->end - skimmer->at);
}

static int64_t time_of(const struct kafka_skimmer *skimmer, int64_t delta)
{
    return skimmer->batch.attributes & KAFKA_BATCH_APPEND_TIME
               ? skimmer->batch.max_timestamp
               : (int64_t)((uint64_t)skimmer->batch.base_timestamp + (uint64_t)delta);
}

static uint8_t take_byte(struct kafka_skimmer *skimmer)
{
    if (skimmer->at == skimmer->end && !fill(skimmer)) {
        invalid(skimmer, "the record batch ends inside a record");
        return 0;
    }
    return (uint8_t)*skimmer->at++;
}

static void skip(struct kafka_skimmer *skimmer, uint64_t n)
{
    while (n > (uint64_t)(skimmer->end - skimmer->at)) {
        n -= (uint64_t)(skimmer->end - skimmer->at);
        skimmer->at = skimmer->end;
        if (!fill(skimmer)) {
            invalid(skimmer, "the record batch ends inside a record");
            return;
        }
    }
    skimmer->at += n;
}

static int64_t unzigzag(uint64_t v)
{
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

static int64_t take_varint_of(struct kafka_skimmer *skimmer, int bytes_max, uint64_t max)
{
    uint64_t v = 0;

    for (int i = 0; i < bytes_max; i++) {
        uint8_t byte = take_byte(skimmer);
        v |= (uint64_t)(byte & 0x7f) << 7 * i;
        if (byte < 0x80 && v <= max)
            return unzigzag(v);
    }
    invalid(skimmer, "a number of a record is larger than its kind");
    return 0;
}

static int64_t take_varlong(struct kafka_skimmer *skimmer)
{
    return take_varint_of(skimmer, 10, UINT64_MAX);
}

static int32_t take_varint(struct kafka_skimmer *skimmer)
{
    return (int32_t)take_varint_of(skimmer, 5, UINT32_MAX);
}

/* a length, -1 for null, and so many bytes, which end at `end` at the latest; false: it is null */
static bool skip_nullable(struct kafka_skimmer *skimmer, uint64_t end, bool nullable)
{
    int32_t n = take_varint(skimmer);
    uint64_t left = end - MIN(place(skimmer), end);

    if (n < (nullable ? -1 : 0) || (n > 0 && (uint64_t)n > left))
        invalid(skimmer, "a length inside a record is wrong");
    else if (n > 0)
        skip(skimmer, (uint64_t)n);
    return n >= 0;
}

static void skip_headers(struct kafka_skimmer *skimmer, uint64_t end)
{
    int32_t n = take_varint(skimmer);

    if (n < 0 || (uint64_t)n > end - MIN(place(skimmer), end))
        invalid(skimmer, "the number of a record's headers is wrong");
    for (; n > 0 && !skimmer->error; n--) {
        skip_nullable(skimmer, end, false);
        skip_nullable(skimmer, end, true);
    }
}

/* ------------------------------------------------------------------------------- the usual record */

/* a number of at most three bytes; NULL: it has more, or is not all there */
static const uint8_t *short_varint(const uint8_t *p, const uint8_t *end, int32_t *out)
{
    uint32_t v = 0;

    for (int shift = 0; shift < 21 && p < end; shift += 7) {
        uint8_t byte = *p++;
        v |= (uint32_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *out = (int32_t)unzigzag(v);
            return p;
        }
    }
    return NULL;
}

static const uint8_t *short_nullable(const uint8_t *p, const uint8_t *end, int32_t *n)
{
    p = short_varint(p, end, n);
    return !p || *n < -1 || *n > end - p ? NULL : *n > 0 ? p + *n : p;
}

/* A record that lies whole in the window, with small numbers and without headers, is taken without asking at each byte
 * whether there is one.  false: nothing is taken, it needs a closer look. */
static bool take_usual(struct kafka_skimmer *skimmer, struct kafka_record_head *out)
{
    const uint8_t *p = (const uint8_t *)skimmer->at, *end = (const uint8_t *)skimmer->end;
    int32_t size = 0, delta = 0, n = 0;

    p = short_varint(p, end, &size);
    if (!p || size < 1 || size > end - p)
        return false;
    end = p + size;
    if (!(p = short_varint(p + 1, end, &delta)) || !(p = short_varint(p, end, &out->offset_delta)) ||
        !(p = short_nullable(p, end, &n)))
        return false;
    out->has_key = n >= 0;
    if (!(p = short_nullable(p, end, &n)) || p + 1 != end || *p != 0)
        return false;
    out->timestamp = time_of(skimmer, delta);
    skimmer->at = (const char *)end;
    return true;
}

void kafka_skimmer_begin(struct kafka_skimmer *skimmer, struct str bytes, const struct kafka_batch *batch)
{
    struct str records = str_n(bytes.p + KAFKA_BATCH_HEADER, kafka_batch_size(batch) - KAFKA_BATCH_HEADER);

    skimmer->error = KAFKA_NONE;
    skimmer->why = NULL;
    skimmer->batch = *batch;
    skimmer->left = batch->count;
    skimmer->window.max = KAFKA_INFLATED_MAX;
    skimmer->at = skimmer->end = NULL;
    skimmer->seen = 0;
    if (batch->attributes & KAFKA_BATCH_CODEC) {
        enum rc rc = kafka_inflater_begin(&skimmer->inflater, batch->attributes & KAFKA_BATCH_CODEC, records, NULL);
        if (rc)
            cannot_inflate(skimmer, rc);
        return;
    }
    skimmer->inflater.codec = KAFKA_CODEC_NONE;
    skimmer->at = records.p;
    skimmer->end = records.p + records.len;
    skimmer->seen = records.len;
}

/* nothing may come behind the last record, and what was compressed must be whole */
static void check_end(struct kafka_skimmer *skimmer)
{
    if (skimmer->at < skimmer->end || fill(skimmer))
        invalid(skimmer, "the record batch holds more records than it counts");
}

bool kafka_skimmer_next(struct kafka_skimmer *skimmer, struct kafka_record_head *out)
{
    if (skimmer->left <= 0)
        check_end(skimmer);
    if (skimmer->error || skimmer->left-- <= 0)
        return false;
    if (skimmer->at == skimmer->end && !fill(skimmer))
        invalid(skimmer, "the record batch holds fewer records than it counts");
    if (take_usual(skimmer, out))
        return true;
    int32_t size = take_varint(skimmer);
    if (size < 0)
        invalid(skimmer, "a record's size is wrong");
    uint64_t end = place(skimmer) + (uint64_t)size;
    take_byte(skimmer); /* attributes: none are known */
    out->timestamp = time_of(skimmer, take_varlong(skimmer));
    out->offset_delta = take_varint(skimmer);
    out->has_key = skip_nullable(skimmer, end, true);
    skip_nullable(skimmer, end, true);
    skip_headers(skimmer, end);
    if (!skimmer->error && place(skimmer) != end)
        invalid(skimmer, "a record's size is wrong");
    return !skimmer->error;
}

void kafka_skimmer_trim(struct kafka_skimmer *skimmer)
{
    if (skimmer->window.cap > WINDOW_KEPT_MAX)
        buf_free(&skimmer->window);
    kafka_inflater_trim(&skimmer->inflater);
}

void kafka_skimmer_free(struct kafka_skimmer *skimmer)
{
    buf_free(&skimmer->window);
    kafka_inflater_free(&skimmer->inflater);
}
