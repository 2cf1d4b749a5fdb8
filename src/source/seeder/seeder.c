/* The seeder as a service: an HTTP server in front of the traffic. */
#include "source/seeder/seeder.h"

#include "source/seeder/api.h"

enum rc seeder_run(struct station *station, struct err *err)
{
    struct traffic traffic;
    struct http_server *server = NULL;

    traffic_init(&traffic, station);
    enum rc rc = http_server_start(
        &(struct http_server_options){
            .host = station->host,
            .port = station->port,
            .routes = api_routes,
            .route_count = api_route_count,
            .service = &traffic,
            .not_found = api_not_found,
        },
        &server, err);
    if (rc)
        return rc;
    log_info("listening", "address=%s:%d", station->host, station->port);
    station_ready(station);
    station_wait_for_stop();
    traffic_stop(&traffic);
    http_server_stop(server);
    return RC_OK;
}
