"""A row's way, driven from outside: every station by an unmodified client of the system it stands for."""

import io
import json
import os
import signal
import subprocess
import time
from decimal import Decimal

import boto3
import fastavro
import pytest
import requests
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from playground import TABLES, Playground, fast_templates

RECORDS = 300


@pytest.fixture(scope="module")
def play(tmp_path_factory):
    folder = fast_templates(tmp_path_factory.mktemp("play"))
    with Playground(folder=folder) as play:
        play.haus("up")
        play.haus("seed", "--count", str(RECORDS), "--batch-size", "100", "--seed", "11")
        play.haus("connector", "apply")
        play.settle()
        change(play)
        play.settle()
        yield play


def change(play):
    """Updates, deletes, a key change, nulls, and a rolled back transaction."""
    with play.database() as conn:
        conn.execute("UPDATE orders SET status = 'delivered' WHERE id % 7 = 0")
        conn.execute("UPDATE products SET price = price + 0.01, category = NULL WHERE id <= 20")
        conn.execute(
            "UPDATE customers SET id = id + 100000 WHERE id = (SELECT max(id) FROM customers c WHERE NOT EXISTS"
            " (SELECT 1 FROM orders o WHERE o.customer_id = c.id))"
        )
        conn.execute("DELETE FROM payments WHERE id % 5 = 0")
        conn.execute("DELETE FROM order_items WHERE order_id <= 10")
        conn.execute("INSERT INTO customers (full_name, email) VALUES ('Zoë 世界', 'zoe@example.com')")
        with pytest.raises(ZeroDivisionError), conn.transaction():
            conn.execute("DELETE FROM payments")
            raise ZeroDivisionError


def source_rows(play, table):
    with play.database() as conn:
        return {row[0]: row for row in conn.execute(f"SELECT * FROM {table}").fetchall()}


def consume(play, topic):
    consumer = Consumer({"bootstrap.servers": play.address("log"), "group.id": "test", "enable.partition.eof": "true"})
    low, high = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=10)
    consumer.assign([TopicPartition(topic, 0, low)])
    records = []
    while len(records) < high - low:
        message = consumer.poll(10)
        assert message is not None
        if message.error() is None:
            records.append(message)
    consumer.close()
    return records


def events(play, table):
    registry = SchemaRegistryClient({"url": play.url("registry")})
    decode = AvroDeserializer(registry)
    topic = f"storefront.public.{table}"
    return [
        (
            decode(m.key(), SerializationContext(topic, MessageField.KEY)),
            decode(m.value(), SerializationContext(topic, MessageField.VALUE)),
        )
        for m in consume(play, topic)
    ]


def fold(changes):
    rows = {}
    for key, value in changes:
        if value["op"] == "d":
            rows.pop(key["id"], None)
        else:
            rows[key["id"]] = value["after"]
    return rows


def micros(moment):
    return None if moment is None else round(moment.timestamp() * 1e6) if moment.tzinfo else micros_naive(moment)


def micros_naive(moment):
    from datetime import datetime

    delta = moment - datetime(1970, 1, 1)
    return (delta.days * 86400 + delta.seconds) * 1000000 + delta.microseconds


def s3(play):
    return boto3.client(
        "s3",
        endpoint_url=play.url("store"),
        aws_access_key_id="minio",
        aws_secret_access_key="minio123",
        region_name="us-east-1",
    )


# ------------------------------------------------------------------- stations


@pytest.mark.parametrize("table", TABLES)
def test_the_log_folded_by_confluents_client_is_the_source(play, table):
    folded = fold(events(play, table))
    source = source_rows(play, table)
    assert folded.keys() == source.keys()
    if table == "orders":
        for id_, row in source.items():
            event = folded[id_]
            assert (event["customer_id"], event["status"], event["total"]) == (row[1], row[2], row[3])
            assert event["created_at"] == micros(row[4])
    if table == "products":
        for id_, row in source.items():
            assert folded[id_]["price"] == row[3] and isinstance(row[3], Decimal)
            assert folded[id_]["category"] == row[2]
    if table == "customers":
        for id_, row in source.items():
            assert folded[id_]["full_name"] == row[1] and folded[id_]["email"] == row[2]


def test_events_say_where_they_come_from(play):
    changes = events(play, "payments")
    ops = [value["op"] for _, value in changes]
    assert ops.count("d") > 0 and ops.count("r") == RECORDS
    for _, value in changes:
        source = value["source"]
        assert (source["connector"], source["name"], source["db"], source["table"]) == (
            "postgresql",
            "storefront",
            "storefront",
            "payments",
        )
        assert source["version"] == "2.5.4.Final"
    assert changes[0][1]["source"]["snapshot"] in ("true", "first", "first_in_data_collection")
    lsns = [value["source"]["lsn"] for _, value in changes]
    assert lsns == sorted(lsns)


def test_kcat_reads_the_log(play):
    done = subprocess.run(
        ["kcat", "-b", play.address("log"), "-C", "-t", "storefront.public.orders", "-e", "-q", "-f", "%o\n"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    offsets = [int(line) for line in done.stdout.split()]
    assert offsets == list(range(len(offsets))) and len(offsets) > RECORDS


def test_subjects_and_schemas_are_those_of_debezium(play):
    registry = SchemaRegistryClient({"url": play.url("registry")})
    subjects = set(registry.get_subjects())
    for table in TABLES:
        assert {f"storefront.public.{table}-key", f"storefront.public.{table}-value"} <= subjects
    schema = json.loads(registry.get_latest_version("storefront.public.orders-value").schema.schema_str)
    assert (schema["name"], schema["namespace"], schema["connect.name"]) == (
        "Envelope",
        "storefront.public.orders",
        "storefront.public.orders.Envelope",
    )


def test_connects_rest_api_tells_the_state(play):
    assert sorted(requests.get(play.url("connect") + "/connectors", timeout=10).json()) == [
        "postgres-source-storefront",
        "s3-sink-storefront",
    ]
    for name, tasks in (("postgres-source-storefront", 1), ("s3-sink-storefront", 3)):
        status = requests.get(f"{play.url('connect')}/connectors/{name}/status", timeout=10).json()
        assert status["connector"]["state"] == "RUNNING"
        assert [task["state"] for task in status["tasks"]] == ["RUNNING"] * tasks


@pytest.mark.parametrize("table", TABLES)
def test_raw_files_hold_every_event_once_in_order(play, table):
    client, prefix = s3(play), f"kafka/storefront.public.{table}/"
    keys = [
        o["Key"]
        for page in client.get_paginator("list_objects_v2").paginate(Bucket="raw", Prefix=prefix)
        for o in page.get("Contents", [])
    ]
    offset, ops = 0, []
    for key in sorted(keys):
        name = key.rsplit("/", 1)[1]
        assert key == f"{prefix}partition=0/storefront.public.{table}+0+{offset:010d}.avro", name
        body = client.get_object(Bucket="raw", Key=key)["Body"].read()
        rows = list(fastavro.reader(io.BytesIO(body)))
        ops += [row["op"] for row in rows]
        offset += len(rows)
    assert ops == [value["op"] for _, value in events(play, table)]


def test_raw_files_are_public(play):
    answer = requests.get(
        play.url("store") + "/raw/kafka/storefront.public.orders/partition=0/"
        "storefront.public.orders+0+0000000000.avro",
        timeout=10,
    )
    assert answer.status_code == 200 and answer.content.startswith(b"Obj\x01")


# --------------------------------------------------------------------- tables


def s3_options(play):
    return {
        "s3.endpoint": play.url("store"),
        "s3.access-key-id": "minio",
        "s3.secret-access-key": "minio123",
        "s3.region": "us-east-1",
        "py-io-impl": "pyiceberg.io.pyarrow.PyArrowFileIO",
    }


def static_table(play, table):
    from pyiceberg.table import StaticTable

    location = f"stage/storefront/{table}"
    hint = s3(play).get_object(Bucket="lakehouse", Key=f"{location}/metadata/version-hint.text")["Body"].read().decode()
    return StaticTable.from_metadata(
        f"s3://lakehouse/{location}/metadata/v{hint.strip()}.metadata.json", s3_options(play)
    )


@pytest.mark.parametrize("table", TABLES)
def test_pyiceberg_reads_every_event_once(play, table):
    arrow = static_table(play, table).scan().to_arrow()
    expected = events(play, table)
    assert arrow.num_rows == len(expected)
    assert sorted(arrow.column("__op").to_pylist()) == sorted(value["op"] for _, value in expected)
    assert sorted(arrow.column("__offset").to_pylist()) == list(range(len(expected)))
    assert set(arrow.column("event_date_source").to_pylist()) <= {"created_at", "ts_ms"}


def test_pyiceberg_prunes_by_partition_without_losing_rows(play):
    table = static_table(play, "products")
    everything = table.scan().to_arrow()
    days = set(everything.column("event_date").to_pylist())
    assert len(days) > 100
    some = sorted(days)[len(days) // 2]
    pruned = table.scan(row_filter=f"event_date = '{some}'").to_arrow()
    assert pruned.num_rows == everything.column("event_date").to_pylist().count(some)


def test_pyiceberg_filters_by_bounds_without_losing_rows(play):
    table = static_table(play, "orders")
    rows = table.scan().to_arrow().to_pylist()
    for low in (1, 50, RECORDS // 2, RECORDS):
        found = table.scan(row_filter=f"id >= {low}").to_arrow().num_rows
        assert found == sum(1 for row in rows if row["id"] is not None and row["id"] >= low)
    assert table.scan(row_filter="status = 'delivered'").to_arrow().num_rows == sum(
        row["status"] == "delivered" for row in rows
    )


def test_duckdb_and_polars_read_the_data_files(play):
    import duckdb
    import polars

    client = s3(play)
    keys = [
        o["Key"]
        for page in client.get_paginator("list_objects_v2").paginate(
            Bucket="lakehouse", Prefix="stage/storefront/orders/data/"
        )
        for o in page.get("Contents", [])
    ]
    urls = [f"{play.url('store')}/lakehouse/{key}" for key in keys]
    assert urls
    folder = play.base / "parquet"
    folder.mkdir(exist_ok=True)
    for index, key in enumerate(keys):
        client.download_file("lakehouse", key, str(folder / f"{index}.parquet"))
    expected = len(events(play, "orders"))
    assert duckdb.sql(f"SELECT count(*) FROM read_parquet('{folder}/*.parquet')").fetchone()[0] == expected
    frame = polars.scan_parquet(f"{folder}/*.parquet").collect()
    assert frame.height == expected
    assert frame.schema["total"] == polars.Decimal(10, 2)


def test_polars_scans_the_iceberg_table(play):
    import polars

    frame = polars.scan_iceberg(static_table(play, "order_items"), reader_override="pyiceberg").collect()
    assert frame.height == len(events(play, "order_items"))


def test_our_own_sql_gives_the_source_s_answer(play):
    with play.database() as conn:
        expected = conn.execute("SELECT count(*) FROM orders WHERE status = 'delivered'").fetchone()[0]
    text = (
        "SELECT count(*) AS n FROM (SELECT *, row_number() OVER (PARTITION BY id ORDER BY __lsn DESC, __offset DESC) AS k"
        " FROM orders) WHERE k = 1 AND __op <> 'd' AND status = 'delivered'"
    )
    assert play.json("sql", text) == [{"n": expected}]


def test_a_second_build_adds_nothing(play):
    before = play.json("table", "list")
    assert all(row["rows"] == 0 and row["snapshot_id"] is None for row in play.json("build"))
    assert play.json("table", "list") == before


def test_connectors_apply_twice_changes_nothing(play):
    done = play.run("connector", "apply")
    assert done.returncode == 0 and done.stderr.count("unchanged") == 2


# ---------------------------------------------------------------------- death


@pytest.mark.parametrize("service", ["log", "registry", "connect", "store", "postgres", "seeder", "supervisor"])
def test_killed_under_traffic_nothing_is_lost_or_doubled(play, service):
    play.wait_ready()
    play.haus("seed", "start", "--rate", "10", "--updates", "5", "--deletes", "2")
    time.sleep(1)
    before = play.json("status")
    pid = before["supervisor"]["pid"] if service == "supervisor" else play.pid(service)
    os.kill(pid, signal.SIGKILL)
    time.sleep(1)
    if service == "supervisor":
        play.haus("up")
    play.wait_ready()
    time.sleep(1)
    play.haus("seed", "stop")
    rows = play.settle()
    assert all(row["repeated"] == 0 for row in rows.values()), rows


def test_everything_survives_down_and_up(play):
    before = play.json("verify")
    play.haus("down")
    play.haus("up")
    play.wait_for("the connectors", lambda: [c["state"] for c in play.json("connector", "list")] == ["RUNNING"] * 2)
    assert play.json("verify") == before
    with play.database() as conn:
        conn.execute("INSERT INTO products (name, price) VALUES ('after the night', 9.99)")
    assert play.settle()["products"]["source"] == next(r["source"] for r in before if r["table"] == "products") + 1


def test_verify_says_what_waits_for_a_build(play):
    assert all(row["note"] == "" for row in play.settle().values())
    play.haus("seed", "--count", "5")
    play.wait_for("the raw files", play.raw_has_all)
    rows = {row["table"]: row for row in play.json("verify")}
    assert (rows["orders"]["equal"], rows["orders"]["note"]) == (False, "5 events wait for 'haus build'")
    assert all(row["note"] == "" for row in play.settle().values())


def test_verify_reads_a_table_of_thousands_of_small_files_in_little_memory(play):
    """A file for each day of each build: read in order, each of them would take memory of its own."""
    for _ in range(4):
        with play.database() as conn:
            conn.execute(
                "INSERT INTO customers (full_name, email, created_at) SELECT 'n', gen_random_uuid() || '@example.com',"
                " timestamp '2024-01-01' + n * interval '1 day' FROM generate_series(1, 700) n"
            )
        play.settle()
    play.env["HAUS_BUILD_MEMORY_MB"] = "256"
    verify = play.run("verify")
    assert verify.returncode == 0, verify.stderr
