/* The seeder's routes and their description. Private to this folder. */
#ifndef SOURCE_SEEDER_API_H
#define SOURCE_SEEDER_API_H

#include <jansson.h>

#include "net/net.h"
#include "source/seeder/traffic.h"

extern const struct http_route api_routes[];
extern const size_t api_route_count;
/* {"detail": "Not Found"} and {"detail": "Method Not Allowed"}, as FastAPI says them */
void api_not_found(struct http_request *request, struct http_response *response, bool allowed);
/* The document of /openapi.json, made from the same rows as the routes. */
json_t *api_openapi(void);

#endif
