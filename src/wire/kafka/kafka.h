/*
 * Kafka's wire formats: messages as rows of fields, their headers and the table of APIs, error
 * codes, and the record batch.  The one header other folders include.
 */
#ifndef WIRE_KAFKA_KAFKA_H
#define WIRE_KAFKA_KAFKA_H

#include "wire/kafka/api.h"
#include "wire/kafka/batch.h"
#include "wire/kafka/config.h"
#include "wire/kafka/error.h"
#include "wire/kafka/fetch.h"
#include "wire/kafka/group.h"
#include "wire/kafka/message.h"
#include "wire/kafka/metadata.h"
#include "wire/kafka/produce.h"
#include "wire/kafka/skim.h"
#include "wire/kafka/topic.h"

#endif
