/* The S3 sink under its usual class name, io.confluent.connect.s3.S3SinkConnector. */
#ifndef STREAM_CONNECT_S3_S3_H
#define STREAM_CONNECT_S3_S3_H

#include "stream/connect/plugin.h"

extern const struct connector_class s3_sink_class;

#endif
