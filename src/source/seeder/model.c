/* Invents the storefront's rows as COPY text; see model.h. No formatting function on the way of a row. */
#include "source/seeder/model.h"

#include <stdlib.h>
#include <string.h>

const char *const model_table_names[MODEL_TABLES] = { "customers", "products", "orders", "order_items", "payments" };
const char *const model_columns[MODEL_TABLES] = {
    "id, full_name, email, address, city, country, created_at",
    "id, name, category, price, stock_quantity, created_at",
    "id, customer_id, status, total, created_at",
    "id, order_id, product_id, quantity, price_at_purchase",
    "id, order_id, payment_method, paid_at, amount, status",
};

/* ---------------------------------------------------------------- words */

static const char *const first_names[] = {
    "Anna",  "Ben",   "Clara", "David",  "Elif",   "Farid",  "Greta",  "Hugo",  "Ines",   "Jonas",  "Karim",  "Lena",
    "Marta", "Nils",  "Olga",  "Paul",   "Quinn",  "Rosa",   "Samir",  "Tessa", "Umut",   "Vera",   "Wim",    "Xenia",
    "Yara",  "Zoe",   "Aaron", "Bianca", "Carlos", "Dilara", "Emma",   "Felix", "Giulia", "Hannah", "Ivan",   "Julia",
    "Kenji", "Laura", "Milan", "Nora",   "Oscar",  "Priya",  "Rafael", "Sofia", "Tom",    "Ursula", "Victor", "Yusuf",
};
static const char *const last_names[] = {
    "Keller",  "Meyer",   "Novak",  "Okafor",     "Petrov", "Rossi",     "Schmidt",  "Silva",  "Tanaka",
    "Ueda",    "Vogel",   "Weber",  "Yilmaz",     "Zhang",  "Andersson", "Bauer",    "Costa",  "Dubois",
    "Eriksen", "Fischer", "Garcia", "Hansen",     "Ivanov", "Jansen",    "Kowalski", "Lopez",  "Martin",
    "Nguyen",  "O'Brien", "Patel",  "Quist",      "Ricci",  "Santos",    "Toth",     "Ulrich", "Virtanen",
    "Wolf",    "Xu",      "Young",  "Zimmermann", "Ahmed",  "Brown",     "Clark",    "Diaz",
};
static const char *const streets[] = {
    "Seestrasse",   "Main Street", "Rue du Lac", "Via Roma",  "Lindenweg",  "Oak Avenue", "Calle Mayor", "Hafenstrasse",
    "Station Road", "Am Ufer",     "Bergweg",    "Park Lane", "Kirchgasse", "Mill Lane",  "Rosenweg",    "High Street",
};
/* Words in columns. */
/* clang-format off */
static const struct {
    const char *city, *country;
} places[] = {
    { "Berlin", "Germany" },   { "Hamburg", "Germany" },   { "Zurich", "Switzerland" }, { "Vienna", "Austria" },
    { "Paris", "France" },     { "Lyon", "France" },       { "Rome", "Italy" },         { "Milan", "Italy" },
    { "Madrid", "Spain" },     { "Lisbon", "Portugal" },   { "London", "United Kingdom" }, { "Leeds", "United Kingdom" },
    { "Dublin", "Ireland" },   { "Oslo", "Norway" },       { "Stockholm", "Sweden" },   { "Copenhagen", "Denmark" },
    { "Warsaw", "Poland" },    { "Prague", "Czechia" },    { "Chicago", "United States" }, { "Boston", "United States" },
    { "Toronto", "Canada" },   { "Tokyo", "Japan" },       { "Sydney", "Australia" },   { "São Paulo", "Brazil" },
};
/* clang-format on */
static const char *const adjectives[] = {
    "Compact", "Classic", "Smart",  "Organic", "Portable", "Modern",   "Sturdy", "Light",
    "Deluxe",  "Quiet",   "Bright", "Soft",    "Handmade", "Foldable", "Solid",  "Little",
};
enum { NOUNS = 8 };
static const struct {
    const char *name;
    const char *nouns[NOUNS];
} categories[] = {
    { "electronics", { "Headphones", "Keyboard", "Speaker", "Charger", "Monitor", "Camera", "Router", "Lamp" } },
    { "books", { "Novel", "Cookbook", "Atlas", "Biography", "Anthology", "Guide", "Dictionary", "Comic" } },
    { "toys", { "Puzzle", "Kite", "Train Set", "Doll", "Board Game", "Building Blocks", "Yo-yo", "Robot" } },
    { "clothing", { "Jacket", "Scarf", "Sweater", "Shirt", "Trousers", "Socks", "Hat", "Gloves" } },
    { "kitchen", { "Kettle", "Knife", "Pan", "Toaster", "Blender", "Teapot", "Cutting Board", "Mug" } },
    { "sports",
      { "Football", "Yoga Mat", "Tent", "Backpack", "Bicycle Pump", "Racket", "Skateboard", "Water Bottle" } },
};
static const char *const order_statuses[] = { "pending", "shipped", "delivered", "cancelled" };
static const char *const methods[] = { "credit_card", "paypal", "bank_transfer" };
enum {
    PRICE_MIN_CENTS = 500,
    PRICE_MAX_CENTS = 30000,
    QUANTITY_MAX = 5,
    STOCK_MAX = 500,
    PAID_PERCENT = 75,
    PENDING_PERCENT = 15
};

/* --------------------------------------------------------------- numbers */

static uint64_t rotate(uint64_t x, int k)
{
    return x << k | x >> (64 - k);
}

static uint64_t next(struct model_random *random)
{
    uint64_t *s = random->state;
    uint64_t result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

struct model_random model_random_of(uint64_t seed)
{
    struct model_random random;

    for (int i = 0; i < 4; i++) { /* splitmix64 */
        uint64_t z = (seed += 0x9e3779b97f4a7c15u);
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
        z = (z ^ z >> 27) * 0x94d049bb133111ebu;
        random.state[i] = z ^ z >> 31;
    }
    return random;
}

uint64_t model_below(struct model_random *random, uint64_t n)
{
    return (uint64_t)((unsigned __int128)next(random) * n >> 64);
}

#define PICK(random, array) ((array)[model_below((random), ARRAY_LEN(array))])

/* ------------------------------------------------------------------ text */

static void put_number(struct buf *out, uint64_t v)
{
    char digits[20];
    size_t n = 0;

    do {
        digits[sizeof digits - ++n] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    buf_append(out, digits + sizeof digits - n, n);
}

static void put_padded(struct buf *out, uint64_t v, int width)
{
    char digits[8];

    for (int i = width - 1; i >= 0; i--, v /= 10)
        digits[i] = (char)('0' + v % 10);
    buf_append(out, digits, (size_t)width);
}

static void put_cents(struct buf *out, int64_t cents)
{
    put_number(out, (uint64_t)cents / 100);
    buf_putc(out, '.');
    put_padded(out, (uint64_t)cents % 100, 2);
}

static void put_time(struct buf *out, int64_t us)
{
    int64_t days = us / 86400000000, rest = us % 86400000000;
    struct clock_date date = clock_date_of_days(days);

    put_padded(out, (uint64_t)date.year, 4);
    buf_putc(out, '-');
    put_padded(out, (uint64_t)date.month, 2);
    buf_putc(out, '-');
    put_padded(out, (uint64_t)date.day, 2);
    buf_putc(out, ' ');
    put_padded(out, (uint64_t)(rest / 3600000000), 2);
    buf_putc(out, ':');
    put_padded(out, (uint64_t)(rest / 60000000 % 60), 2);
    buf_putc(out, ':');
    put_padded(out, (uint64_t)(rest / 1000000 % 60), 2);
    buf_putc(out, '.');
    put_padded(out, (uint64_t)(rest % 1000000), 6);
}

static void tab(struct buf *out)
{
    buf_putc(out, '\t');
}

/* a moment between the first of January of now's year and now */
static int64_t some_time_this_year(struct model_random *random, int64_t now_us)
{
    struct clock_date today = clock_date_of_days(now_us / 86400000000);
    int64_t begin = clock_days_of_date(today.year, 1, 1) * 86400000000;

    return begin + (int64_t)model_below(random, (uint64_t)(now_us - begin) + 1);
}

/* ------------------------------------------------------------------ plan */

void model_plan_make(struct model_random *random, size_t records, bool has_customer, struct model_plan *out)
{
    *out = (struct model_plan){ .records = records, .items = NEW_ARRAY(uint8_t, records) };
    out->counts[MODEL_CUSTOMERS] = records / 2;
    out->counts[MODEL_PRODUCTS] = records;
    size_t orders = out->counts[MODEL_CUSTOMERS] || has_customer ? records : 0;
    out->counts[MODEL_ORDERS] = out->counts[MODEL_PAYMENTS] = orders;
    for (size_t i = 0; i < orders; i++) {
        out->items[i] = (uint8_t)(1 + model_below(random, MIN(records, (size_t)MODEL_ITEMS_MAX)));
        out->counts[MODEL_ITEMS] += out->items[i];
    }
}

void model_plan_free(struct model_plan *plan)
{
    free(plan->items);
    *plan = (struct model_plan){ 0 };
}

/* ------------------------------------------------------------------ rows */

static void put_lower_letters(struct buf *out, const char *name)
{
    for (; *name; name++)
        if ((*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z'))
            buf_putc(out, (char)(*name | 0x20));
}

static void write_customer(struct model_random *random, int64_t id, int64_t now_us, struct buf *out)
{
    const char *first = PICK(random, first_names), *last = PICK(random, last_names);
    size_t place = model_below(random, ARRAY_LEN(places));

    put_number(out, (uint64_t)id);
    tab(out);
    buf_puts(out, first);
    buf_putc(out, ' ');
    buf_puts(out, last);
    tab(out);
    put_lower_letters(out, first);
    buf_putc(out, '.');
    put_lower_letters(out, last);
    buf_putc(out, '.');
    put_number(out, (uint64_t)id); /* no two customers share an id, so none share an address */
    buf_puts(out, "@example.com");
    tab(out);
    buf_puts(out, PICK(random, streets));
    buf_putc(out, ' ');
    put_number(out, 1 + model_below(random, 200));
    tab(out);
    buf_puts(out, places[place].city);
    tab(out);
    buf_puts(out, places[place].country);
    tab(out);
    put_time(out, some_time_this_year(random, now_us));
    buf_putc(out, '\n');
}

static void write_product(struct model_random *random, int64_t id, int64_t cents, int64_t now_us, struct buf *out)
{
    size_t category = model_below(random, ARRAY_LEN(categories));

    put_number(out, (uint64_t)id);
    tab(out);
    buf_puts(out, PICK(random, adjectives));
    buf_putc(out, ' ');
    buf_puts(out, categories[category].nouns[model_below(random, NOUNS)]);
    tab(out);
    buf_puts(out, categories[category].name);
    tab(out);
    put_cents(out, cents);
    tab(out);
    put_number(out, model_below(random, STOCK_MAX + 1));
    tab(out);
    put_time(out, some_time_this_year(random, now_us));
    buf_putc(out, '\n');
}

/* n distinct numbers below `below`, by redrawing: n is at most four */
static void draw_distinct(struct model_random *random, size_t n, size_t below, size_t out[static MODEL_ITEMS_MAX])
{
    for (size_t i = 0; i < n; i++) {
        bool again = true;
        while (again) {
            out[i] = model_below(random, below);
            again = false;
            for (size_t k = 0; k < i; k++)
                again |= out[k] == out[i];
        }
    }
}

static int64_t write_items(struct model_random *random, const struct model_ids *ids, const int64_t *cents, size_t n,
                           size_t first_item, int64_t order_id, struct buf *out)
{
    size_t products[MODEL_ITEMS_MAX] = { 0 };
    int64_t total = 0;

    draw_distinct(random, n, ids->counts[MODEL_PRODUCTS], products);
    for (size_t i = 0; i < n; i++) {
        int64_t quantity = 1 + (int64_t)model_below(random, QUANTITY_MAX);
        put_number(out, (uint64_t)ids->ids[MODEL_ITEMS][first_item + i]);
        tab(out);
        put_number(out, (uint64_t)order_id);
        tab(out);
        put_number(out, (uint64_t)ids->ids[MODEL_PRODUCTS][products[i]]);
        tab(out);
        put_number(out, (uint64_t)quantity);
        tab(out);
        put_cents(out, cents[products[i]]);
        buf_putc(out, '\n');
        total += quantity * cents[products[i]];
    }
    return total;
}

static void write_order(struct model_random *random, int64_t id, int64_t customer, int64_t total, int64_t now_us,
                        struct buf *out)
{
    put_number(out, (uint64_t)id);
    tab(out);
    put_number(out, (uint64_t)customer);
    tab(out);
    buf_puts(out, PICK(random, order_statuses));
    tab(out);
    put_cents(out, total);
    tab(out);
    put_time(out, now_us);
    buf_putc(out, '\n');
}

static void write_payment(struct model_random *random, int64_t id, int64_t order_id, int64_t total, int64_t now_us,
                          struct buf *out)
{
    uint64_t percent = model_below(random, 100);
    bool paid = percent < PAID_PERCENT;

    put_number(out, (uint64_t)id);
    tab(out);
    put_number(out, (uint64_t)order_id);
    tab(out);
    buf_puts(out, PICK(random, methods));
    tab(out);
    if (paid)
        put_time(out, now_us);
    else
        buf_puts(out, "\\N");
    tab(out);
    put_cents(out, total);
    tab(out);
    buf_puts(out, paid ? "paid" : percent < PAID_PERCENT + PENDING_PERCENT ? "pending" : "failed");
    buf_putc(out, '\n');
}

void model_write(struct model_random *random, const struct model_plan *plan, const struct model_ids *ids,
                 const struct model_known *known, int64_t now_us, struct buf out[static MODEL_TABLES])
{
    CLEANUP_FREE int64_t *cents = NEW_ARRAY(int64_t, plan->counts[MODEL_PRODUCTS]);
    size_t customers = plan->counts[MODEL_CUSTOMERS], item = 0;

    for (size_t i = 0; i < customers; i++)
        write_customer(random, ids->ids[MODEL_CUSTOMERS][i], now_us, &out[MODEL_CUSTOMERS]);
    for (size_t i = 0; i < plan->counts[MODEL_PRODUCTS]; i++) {
        cents[i] = PRICE_MIN_CENTS + (int64_t)model_below(random, PRICE_MAX_CENTS - PRICE_MIN_CENTS + 1);
        write_product(random, ids->ids[MODEL_PRODUCTS][i], cents[i], now_us, &out[MODEL_PRODUCTS]);
    }
    for (size_t i = 0; i < plan->counts[MODEL_ORDERS]; i++) {
        int64_t order = ids->ids[MODEL_ORDERS][i];
        int64_t customer = customers ? ids->ids[MODEL_CUSTOMERS][model_below(random, customers)] : known->customer;
        int64_t total = write_items(random, ids, cents, plan->items[i], item, order, &out[MODEL_ITEMS]);
        item += plan->items[i];
        write_order(random, order, customer, total, now_us, &out[MODEL_ORDERS]);
        write_payment(random, ids->ids[MODEL_PAYMENTS][i], order, total, now_us, &out[MODEL_PAYMENTS]);
    }
}
