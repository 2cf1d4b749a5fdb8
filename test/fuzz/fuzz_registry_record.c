/* Lines of bytes as records of _schemas, keys and values in turn ("-" is a tombstone): any order, any nonsense. */
#include "stream/registry/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = str_n((const char *)data, size), key, value;
    struct state state = { 0 };
    struct err err;

    while (str_cut(&rest, '\n', &key)) {
        if (!str_cut(&rest, '\n', &value) || str_is(value, "-"))
            value = (struct str){ 0 };
        if (state_apply(&state, key, value, &err))
            continue;
    }
    state_free(&state);
    return 0;
}
