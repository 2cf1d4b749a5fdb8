"""build stage, seen from outside: raw files in, Iceberg tables out, read by PyIceberg, DuckDB and Polars."""

import contextlib
import datetime
import fcntl
import json
import os
import signal
import subprocess
import time
from decimal import Decimal

import boto3
import botocore.config
import duckdb
import fastavro
import polars
import pytest
import raw_events as raw
from house import BINARY, House
from pyiceberg.table import StaticTable

DAY = 86_400_000_000
JAN_1 = 1_735_689_600_000_000  # 2025-01-01, microseconds


class Lake:
    def __init__(self, house):
        self.house = house
        self.s3 = boto3.client(
            "s3",
            endpoint_url=house.url("store"),
            aws_access_key_id="minio",
            aws_secret_access_key="minio123",
            region_name="us-east-1",
            config=botocore.config.Config(s3={"addressing_style": "path"}),
        )
        for bucket in ("raw", "lakehouse"):
            with contextlib.suppress(self.s3.exceptions.BucketAlreadyOwnedByYou):  # a whole house made it
                self.s3.create_bucket(Bucket=bucket)
        self.env = {**os.environ, "HAUS_HOME": str(house.home), "HAUS_PORT_OFFSET": str(house.offset)}

    def haus(self, *args, check=True, env=None):
        done = subprocess.run(
            [BINARY, *args], env={**self.env, **(env or {})}, capture_output=True, text=True, timeout=120
        )
        if check and done.returncode:
            raise AssertionError(f"haus {args}: {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def build(self, **more):
        rows = json.loads(self.haus("build", "-o", "json", **more).stdout)
        return {row["table"]: row for row in rows}

    def keys(self, prefix, suffix=""):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket="lakehouse", Prefix=prefix)
        return [o["Key"] for page in pages for o in page.get("Contents", []) if o["Key"].endswith(suffix)]

    def get(self, key):
        return self.s3.get_object(Bucket="lakehouse", Key=key)["Body"].read()

    def iceberg(self, table):
        hint = self.get(f"stage/storefront/{table}/metadata/version-hint.text").decode()
        return StaticTable.from_metadata(
            f"s3a://lakehouse/stage/storefront/{table}/metadata/v{hint}.metadata.json",
            {
                "s3.endpoint": self.house.url("store"),
                "s3.access-key-id": "minio",
                "s3.secret-access-key": "minio123",
                "s3.region": "us-east-1",
                "py-io-impl": "pyiceberg.io.pyarrow.PyArrowFileIO",
            },
        )

    def rows(self, table):
        return self.iceberg(table).scan().to_arrow().to_pylist()

    def orphans(self, table):
        """Parquet files that a glob would find and that are not the table's, or the other way round."""
        there = set(self.keys(f"stage/storefront/{table}/", ".parquet"))
        live = {
            task.file.file_path.removeprefix("s3a://lakehouse/") for task in self.iceberg(table).scan().plan_files()
        }
        return there ^ live

    def wait_for_the_janitor(self):
        """The process that cleans up after a killed build holds the build's lock until it has done so."""
        with open(self.house.home / "build" / "lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)

    def no_orphans(self, table):
        """No file that is not the table's, and no note of pending ones is left."""
        assert self.orphans(table) == set()
        assert not [k for k in self.keys(f"stage/storefront/{table}/metadata/") if "pending" in k]


@pytest.fixture
def lake():
    with House("store") as house:
        yield Lake(house)


def order(i, created=None, total="12.50", status="pending"):
    created = JAN_1 + i * 3_600_000_000 if created is None else created
    return {
        "id": i,
        "customer_id": i % 7,
        "status": status,
        "total": None if total is None else Decimal(total),
        "created_at": created,
    }


def orders(first, count, **more):
    return [raw.event("orders", "c", after=order(i, **more), lsn=1000 + i) for i in range(first, first + count)]


def stage_file(tmp_path, columns, table="orders", more=""):
    path = tmp_path / "stage_tables.yaml"
    lines = "\n".join(f"          - {{name: {n}, type: '{t}', source: {s}}}" for n, t, s in columns)
    path.write_text(
        f"""version: 1
sources:
  - name: storefront_cdc
    tables:
      - name: {table}
        source_path: s3a://raw/kafka/storefront.public.{table}/
        format: avro
        schema:
{lines}
        partitions: [event_date]
{more}"""
    )
    return str(path)


def test_rows_arrive_typed_and_a_second_run_adds_nothing(lake):
    raw.put(lake.s3, "orders", 0, orders(0, 100))
    raw.put(lake.s3, "orders", 0, orders(100, 50), partition=1, codec="deflate")
    report = lake.build()
    assert report["orders"]["rows"] in (150, "150")
    rows = sorted(lake.rows("orders"), key=lambda r: r["id"])
    assert [r["id"] for r in rows] == list(range(150))
    assert rows[30] == {
        "id": 30,
        "customer_id": 2,
        "status": "pending",
        "total": Decimal("12.50"),
        "created_at": JAN_1 + 30 * 3_600_000_000,
        "event_date": datetime.date(2025, 1, 2),
        "event_date_source": "created_at",
        "__op": "c",
        "__ts_ms": 1_735_689_600_000,
        "__lsn": 1030,
        "__topic": "storefront.public.orders",
        "__partition": 0,
        "__offset": 30,
    }
    again = lake.build()
    assert str(again["orders"]["rows"]) == "0"
    assert len(lake.iceberg("orders").metadata.snapshots) == 1
    lake.no_orphans("orders")


def test_events_written_again_under_other_boundaries_count_once(lake):
    for first in range(0, 30, 10):
        raw.put(lake.s3, "orders", first, orders(first, 10))
    lake.build()
    raw.put(lake.s3, "orders", 5, orders(5, 20))  # after an offsets reset: other file borders
    raw.put(lake.s3, "orders", 25, orders(25, 20))
    lake.build()
    assert sorted(r["id"] for r in lake.rows("orders")) == list(range(45))
    properties = lake.iceberg("orders").metadata.properties
    assert json.loads(properties["haus.offsets"]) == {"storefront.public.orders": {"0": "0-44"}}
    lake.no_orphans("orders")


def test_deletes_are_kept_with_the_key_of_before(lake):
    gone = {"id": 3, "customer_id": 0, "status": "", "total": None, "created_at": None}
    events = orders(0, 5) + [
        raw.event("orders", "u", before=order(2), after=order(2, status="shipped"), lsn=2000),
        raw.event("orders", "d", before=gone, lsn=2001, ts_ms=1_740_787_200_000),
    ]
    raw.put(lake.s3, "orders", 0, events)
    lake.build()
    deleted = [r for r in lake.rows("orders") if r["__op"] == "d"]
    assert len(deleted) == 1
    assert deleted[0]["id"] == 3
    assert deleted[0]["event_date"] == datetime.date(2025, 3, 1)
    assert deleted[0]["event_date_source"] == "ts_ms"
    fold = lake.haus("sql", "-o", "json", "select count(*) n from orders where __op = 'd'").stdout
    assert json.loads(fold)[0]["n"] in ("1", 1)


def test_two_years_of_days_are_one_file_a_day_and_quick(lake):
    events = [
        raw.event("customers", "r", after={
            "id": i, "full_name": f"Zoë {i}", "email": f"{i}@example.org", "address": None, "city": "Köln",
            "country": None, "created_at": JAN_1 + (i % 700) * DAY + i}, lsn=i)
        for i in range(7000)
    ]  # fmt: skip
    raw.put(lake.s3, "customers", 0, events)
    start = time.monotonic()
    report = lake.build()
    assert time.monotonic() - start < 100
    assert str(report["customers"]["data_files"]) == "700"
    table = lake.iceberg("customers")
    one = table.scan(row_filter="event_date == '2026-01-01'").to_arrow().to_pylist()
    assert len(one) == 10 and {r["city"] for r in one} == {"Köln"}
    named = table.scan(row_filter="full_name == 'Zoë 6999'").to_arrow().to_pylist()
    assert [r["id"] for r in named] == [6999]


@pytest.mark.parametrize(
    "column, kind, events, value",
    [
        ("total", "decimal(4,2)", orders(0, 3) + orders(3, 1, total="123.45") + orders(4, 1), "123.45"),
        ("total", "decimal(10,1)", orders(0, 3) + orders(3, 1, total="1.25"), "1.25"),
        ("status", "bigint", orders(0, 3, status="7") + orders(3, 1, status="seven"), "seven"),
        ("status", "int", orders(0, 3, status="7") + orders(3, 1, status="1.5"), "1.5"),
        ("created_at", "int", orders(0, 3, created=5) + orders(3, 1, created=JAN_1), str(JAN_1)),
        (
            "customer_id",
            "tinyint",
            orders(0, 3) + [raw.event("orders", "c", after={**order(3), "customer_id": 300})],
            "300",
        ),
    ],
)
def test_a_value_that_does_not_fit_stops_the_run(lake, tmp_path, column, kind, events, value):
    raw.put(lake.s3, "orders", 40, events)
    file = stage_file(tmp_path, [("id", "bigint", "after.id"), (column, kind, f"after.{column}")])
    done = lake.haus("build", "--config", file, check=False)
    assert done.returncode == 1
    for word in (raw.key("orders", 0, 40), "offset 43", f"'{column}'", f"'{value}'"):
        assert word in done.stderr
    assert not lake.keys("stage/storefront/orders/")


def test_a_truncated_raw_file_is_named_and_nothing_is_committed(lake):
    raw.put(lake.s3, "orders", 0, orders(0, 10))
    lake.build()
    broken = raw.encode("orders", orders(10, 500))[:-30]
    lake.s3.put_object(Bucket="raw", Key=raw.key("orders", 0, 10), Body=broken)
    done = lake.haus("build", check=False)
    assert done.returncode == 1
    assert raw.key("orders", 0, 10) in done.stderr
    assert len(lake.rows("orders")) == 10
    raw.put(lake.s3, "orders", 10, orders(10, 500))
    lake.build()
    assert len(lake.rows("orders")) == 510
    lake.no_orphans("orders")


def test_a_broken_configuration_is_told_with_line_and_column(lake, tmp_path):
    path = tmp_path / "stage_tables.yaml"
    path.write_text(
        "version: 1\nsources:\n  - name: x\n    tables:\n      - name: orders\n        sourcepath: s3a://x/\n"
    )
    done = lake.haus("build", "--config", str(path), check=False)
    assert done.returncode == 1
    assert "stage_tables.yaml:6:9:" in done.stderr
    path.write_text("version: 1\nsources: [\n")
    done = lake.haus("build", "--config", str(path), check=False)
    assert done.returncode == 1
    assert "stage_tables.yaml:3:1:" in done.stderr


def test_columns_added_at_the_source_and_to_the_configuration(lake, tmp_path):
    raw.put(lake.s3, "orders", 0, orders(0, 5))
    columns = [("id", "bigint", "after.id"), ("status", "string", "after.status")]
    lake.haus("build", "--config", stage_file(tmp_path, columns))
    wider = [*raw.COLUMNS["orders"], ("note", ["null", "string"])]
    events = [raw.event("orders", "c", after={**order(i), "note": f"n{i}"}, lsn=i) for i in range(5, 8)]
    raw.put(lake.s3, "orders", 5, events, columns=wider)
    raw.put(lake.s3, "orders", 8, orders(8, 2))
    columns += [("note", "string", "after.note"), ("total", "decimal(10,2)", "after.total")]
    lake.haus("build", "--config", stage_file(tmp_path, columns))
    rows = {r["id"]: r for r in lake.rows("orders")}
    assert [rows[i]["note"] for i in (0, 5, 7, 9)] == [None, "n5", "n7", None]
    assert [rows[i]["total"] for i in (0, 9)] == [None, Decimal("12.50")]
    assert len(lake.iceberg("orders").metadata.schemas) == 2
    text = lake.haus("sql", "-o", "json", "select id, note from orders where note is not null order by id").stdout
    assert [r["note"] for r in json.loads(text)] == ["n5", "n6", "n7"]


def test_timestamps_and_dates_by_their_meaning(lake, tmp_path):
    raw.put(lake.s3, "orders", 0, orders(0, 30))
    file = stage_file(
        tmp_path,
        [
            ("id", "int", "after.id"),
            ("at", "timestamp", "after.created_at"),
            ("local", "timestamp_ntz", "after.created_at"),
            ("day", "date", "after.created_at"),
            ("whole", "string", "after"),
            ("customer", "bigint", "after.customer_id"),
            ("money", "double", "after.total"),
        ],
        more="      - {name: days, source_path: 's3a://raw/kafka/storefront.public.orders/', format: avro, "
        "schema: [{name: at, type: timestamp, source: after.created_at}], partitions: ['day(at)', 'truncate(1, __op)']}\n",
    )
    lake.haus("build", "--config", file)
    row = next(r for r in lake.rows("orders") if r["id"] == 25)
    at = datetime.datetime(2025, 1, 2, 1)
    assert row["local"] == at and row["at"] == at.replace(tzinfo=datetime.timezone.utc)
    assert row["day"] == at.date() and row["money"] == 12.5
    assert json.loads(row["whole"])["customer_id"] == 25 % 7
    days = lake.iceberg("days")
    assert len(days.scan(row_filter="at >= '2025-01-02T00:00:00+00:00'").to_arrow()) == 6
    assert [str(f.transform) for f in days.spec().fields] == ["day", "truncate[1]"]


def test_manifests_are_as_java_writes_them(lake):
    raw.put(lake.s3, "orders", 0, orders(0, 48))
    lake.build()
    base = "stage/storefront/orders/metadata/"
    metadata = json.loads(lake.get(base + "v1.metadata.json"))
    snapshot = metadata["snapshots"][0]
    assert snapshot["summary"]["total-records"] == "48"
    assert snapshot["summary"]["added-data-files"] == "2"
    import io

    def avro(uri):
        return fastavro.reader(io.BytesIO(lake.get(uri.removeprefix("s3a://lakehouse/"))))

    listing = avro(snapshot["manifest-list"])
    assert listing.writer_schema["name"] == "manifest_file"
    assert listing.codec == "deflate"
    assert listing.metadata["parent-snapshot-id"] == "null"
    manifest_row = next(listing)
    assert manifest_row["added_rows_count"] == 48
    part = manifest_row["partitions"][0]
    assert (part["lower_bound"], part["upper_bound"]) == tuple((20089 + d).to_bytes(4, "little") for d in (0, 1))
    manifest = avro(manifest_row["manifest_path"])
    assert {"schema", "schema-id", "partition-spec", "partition-spec-id", "format-version", "content"} <= set(
        manifest.metadata
    )
    assert json.loads(manifest.metadata["schema"])["fields"][0]["name"] == "id"
    entry = next(manifest)
    file = entry["data_file"]
    assert entry["status"] == 1 and entry["sequence_number"] is None
    assert manifest.writer_schema["name"] == "manifest_entry"
    lower = {b["key"]: b["value"] for b in file["lower_bounds"]}
    assert lower[1] in ((0).to_bytes(8, "little"), (24).to_bytes(8, "little"))
    assert lower[4] == (1250).to_bytes(2, "big")
    assert file["partition"]["event_date"] in (datetime.date(2025, 1, 1), datetime.date(2025, 1, 2))


def test_globs_and_scans_of_others(lake):
    raw.put(lake.s3, "orders", 0, orders(0, 100))
    lake.build()
    storage = {
        "aws_access_key_id": "minio",
        "aws_secret_access_key": "minio123",
        "endpoint_url": lake.house.url("store"),
        "aws_region": "us-east-1",
        "aws_allow_http": "true",
    }
    frame = polars.scan_parquet("s3://lakehouse/stage/storefront/orders/**/*.parquet", storage_options=storage)
    assert frame.select(polars.len()).collect().item() == 100
    assert frame.collect_schema()["event_date"] == polars.Date
    tables = json.loads(lake.haus("table", "list", "-o", "json").stdout)
    assert [(t["table"], str(t["rows"])) for t in tables] == [("stage.storefront.orders", "100")]
    described = json.loads(lake.haus("table", "describe", "orders", "-o", "json").stdout)
    assert described["records"] == 100
    out = json.loads(lake.haus("sql", "-o", "json", "select max(id) m from stage.storefront.orders").stdout)
    assert str(out[0]["m"]) == "99"
    paths = [f"{lake.house.home}/{k.replace('/', '_')}" for k in lake.keys("stage/storefront/orders/data/")]
    for path, k in zip(paths, lake.keys("stage/storefront/orders/data/")):
        with open(path, "wb") as f:
            f.write(lake.get(k))
    ids = duckdb.sql(f"select field_id from parquet_schema({paths[:1]}) where name = 'total'").fetchall()
    assert ids == [(4,)]


def test_snapshots_of_others_on_top_do_not_lead_to_repeats(lake):
    """What a foreign engine's append leaves: a newer version whose summary says nothing of ours."""
    raw.put(lake.s3, "orders", 0, orders(0, 20))
    lake.build()
    base = "stage/storefront/orders/metadata/"
    for keep_property in (True, False):
        hint = int(lake.get(base + "version-hint.text"))
        metadata = json.loads(lake.get(f"{base}v{hint}.metadata.json"))
        newest = dict(metadata["snapshots"][-1])
        newest["parent-snapshot-id"] = newest["snapshot-id"]
        newest["snapshot-id"] += 1
        newest["sequence-number"] += 1
        newest["timestamp-ms"] += 1
        newest["summary"] = {"operation": "append", "engine-name": "other"}
        metadata["snapshots"].append(newest)
        metadata["current-snapshot-id"] = metadata["refs"]["main"]["snapshot-id"] = newest["snapshot-id"]
        metadata["last-sequence-number"] += 1
        if not keep_property:
            del metadata["properties"]["haus.offsets"]
        lake.s3.put_object(Bucket="lakehouse", Key=f"{base}v{hint + 1}.metadata.json", Body=json.dumps(metadata))
        if keep_property:  # and a stale hint beside it
            lake.s3.put_object(Bucket="lakehouse", Key=base + "version-hint.text", Body=str(hint + 1))
        assert str(lake.build()["orders"]["rows"]) == "0"
        first = 20 if keep_property else 25
        raw.put(lake.s3, "orders", first, orders(first, 5))
        assert str(lake.build()["orders"]["rows"]) == "5"
    assert sorted(r["id"] for r in lake.rows("orders")) == list(range(30))
    lake.no_orphans("orders")


@pytest.mark.parametrize("after_ms", [20, 60, 120, 200, 300, 450, 700])
def test_killed_builds_leave_no_orphans_and_repeat_nothing(lake, after_ms):
    raw.put(lake.s3, "orders", 0, orders(0, 10))
    lake.build()
    for first in range(10, 2010, 100):
        raw.put(lake.s3, "orders", first, orders(first, 100))
    process = subprocess.Popen([BINARY, "build"], env=lake.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(after_ms / 1000)
    process.send_signal(signal.SIGKILL)
    process.wait()
    lake.wait_for_the_janitor()
    assert lake.orphans("orders") == set()  # a note whose write outlived its builder is the next build's
    lake.build()
    assert sorted(r["id"] for r in lake.rows("orders")) == list(range(2010))
    lake.no_orphans("orders")


def test_two_builds_at_once_wait_for_each_other(lake):
    for first in range(0, 3000, 100):
        raw.put(lake.s3, "orders", first, orders(first, 100))
    both = [subprocess.Popen([BINARY, "build"], env=lake.env, stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [p.wait(60) for p in both] == [0, 0]
    assert sorted(r["id"] for r in lake.rows("orders")) == list(range(3000))
