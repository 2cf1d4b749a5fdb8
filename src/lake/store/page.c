/* Health and metrics; see page.h. */
#include "lake/store/page.h"

#include <string.h>

static void health(struct http_request *request, struct http_response *response)
{
    (void)request;
    http_response_text(response, 200, "application/json", "{\"status\":\"ok\"}\n");
}

void page_minio_health(struct http_request *request, struct http_response *response)
{
    static const char *const probes[] = { "live", "ready", "cluster" };

    for (size_t i = 0; i < ARRAY_LEN(probes); i++)
        if (str_is(request->params[0], probes[i])) {
            response->status = 200;
            return;
        }
    http_response_text(response, 404, "text/plain", "404 page not found\n");
}

static void put_buckets(struct store *store, struct buf *out)
{
    CLEANUP(index_read_end) struct index_txn *txn = index_read_begin(store->index);
    CLEANUP(buf_free) struct buf from = { 0 };
    struct bucket bucket = { 0 };
    struct str name = { 0 };

    buf_puts(out, "# TYPE minio_bucket_usage_object_total gauge\n# TYPE minio_bucket_usage_total_bytes gauge\n");
    while (txn && bucket_next(txn, buf_str(&from), &name, &bucket)) {
        struct usage usage = bucket_usage(txn, bucket.node);
        buf_printf(out, "minio_bucket_usage_object_total{bucket=\"%.*s\"} %llu\n", STR_ARG(name),
                   (unsigned long long)usage.objects);
        buf_printf(out, "minio_bucket_usage_total_bytes{bucket=\"%.*s\"} %llu\n", STR_ARG(name),
                   (unsigned long long)usage.bytes);
        buf_clear(&from);
        buf_put_str(&from, name);
        buf_putc(&from, '\0');
    }
}

static void put_number(struct buf *out, const char *name, const char *type, unsigned long long value)
{
    buf_printf(out, "# TYPE %s %s\n%s %llu\n", name, type, name, value);
}

void page_metrics(struct http_request *request, struct http_response *response)
{
    struct store *store = request->service;
    struct buf *out = &response->body;

    response->status = 200;
    response->content_type = "text/plain; version=0.0.4";
    put_number(out, "minio_s3_requests_total", "counter", atomic_load(&store->requests));
    put_number(out, "minio_s3_requests_4xx_errors_total", "counter", atomic_load(&store->requests_4xx));
    put_number(out, "minio_s3_requests_5xx_errors_total", "counter", atomic_load(&store->requests_5xx));
    put_number(out, "minio_s3_traffic_received_bytes", "counter", atomic_load(&store->bytes_in));
    put_number(out, "minio_s3_traffic_sent_bytes", "counter", atomic_load(&store->bytes_out));
    put_number(out, "minio_node_process_uptime_seconds", "gauge",
               (unsigned long long)((clock_mono_ms() - store->started_ms) / 1000));
    put_buckets(store, out);
}

bool page_answer(struct exchange *x)
{
    static const struct {
        const char *name;
        void (*answer)(struct http_request *request, struct http_response *response);
    } pages[] = { { "health", health }, { "ready", health }, { "metrics", page_metrics } };
    CLEANUP(index_read_end) struct index_txn *txn = NULL;
    struct bucket bucket = { 0 };

    if (x->level != LEVEL_BUCKET || x->request->query.len || strcmp(x->request->method, "GET") != 0)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        if (!str_is(x->bucket, pages[i].name))
            continue;
        txn = index_read_begin(x->store->index);
        if (txn && bucket_find(txn, x->bucket, &bucket) == S3_NO_SUCH_BUCKET) {
            index_read_end(&txn);
            pages[i].answer(x->request, x->response);
            return true;
        }
    }
    return false;
}
