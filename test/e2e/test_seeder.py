"""The seeder's API as FastAPI's clients see it, and the rows it writes as PostgreSQL has them."""

import contextlib
import os
import re
import signal
import time
from decimal import Decimal

import pytest
import requests
from openapi_spec_validator import validate

from playground import TABLES, Playground


def ask(play, sql):
    with play.database() as connection:
        cursor = connection.execute(sql)
        while cursor.nextset():
            pass
        return cursor.fetchall() if cursor.description else []


def counts(play):
    return {table: ask(play, f"SELECT count(*) FROM {table}")[0][0] for table in TABLES}


def call(play, method, path, **params):
    return requests.request(method, play.url("seeder") + path, params=params, timeout=60)


@pytest.fixture(scope="module")
def play():
    with Playground() as play:
        play.haus("up", "source")
        yield play


@pytest.fixture
def empty(play):
    call(play, "POST", "/seed/stop")
    ask(play, "TRUNCATE customers, products, orders, order_items, payments RESTART IDENTITY")
    return play


# ------------------------------------------------------------------ the API


@pytest.mark.client(
    "Seeder", "openapi-spec-validator", "the document is OpenAPI 3.1; every reference and default holds"
)
def test_openapi_is_valid_and_names_every_operation(play):
    answer = call(play, "GET", "/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    document = answer.json()
    validate(document)
    assert document["openapi"] == "3.1.0"
    assert {(path, *item) for path, item in document["paths"].items()} == {
        ("/seed/full", "post"),
        ("/seed/start", "post"),
        ("/seed/stop", "post"),
        ("/status", "get"),
        ("/health", "get"),
        ("/ready", "get"),
    }
    full = document["paths"]["/seed/full"]["post"]
    assert full["operationId"] == "seed_full_seed_full_post"
    assert full["summary"] == "Seed Full"
    params = {p["name"]: p for p in full["parameters"]}
    assert params["count"]["in"] == "query" and params["count"]["required"] is False
    assert params["count"]["schema"]["type"] == "integer" and params["count"]["schema"]["default"] == 10000
    assert params["count"]["schema"]["title"] == "Count" and params["batch_size"]["schema"]["title"] == "Batch Size"
    assert full["responses"]["422"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/HTTPValidationError"
    }
    ids = [op["operationId"] for item in document["paths"].values() for op in item.values()]
    assert len(ids) == len(set(ids))


@pytest.mark.client("Seeder", "Swagger UI", "its page and parts are served here and name no other host")
def test_docs_need_no_other_host(play):
    page = call(play, "GET", "/docs")
    assert page.status_code == 200 and page.headers["content-type"] == "text/html; charset=utf-8"
    assert not re.search(r"https?://|[\"']//", page.text)
    parts = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(parts) == 2
    for part in parts:
        answer = call(play, "GET", part)
        assert answer.status_code == 200 and len(answer.content) > 10000
        assert answer.headers["content-type"].startswith(("text/javascript", "text/css"))


def detail(kind, name, message, given, ctx=None):
    row = {"type": kind, "loc": ["query", name], "msg": message, "input": given}
    return {**row, "ctx": ctx} if ctx else row


NOT_WHOLE = "Input should be a valid integer, unable to parse string as an integer"
NOT_NUMBER = "Input should be a valid number, unable to parse string as a number"


@pytest.mark.parametrize(
    ("path", "params", "expected"),
    [
        ("/seed/full", {"count": "many"}, [detail("int_parsing", "count", NOT_WHOLE, "many")]),
        ("/seed/full", {"count": ""}, [detail("int_parsing", "count", NOT_WHOLE, "")]),
        ("/seed/full", {"count": "1.5"}, [detail("int_parsing", "count", NOT_WHOLE, "1.5")]),
        (
            "/seed/full",
            {"count": "0"},
            [detail("greater_than_equal", "count", "Input should be greater than or equal to 1", "0", {"ge": 1})],
        ),
        (
            "/seed/full",
            {"batch_size": "100001"},
            [
                detail(
                    "less_than_equal",
                    "batch_size",
                    "Input should be less than or equal to 100000",
                    "100001",
                    {"le": 100000},
                )
            ],
        ),
        (
            "/seed/full",
            {"count": "a", "batch_size": "-1"},
            [
                detail("int_parsing", "count", NOT_WHOLE, "a"),
                detail(
                    "greater_than_equal", "batch_size", "Input should be greater than or equal to 1", "-1", {"ge": 1}
                ),
            ],
        ),
        ("/seed/start", {"rate": "fast"}, [detail("float_parsing", "rate", NOT_NUMBER, "fast")]),
        (
            "/seed/start",
            {"rate": "0"},
            [detail("greater_than", "rate", "Input should be greater than 0", "0", {"gt": 0.0})],
        ),
        (
            "/seed/start",
            {"rate": "1001"},
            [detail("less_than_equal", "rate", "Input should be less than or equal to 1000", "1001", {"le": 1000.0})],
        ),
        (
            "/seed/start",
            {"updates": "-1"},
            [detail("greater_than_equal", "updates", "Input should be greater than or equal to 0", "-1", {"ge": 0})],
        ),
    ],
)
def test_wrong_parameters_are_answered_as_fastapi_answers_them(play, path, params, expected):
    answer = call(play, "POST", path, **params)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"detail": expected}
    assert call(play, "GET", "/status").json()["running"] is False


@pytest.mark.parametrize("given", ["+2", " 2 ", "2.0", "02", "2_0"])
def test_whole_numbers_are_read_as_pydantic_reads_them(empty, given):
    answer = call(empty, "POST", "/seed/full", count=given)
    assert answer.status_code == 200
    assert answer.json()["records"] == (20 if given == "2_0" else 2)


def test_unknown_paths_and_methods(play):
    answer = call(play, "GET", "/nowhere")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})
    answer = call(play, "GET", "/seed/full")
    assert (answer.status_code, answer.json()) == (405, {"detail": "Method Not Allowed"})
    assert answer.headers["allow"] == "POST"
    assert answer.headers["content-type"] == "application/json"
    answer = call(play, "DELETE", "/health")
    assert (answer.status_code, answer.json()) == (405, {"detail": "Method Not Allowed"})


def test_health_ready_and_metrics(play):
    assert call(play, "GET", "/health").json() == {"status": "ok"}
    assert call(play, "GET", "/ready").status_code == 200
    text = call(play, "GET", "/metrics").text
    assert 'seeder_rows_total{table="orders"}' in text and "seeder_running 0" in text


# ------------------------------------------------------------------- a seed


def check_rows(play):
    """What must hold of any storefront that only the seeder wrote to."""
    with play.database() as connection:

        def none(sql):
            assert connection.execute(sql).fetchall() == []

        none(
            "SELECT o.id, o.total, sum(i.quantity * i.price_at_purchase) FROM orders o JOIN order_items i ON i.order_id = o.id"
            " GROUP BY o.id HAVING o.total IS DISTINCT FROM sum(i.quantity * i.price_at_purchase)"
        )
        none("SELECT order_id FROM order_items GROUP BY order_id HAVING count(*) NOT BETWEEN 1 AND 4")
        none("SELECT order_id FROM order_items GROUP BY order_id HAVING count(*) <> count(DISTINCT product_id)")
        none("SELECT id FROM orders o WHERE NOT EXISTS (SELECT 1 FROM order_items i WHERE i.order_id = o.id)")
        none("SELECT id FROM orders o WHERE (SELECT count(*) FROM payments p WHERE p.order_id = o.id) <> 1")
        none("SELECT p.id FROM payments p JOIN orders o ON o.id = p.order_id WHERE p.amount IS DISTINCT FROM o.total")
        none("SELECT lower(email) FROM customers GROUP BY 1 HAVING count(*) > 1")
        none("SELECT id FROM products WHERE price NOT BETWEEN 5 AND 303.01 OR stock_quantity < 0")
        none("SELECT id FROM payments WHERE (status = 'paid') <> (paid_at IS NOT NULL)")
        for child, column, parent in (
            ("orders", "customer_id", "customers"),
            ("order_items", "order_id", "orders"),
            ("order_items", "product_id", "products"),
            ("payments", "order_id", "orders"),
        ):
            none(f"SELECT 1 FROM {child} c LEFT JOIN {parent} p ON p.id = c.{column} WHERE p.id IS NULL")


def test_a_full_seed_writes_what_it_says(empty):
    answer = call(empty, "POST", "/seed/full", count=2505, batch_size=500)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["status"], body["records"], body["batches"]) == ("completed", 2505, 6)
    assert body["rows"] == counts(empty)
    assert body["rows"]["customers"] == 5 * 250 + 2
    assert body["rows"]["products"] == body["rows"]["orders"] == body["rows"]["payments"] == 2505
    assert 2505 <= body["rows"]["order_items"] <= 4 * 2505
    check_rows(empty)
    shares = dict(ask(empty, "SELECT status, count(*) * 100.0 / 2505 FROM payments GROUP BY 1"))
    for status, percent in (("paid", 75), ("pending", 15), ("failed", 10)):
        assert abs(shares[status] - Decimal(percent)) < 5
    # ids were taken from the sequences: a row of somebody else fits behind them
    ask(empty, "INSERT INTO customers (full_name, email) VALUES ('x', 'x@x') RETURNING id")


def test_batches_of_one_and_of_odd_sizes(empty):
    # half of one is no customer: while there is none at all, nobody can order
    assert call(empty, "POST", "/seed/full", count=3, batch_size=1).status_code == 200
    found = counts(empty)
    assert (found["customers"], found["products"], found["orders"]) == (0, 3, 0)
    assert call(empty, "POST", "/seed/full", count=2).status_code == 200
    assert call(empty, "POST", "/seed/full", count=7, batch_size=1).status_code == 200
    found = counts(empty)
    assert found["customers"] == 1 and found["products"] == 3 + 9
    assert found["orders"] == found["payments"] == 9
    check_rows(empty)
    assert call(empty, "POST", "/seed/full", count=5, batch_size=3).json()["batches"] == 2
    check_rows(empty)


def test_without_parameters_it_is_ten_thousand(empty):
    body = call(empty, "POST", "/seed/full").json()
    assert body["records"] == 10000 and body["batches"] == 10
    assert body["rows"]["orders"] == 10000 and body["rows"]["customers"] == 5000
    check_rows(empty)


def storefront(play):
    return [
        ask(play, "SELECT id, full_name, email, address, city, country FROM customers ORDER BY id"),
        ask(play, "SELECT id, name, category, price, stock_quantity FROM products ORDER BY id"),
        ask(play, "SELECT id, customer_id, status, total FROM orders ORDER BY id"),
        ask(play, "SELECT id, order_id, product_id, quantity, price_at_purchase FROM order_items ORDER BY id"),
        ask(play, "SELECT id, order_id, payment_method, amount, status FROM payments ORDER BY id"),
    ]


def test_the_same_number_gives_the_same_rows_in_another_house(play):
    found = []
    for seed in (7, 7, 8):
        with Playground() as fresh:
            fresh.haus("up", "source")
            assert call(fresh, "POST", "/seed/full", count=300, batch_size=100, seed=seed).status_code == 200
            found.append(storefront(fresh))
    assert found[0] == found[1]
    assert found[0][0] != found[2][0]


# ----------------------------------------------------------------- a stream


def test_a_stream_inserts_updates_and_deletes_until_stopped(empty):
    assert call(empty, "POST", "/seed/full", count=200).status_code == 200
    before = call(empty, "GET", "/status").json()
    assert before["running"] is False and before["rate"] is None
    began = time.monotonic()
    started = call(empty, "POST", "/seed/start", rate=20, batch_size=10, updates=5, deletes=3)
    assert started.json() == {"status": "started", "rate": 20.0, "batch_size": 10, "updates": 5, "deletes": 3}
    again = call(empty, "POST", "/seed/start", rate=1)
    assert (again.status_code, again.json()) == (409, {"detail": "Seeding is already running"})
    time.sleep(2)
    during = call(empty, "GET", "/status").json()
    assert during["running"] is True and during["rate"] == 20.0 and during["last_error"] is None
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", during["started_at"])
    assert call(empty, "POST", "/seed/stop").json() == {"status": "stopped"}
    assert call(empty, "POST", "/seed/stop").json() == {"status": "not running"}
    after = call(empty, "GET", "/status").json()
    assert after["running"] is False
    batches = after["batches"] - before["batches"]
    assert 10 <= batches <= 20 * (time.monotonic() - began) + 2
    inserted = {table: after["rows"][table] - before["rows"][table] for table in TABLES}
    assert inserted["orders"] == 10 * batches and inserted["customers"] == 5 * batches
    assert 0 < after["updated"] - before["updated"] <= 5 * batches
    # an order that goes takes its items and its payment along
    assert (
        after["deleted"] - before["deleted"] >= 3 * (ask_gone := 200 + inserted["orders"] - counts(empty)["orders"]) > 0
    )
    assert ask_gone <= 3 * batches
    time.sleep(0.3)
    assert counts(empty)["products"] == 200 + inserted["products"]
    for sql in (
        "SELECT id FROM orders o WHERE NOT EXISTS (SELECT 1 FROM order_items i WHERE i.order_id = o.id)",
        "SELECT id FROM orders o WHERE (SELECT count(*) FROM payments p WHERE p.order_id = o.id) <> 1",
    ):
        assert ask(empty, sql) == []


def test_the_pace_is_kept(empty):
    before = call(empty, "GET", "/status").json()["batches"]
    began = time.monotonic()
    call(empty, "POST", "/seed/start", rate=10, batch_size=2)
    time.sleep(3)
    done = call(empty, "GET", "/status").json()["batches"] - before
    call(empty, "POST", "/seed/stop")
    assert 20 <= done <= 10 * (time.monotonic() - began) + 2


def test_a_stream_goes_on_after_the_database_was_killed(empty):
    call(empty, "POST", "/seed/start", rate=20, batch_size=4)
    empty.wait_for("batches", lambda: counts(empty)["orders"] > 0, 20)
    os.kill(empty.pid("postgres"), signal.SIGKILL)
    # while it is away, a full seed is refused rather than half done
    statuses = set()
    with contextlib.suppress(requests.RequestException):
        for _ in range(3):
            statuses.add(call(empty, "POST", "/seed/full", count=4).status_code)
    assert statuses <= {200, 503}
    empty.wait_for("postgres to come back", lambda: empty.status()["postgres"]["state"] == "ready", 60)
    begun = call(empty, "GET", "/status").json()["batches"]
    empty.wait_for("more batches", lambda: call(empty, "GET", "/status").json()["batches"] > begun + 5, 30)
    assert call(empty, "POST", "/seed/stop").json() == {"status": "stopped"}
    status = call(empty, "GET", "/status").json()
    assert status["last_error"] is None
    check_rows(empty)


def test_stop_cuts_a_long_pause_short(empty):
    call(empty, "POST", "/seed/start", rate=0.01, batch_size=2)
    empty.wait_for("the first batch", lambda: counts(empty)["orders"] == 2, 20)
    begun = time.monotonic()
    assert call(empty, "POST", "/seed/stop").json() == {"status": "stopped"}
    assert time.monotonic() - begun < 20  # of 100


def test_rows_that_the_database_refuses_are_an_error_with_its_words(empty):
    ask(empty, "ALTER TABLE products ADD CONSTRAINT cheap CHECK (price < 5) NOT VALID")
    try:
        answer = call(empty, "POST", "/seed/full", count=10)
        assert answer.status_code == 500
        assert 'violates check constraint "cheap"' in answer.json()["detail"]
        assert set(counts(empty).values()) == {0}
    finally:
        ask(empty, "ALTER TABLE products DROP CONSTRAINT cheap")
