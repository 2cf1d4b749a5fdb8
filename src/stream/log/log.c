/* The station: a server with a broker behind it. */
#include "stream/log/log.h"

#include "stream/log/broker.h"

enum rc log_run(struct station *station, struct err *err)
{
    struct server *server = server_new();
    struct broker *broker = NULL;
    enum rc rc = broker_open(station, server, &broker, err);

    if (!rc) {
        server_set_broker(server, broker);
        rc = server_run(server, station, err);
        broker_close(broker);
    }
    server_free(server);
    return rc;
}
