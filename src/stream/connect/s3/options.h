/* The S3 sink's configuration keys, and what a task makes of them. */
#ifndef STREAM_CONNECT_S3_OPTIONS_H
#define STREAM_CONNECT_S3_OPTIONS_H

#include "stream/connect/plugin.h"
#include "wire/avro/avro.h"

enum null_behavior { NULL_FAIL, NULL_IGNORE };

/* Views into the configuration, which must outlive it. */
struct s3_sink_options {
    const char *bucket, *region, *topics_dir, *directory_delim, *file_delim, *zone;
    int64_t flush_size;
    int64_t rotate_ms, rotate_schedule_ms; /* -1: never */
    bool rotate_by_record_time;            /* else by the wall clock */
    int offset_digits;
    enum null_behavior nulls;
    enum avro_file_codec codec;
    bool connect_meta_data, enhanced;
    bool tolerate_errors;
};
void s3_sink_options_read(const struct connector_config *config, struct s3_sink_options *out);

enum { S3_OPTIONS = 50 };
extern const struct option s3_option_rows[S3_OPTIONS];
void s3_options_validate(const struct station *station, const struct connector_config *config,
                         struct validation *validation);

/* True for "UTC", "Europe/Berlin", "+02:00". */
bool zone_is_known(const char *zone);
/* Milliseconds that the zone is ahead of UTC at that moment. */
int64_t zone_offset_ms(const char *zone, int64_t wall_ms);
/* The first multiple of the interval since midnight of the zone that lies after now. */
int64_t zone_next_rotation(const char *zone, int64_t wall_ms, int64_t interval_ms);

#endif
