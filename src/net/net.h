/* Tier 1: addresses, HTTP both ways, S3 as a client.  The one header other folders include. */
#ifndef NET_NET_H
#define NET_NET_H

#include "net/http.h"
#include "net/http_date.h"
#include "net/pg.h"
#include "net/port.h"
#include "net/s3.h"
#include "net/sigv4.h"
#include "net/station.h"
#include "net/uri.h"
#include "net/xml.h"

#endif
