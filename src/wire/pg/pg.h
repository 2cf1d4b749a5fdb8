/*
 * Tier 1: PostgreSQL's replication formats as data.  The one header other folders include.
 *
 * Comes in: the payload of CopyData messages (libpq takes the protocol's outer layer away).
 * Goes out: views into that payload.  Knows no connection, no catalogue and no event.
 */
#ifndef WIRE_PG_PG_H
#define WIRE_PG_PG_H

#include "wire/pg/copy.h"
#include "wire/pg/lsn.h"
#include "wire/pg/pgoutput.h"
#include "wire/pg/walsender.h"

#endif
