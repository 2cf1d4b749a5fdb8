"""Seed: rows made and inserted by the seeder. Limit: PostgreSQL's COPY of the same rows into the same tables, made ready."""

import tempfile
from pathlib import Path

from measure import Watch
from playground import TABLES
from source import Source
from stand import ROOT
from table import Row, Side, median_side

ROWS_A_RECORD = 6  # half a customer, a product, an order, 2.5 items on average, a payment
ORDER = ("customers", "products", "orders", "order_items", "payments")  # of foreign keys


def run(bench):
    records = max(int(bench.rows / ROWS_A_RECORD), 100)
    with bench.stand() as stand:
        sides = []
        for _ in range(bench.runs):
            before = total(stand.source)
            with Watch(stand.pids("seeder")) as watch:
                stand.haus("seed", "--count", str(records), timeout=900)
            rows = total(stand.source) - before
            sides.append(Side(rows / watch.use.seconds, watch.use.cpu, watch.use.peak))
        limit = total(stand.source) / copy_in_seconds(stand.source)
    yield Row(
        "seed",
        "full, batches of 1000 records",
        "rows/s",
        haus=median_side(sides),
        limit=limit,
        rows=rows,
        goal="100,000",
        note="limit: psql's \\copy of the same rows from files into empty tables with the same keys, one transaction a table; "
        "no peer: the compose stack's seeder is in no public registry",
    )


def total(source):
    return sum(source.count(table) for table in TABLES)


def copy_in_seconds(source):
    """The rows go out to files and into the tables of a second database."""
    tables = (ROOT / "playground" / "migrations" / "V1__create_storefront_tables.sql").read_text()
    source.sql("create database copied")
    other = Source(source.port, "copied")
    other.sql(tables)
    with tempfile.TemporaryDirectory() as folder:
        for table in ORDER:
            source.tool("psql", "-qXc", f"\\copy {table} to '{Path(folder) / table}'")
        seconds = sum(other.tool("psql", "-qXc", f"\\copy {table} from '{Path(folder) / table}'") for table in ORDER)
    other.close()
    source.sql("drop database copied")
    return seconds
