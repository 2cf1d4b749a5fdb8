/* Invented rows: what must hold for every batch. */
#include "unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "source/seeder/model.h"

enum { NOW_YEAR = 2026 };

struct batch {
    struct model_plan plan;
    struct model_ids ids;
    struct buf rows[MODEL_TABLES];
};

static void make(struct batch *batch, uint64_t seed, size_t records, int64_t customer)
{
    struct model_random random = model_random_of(seed);
    int64_t now = (clock_days_of_date(NOW_YEAR, 6, 15) * 86400 + 3600) * 1000000;

    *batch = (struct batch){ 0 };
    model_plan_make(&random, records, customer != 0, &batch->plan);
    for (int t = 0; t < MODEL_TABLES; t++) {
        batch->ids.counts[t] = batch->plan.counts[t];
        batch->ids.ids[t] = NEW_ARRAY(int64_t, batch->plan.counts[t]);
        for (size_t i = 0; i < batch->plan.counts[t]; i++)
            batch->ids.ids[t][i] = 1000 * (t + 1) + (int64_t)i;
    }
    model_write(&random, &batch->plan, &batch->ids, &(struct model_known){ customer }, now, batch->rows);
}

static void drop(struct batch *batch)
{
    model_plan_free(&batch->plan);
    for (int t = 0; t < MODEL_TABLES; t++) {
        free(batch->ids.ids[t]);
        buf_free(&batch->rows[t]);
    }
}

static struct str column(struct str row, int n)
{
    struct str value = { 0 };

    for (int i = 0; i <= n; i++)
        str_cut(&row, '\t', &value);
    return value;
}

static int64_t cents(struct str text)
{
    double v = 0;

    assert_true(str_to_double(text, &v));
    return (int64_t)(v * 100 + 0.5);
}

static int64_t number(struct str text)
{
    int64_t v = 0;

    assert_true(str_to_i64(text, INT64_MIN, INT64_MAX, &v));
    return v;
}

static void a_batch_has_the_counts_of_the_original(void **state)
{
    static const size_t sizes[] = { 1, 2, 3, 10, 1000 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct batch batch;
        make(&batch, 1, sizes[i], 7);
        assert_int_equal(batch.plan.counts[MODEL_CUSTOMERS], sizes[i] / 2);
        assert_int_equal(batch.plan.counts[MODEL_PRODUCTS], sizes[i]);
        assert_int_equal(batch.plan.counts[MODEL_ORDERS], sizes[i]);
        assert_int_equal(batch.plan.counts[MODEL_PAYMENTS], sizes[i]);
        assert_in_range(batch.plan.counts[MODEL_ITEMS], sizes[i], 4 * sizes[i]);
        drop(&batch);
    }
}

static void without_any_customer_there_are_no_orders(void **state)
{
    struct batch batch;

    (void)state;
    make(&batch, 1, 1, 0);
    assert_int_equal(batch.plan.counts[MODEL_ORDERS], 0);
    assert_int_equal(batch.rows[MODEL_ORDERS].len, 0);
    drop(&batch);
}

static void totals_are_the_sum_of_their_items_to_the_cent(void **state)
{
    struct batch batch;

    (void)state;
    make(&batch, 3, 500, 0);
    struct str orders = buf_str(&batch.rows[MODEL_ORDERS]), items = buf_str(&batch.rows[MODEL_ITEMS]);
    struct str payments = buf_str(&batch.rows[MODEL_PAYMENTS]), order = { 0 }, item = { 0 }, payment = { 0 };
    for (size_t i = 0; i < 500; i++) {
        int64_t sum = 0, seen[4] = { 0 };
        assert_true(str_cut(&orders, '\n', &order) && str_cut(&payments, '\n', &payment));
        for (size_t k = 0; k < batch.plan.items[i]; k++) {
            assert_true(str_cut(&items, '\n', &item));
            assert_true(str_eq(column(item, 1), column(order, 0)));
            sum += number(column(item, 3)) * cents(column(item, 4));
            seen[k] = number(column(item, 2));
            for (size_t j = 0; j < k; j++)
                assert_int_not_equal(seen[j], seen[k]);
        }
        assert_int_equal(cents(column(order, 3)), sum);
        assert_int_equal(cents(column(payment, 4)), sum);
        assert_int_equal(str_is(column(payment, 3), "\\N"), !str_is(column(payment, 5), "paid"));
    }
    drop(&batch);
}

static void prices_and_weights_are_those_of_the_storefront(void **state)
{
    struct batch batch;
    struct str rest = { 0 }, row = { 0 };
    int paid = 0, pending = 0;

    (void)state;
    make(&batch, 5, 10000, 0);
    rest = buf_str(&batch.rows[MODEL_PRODUCTS]);
    while (rest.len && str_cut(&rest, '\n', &row)) {
        assert_in_range(cents(column(row, 3)), 500, 30000);
        assert_true(str_starts(column(row, 5), "2026-"));
    }
    rest = buf_str(&batch.rows[MODEL_PAYMENTS]);
    while (rest.len && str_cut(&rest, '\n', &row)) {
        paid += str_is(column(row, 5), "paid");
        pending += str_is(column(row, 5), "pending");
    }
    assert_in_range(paid, 7300, 7700);
    assert_in_range(pending, 1350, 1650);
    drop(&batch);
}

static void the_same_seed_gives_the_same_rows(void **state)
{
    struct batch a, b, c;

    (void)state;
    make(&a, 42, 100, 0);
    make(&b, 42, 100, 0);
    make(&c, 43, 100, 0);
    for (int t = 0; t < MODEL_TABLES; t++)
        assert_true(str_eq(buf_str(&a.rows[t]), buf_str(&b.rows[t])));
    assert_false(str_eq(buf_str(&a.rows[MODEL_CUSTOMERS]), buf_str(&c.rows[MODEL_CUSTOMERS])));
    drop(&a);
    drop(&b);
    drop(&c);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_has_the_counts_of_the_original),
        cmocka_unit_test(without_any_customer_there_are_no_orders),
        cmocka_unit_test(totals_are_the_sum_of_their_items_to_the_cent),
        cmocka_unit_test(prices_and_weights_are_those_of_the_storefront),
        cmocka_unit_test(the_same_seed_gives_the_same_rows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
