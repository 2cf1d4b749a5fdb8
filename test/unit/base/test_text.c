/* str, buf, arena, map, encode: the words everything else is written in. */
#include "unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/base.h"

static void cut_takes_parts_until_the_end(void **state)
{
    struct str rest = str_of("a,,b"), part = { 0 };

    (void)state;
    assert_true(str_cut(&rest, ',', &part) && str_is(part, "a"));
    assert_true(str_cut(&rest, ',', &part) && str_is(part, ""));
    assert_true(str_cut(&rest, ',', &part) && str_is(part, "b"));
    assert_false(str_cut(&rest, ',', &part));
}

static void numbers_must_be_whole_and_in_range(void **state)
{
    static const struct {
        const char *text;
        bool ok;
        int64_t value;
    } rows[] = { { "0", true, 0 },     { "-7", true, -7 },
                 { "100", true, 100 }, { "101", false, 0 },
                 { "", false, 0 },     { " 1", false, 0 },
                 { "1 ", false, 0 },   { "1x", false, 0 },
                 { "0x1", false, 0 },  { "99999999999999999999", false, 0 } };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t v = 0;
        assert_int_equal(str_to_i64(str_of(rows[i].text), -10, 100, &v), rows[i].ok);
        if (rows[i].ok)
            assert_int_equal(v, rows[i].value);
    }
}

static void utf8_accepts_shortest_forms_only(void **state)
{
    static const struct {
        const char *bytes;
        bool ok;
    } rows[] = { { "", true },
                 { "abc", true },
                 { "h\xc3\xa9", true },
                 { "\xe4\xb8\x96", true },
                 { "\xf0\x9f\x8f\xa0", true },
                 { "\xc0\x80", false },
                 { "\xed\xa0\x80", false },
                 { "\xf4\x90\x80\x80", false },
                 { "\xc3", false },
                 { "\x80", false },
                 { "\xe0\x80\x80", false } };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(str_is_utf8(str_of(rows[i].bytes)), rows[i].ok);
}

static void buf_refuses_what_passes_its_maximum_and_stays_refusing(void **state)
{
    struct buf buf = { .max = 8 };

    (void)state;
    buf_puts(&buf, "12345678");
    assert_false(buf_failed(&buf));
    buf_putc(&buf, '9');
    assert_true(buf_failed(&buf));
    assert_string_equal(buf_cstr(&buf), "12345678");
    buf_clear(&buf);
    buf_puts(&buf, "ok");
    assert_string_equal(buf_cstr(&buf), "ok");
    buf_free(&buf);
}

static void arena_gives_zeroed_memory_up_to_its_maximum(void **state)
{
    struct arena arena = { .max = 64 << 10 };
    char *p = arena_alloc(&arena, 100);

    (void)state;
    for (int i = 0; i < 100; i++)
        assert_int_equal(p[i], 0);
    assert_null(arena_alloc(&arena, 64 << 10));
    assert_null(arena_array(&arena, SIZE_MAX / 2, 16));
    assert_non_null(arena_alloc(&arena, 32 << 10));
    arena_free(&arena);
}

static void map_agrees_with_a_plain_table_under_random_changes(void **state)
{
    enum { KEYS = 200, STEPS = 20000 };
    struct map map = { 0 };
    uintptr_t model[KEYS] = { 0 };
    size_t count = 0;

    (void)state;
    srand(7);
    for (int i = 0; i < STEPS; i++) {
        size_t k = (size_t)rand() % KEYS;
        CLEANUP_FREE char *key = mem_printf("key-%zu", k);
        if (rand() % 3) {
            uintptr_t value = (uintptr_t)rand() + 1;
            assert_ptr_equal(map_put(&map, str_of(key), (void *)value), (void *)model[k]);
            count += !model[k];
            model[k] = value;
        } else {
            assert_ptr_equal(map_remove(&map, str_of(key)), (void *)model[k]);
            count -= model[k] != 0;
            model[k] = 0;
        }
        assert_int_equal(map.count, count);
        assert_ptr_equal(map_get(&map, str_of(key)), (void *)model[k]);
    }
    size_t seen = 0;
    for (struct map_entry *e = NULL; (e = map_next(&map, e));)
        seen++;
    assert_int_equal(seen, count);
    map_free(&map, NULL);
}

static void base64_and_hex_go_both_ways(void **state)
{
    (void)state;
    for (size_t n = 0; n < 70; n++) {
        uint8_t bytes[70];
        struct buf text = { 0 }, back = { 0 };
        random_bytes(bytes, sizeof bytes);
        encode_base64(&text, bytes, n);
        assert_true(decode_base64(buf_str(&text), &back));
        assert_int_equal(back.len, n);
        assert_memory_equal(buf_cstr(&back), bytes, n);
        buf_clear(&text);
        buf_clear(&back);
        encode_hex(&text, bytes, n);
        assert_true(decode_hex(buf_str(&text), &back));
        assert_memory_equal(buf_cstr(&back), bytes, n);
        buf_free(&text);
        buf_free(&back);
    }
}

static void base64_refuses_what_is_not(void **state)
{
    static const char *const bad[] = { "a", "ab", "abc", "ab=c", "a===", "!!!!", "=abc" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct buf out = { 0 };
        assert_false(decode_base64(str_of(bad[i]), &out));
        buf_free(&out);
    }
}

static void crc32c_of_the_standard_text(void **state)
{
    (void)state;
    assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283u);
    assert_int_equal(crc32c(crc32c(0, "1234", 4), "56789", 5), 0xe3069283u);
}

static void calendar_goes_both_ways_over_millennia(void **state)
{
    (void)state;
    for (int64_t day = -800000; day < 3000000; day += 37) {
        struct clock_date date = clock_date_of_days(day);
        assert_int_equal(clock_days_of_date(date.year, date.month, date.day), day);
    }
    struct clock_date leap = clock_date_of_days(clock_days_of_date(2000, 2, 29));
    assert_int_equal(leap.month, 2);
    assert_int_equal(leap.day, 29);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_takes_parts_until_the_end),
        cmocka_unit_test(numbers_must_be_whole_and_in_range),
        cmocka_unit_test(utf8_accepts_shortest_forms_only),
        cmocka_unit_test(buf_refuses_what_passes_its_maximum_and_stays_refusing),
        cmocka_unit_test(arena_gives_zeroed_memory_up_to_its_maximum),
        cmocka_unit_test(map_agrees_with_a_plain_table_under_random_changes),
        cmocka_unit_test(base64_and_hex_go_both_ways),
        cmocka_unit_test(base64_refuses_what_is_not),
        cmocka_unit_test(crc32c_of_the_standard_text),
        cmocka_unit_test(calendar_goes_both_ways_over_millennia),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
