/* Any bytes as a container file: read to the end, each object skipped. */
#include "wire/avro/avro.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct avro_file_reader *file = NULL;
    struct avro_block block;
    struct err err;

    if (avro_file_open(str_n((const char *)data, size), "fuzz", &file, &err))
        return 0;
    while (!avro_file_next(file, &block, &err)) {
        struct avro_reader reader = avro_reader_of(block.bytes);
        for (uint64_t i = 0; i < block.objects && i < 10000 && !avro_reader_failed(&reader); i++)
            avro_skip(&reader, avro_root(avro_file_schema(file)));
    }
    avro_file_reader_free(file);
    return 0;
}
