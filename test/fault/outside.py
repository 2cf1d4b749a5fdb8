"""What a whole house holds, asked from outside with strangers' clients and compared row by row and event by event."""

import io
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import fastavro

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
import test_pipeline as pipeline  # noqa: E402
from house import BINARY, ROOT  # noqa: E402
from playground import TABLES  # noqa: E402

COLUMNS = {
    "customers": ("id", "full_name", "email", "address", "city", "country", "created_at"),
    "products": ("id", "name", "category", "price", "stock_quantity", "created_at"),
    "orders": ("id", "customer_id", "status", "total", "created_at"),
    "order_items": ("id", "order_id", "product_id", "quantity", "price_at_purchase"),
    "payments": ("id", "order_id", "payment_method", "paid_at", "amount", "status"),
}


def has_fault_points():
    return subprocess.run(["grep", "-q", "HAUS_FAULT_ONCE", BINARY], check=False).returncode == 0


def points():
    """Every place in the sources where a test may make the world fail."""
    found = subprocess.run(
        ["grep", "-rhoP", "--include=*.c", r'(?<=FAULT_POINT\(")[a-z0-9_.]+(?="\))', str(ROOT / "src")],
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted(found.stdout.split())


def wire(value):
    """A column's value as its event carries it: timestamps are microseconds."""
    return pipeline.micros_naive(value) if isinstance(value, datetime) else value


def source_rows(play, table):
    columns = ", ".join(COLUMNS[table])
    with pipeline.connect(play) as conn:
        return {row[0]: tuple(map(wire, row)) for row in conn.execute(f"SELECT {columns} FROM {table}").fetchall()}


def raw_events(play, table):
    """The events of the raw files in order; fails on a gap, an overlap or a file that is not named by its first offset."""
    client, prefix = pipeline.s3(play), f"kafka/storefront.public.{table}/"
    pages = client.get_paginator("list_objects_v2").paginate(Bucket="raw", Prefix=prefix)
    rows = []
    for key in sorted(item["Key"] for page in pages for item in page.get("Contents", [])):
        assert key == f"{prefix}partition=0/storefront.public.{table}+0+{len(rows):010d}.avro"
        rows += fastavro.reader(io.BytesIO(client.get_object(Bucket="raw", Key=key)["Body"].read()))
    return rows


def check(play):
    """Source, log, raw files and stage tables say the same, each event once.  How many events there are."""
    total = 0
    for table in TABLES:
        changes = pipeline.events(play, table)
        folded = pipeline.fold(changes)
        rows = source_rows(play, table)
        assert {key: tuple(row[c] for c in COLUMNS[table]) for key, row in folded.items()} == rows, table
        values = [value for _, value in changes]
        raw = raw_events(play, table)
        assert len(raw) == len(values), table
        for ours, logged in zip(raw, values):
            assert (ours["op"], ours["after"], ours["source"]["lsn"]) == (
                logged["op"],
                logged["after"],
                logged["source"]["lsn"],
            )
        stage = pipeline.static_table(play, table).scan().to_arrow()
        assert sorted(stage.column("__offset").to_pylist()) == list(range(len(values))), table
        assert sorted(stage.column("__op").to_pylist()) == sorted(value["op"] for value in values), table
        total += len(values)
    return total


def orphans(play):
    """Parquet files of the lake that no table names."""
    client, left = pipeline.s3(play), set()
    for table in TABLES:
        pages = client.get_paginator("list_objects_v2").paginate(
            Bucket="lakehouse", Prefix=f"stage/storefront/{table}/data/"
        )
        there = {item["Key"] for page in pages for item in page.get("Contents", [])}
        live = {
            task.file.file_path.split("lakehouse/", 1)[1]
            for task in pipeline.static_table(play, table).scan().plan_files()
        }
        left |= there - live
    return left


FULL = os.environ.get("FAULT_ALL") == "1"
