/* What the store tells of itself: health and metrics.  Private to lake/store. */
#ifndef LAKE_STORE_PAGE_H
#define LAKE_STORE_PAGE_H

#include "lake/store/exchange.h"

/* GET /minio/health/{live,ready,cluster}: 200 without a body. */
void page_minio_health(struct http_request *request, struct http_response *response);
/* Prometheus text. */
void page_metrics(struct http_request *request, struct http_response *response);
/* /health, /ready, /metrics for an unsigned GET, unless a bucket has that name.  False: not one of them. */
bool page_answer(struct exchange *x);

#endif
