/*
 * Avro as data: schemas, the binary encoding, container files.  The one header other folders include.
 */
#ifndef WIRE_AVRO_AVRO_H
#define WIRE_AVRO_AVRO_H

#include "wire/avro/codec.h"
#include "wire/avro/container.h"
#include "wire/avro/schema.h"

#endif
