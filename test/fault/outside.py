"""What a whole house holds, asked from outside with strangers' clients and compared row by row and event by event."""

import io
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import fastavro
import httpx
import psycopg
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryError
from pyarrow import parquet
from pyiceberg.table import StaticTable

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
import test_pipeline as pipeline  # noqa: E402
from house import BINARY, ROOT  # noqa: E402
from playground import TABLES  # noqa: E402

PREFIX = "storefront.public."
COLUMNS = {
    "customers": ("id", "full_name", "email", "address", "city", "country", "created_at"),
    "products": ("id", "name", "category", "price", "stock_quantity", "created_at"),
    "orders": ("id", "customer_id", "status", "total", "created_at"),
    "order_items": ("id", "order_id", "product_id", "quantity", "price_at_purchase"),
    "payments": ("id", "order_id", "payment_method", "paid_at", "amount", "status"),
}


# What clients say while a service is away.
AWAY = (psycopg.OperationalError, httpx.TransportError, SchemaRegistryError, KafkaException)
SINK_GROUP = "connect-s3-sink-storefront"


def has_fault_points():
    return subprocess.run(["grep", "-q", "HAUS_FAULT_ONCE", BINARY], check=False).returncode == 0


def points():
    """Every place in the sources where a test may make the world fail."""
    found = subprocess.run(
        ["grep", "-rhoP", "--include=*.c", r'FAULT_(POINT|WRITE)\("\K[a-z0-9_.]+(?=")', str(ROOT / "src")],
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
    with play.database() as conn:
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


class Ledger:
    """check() for a house that is asked again and again: reads what is new, and that what was seen has not changed."""

    def __init__(self, play):
        self.play = play
        self.logged = {table: [] for table in TABLES}  # the events' values, by offset
        self.rows = {table: {} for table in TABLES}  # folded from them
        self.raw = {table: {} for table in TABLES}  # key -> (etag, first offset, number of events)
        self.stage = {}  # data file -> [(offset, op)]
        self.s3 = pipeline.s3(play)
        self.decode = pipeline.AvroDeserializer(pipeline.SchemaRegistryClient({"url": play.url("registry")}))

    def has_all(self):
        """Reads on, and says whether log and raw files have reached what the source holds; False when one is away."""
        try:
            self._read_log()
            return all(self._is_folded(table) for table in TABLES) and self._is_committed()
        except AWAY:
            return False

    def _is_committed(self):
        """Up to here the sink has put its files and committed them: from now on they are as they are."""
        consumer = Consumer({"bootstrap.servers": self.play.address("log"), "group.id": SINK_GROUP, "log_level": 0})
        places = consumer.committed([TopicPartition(PREFIX + table, 0) for table in TABLES], timeout=10)
        consumer.close()
        return [place.offset for place in places] == [len(self.logged[table]) for table in TABLES]

    def check(self, stage=True):
        """Source, log and raw files (and stage tables) say the same, each event once.  How many events there are."""
        self._read_log()
        for table in TABLES:
            assert self._is_folded(table), table
            self._read_raw(table)
            if stage:
                self._read_stage(table)
        return sum(map(len, self.logged.values()))

    def _is_folded(self, table):
        folded = {key: tuple(row[c] for c in COLUMNS[table]) for key, row in self.rows[table].items()}
        return folded == source_rows(self.play, table)

    def _read_log(self):
        places = [TopicPartition(PREFIX + table, 0, len(self.logged[table])) for table in TABLES]
        for message in consume_from(self.play, places):
            table = message.topic()[len(PREFIX) :]
            key, value = (
                self.decode(text, pipeline.SerializationContext(message.topic(), field))
                for text, field in (
                    (message.key(), pipeline.MessageField.KEY),
                    (message.value(), pipeline.MessageField.VALUE),
                )
            )
            assert message.offset() == len(self.logged[table]), (table, "a gap, or twice")
            self.logged[table].append(value)
            if value["op"] == "d":
                self.rows[table].pop(key["id"], None)
            else:
                self.rows[table][key["id"]] = value["after"]

    def _read_raw(self, table):
        """Files that were seen are as they were; new ones go on where the last ended; each holds what the log holds."""
        client, prefix = self.s3, f"kafka/{PREFIX}{table}/"
        pages = client.get_paginator("list_objects_v2").paginate(Bucket="raw", Prefix=prefix)
        seen, end = self.raw[table], 0
        there = {item["Key"]: item["ETag"] for page in pages for item in page.get("Contents", [])}
        assert seen.keys() <= there.keys(), (table, seen.keys() - there.keys(), "a raw file is gone")
        for key in sorted(there):
            assert key == f"{prefix}partition=0/{PREFIX}{table}+0+{end:010d}.avro", (key, end)
            if key not in seen:
                body = client.get_object(Bucket="raw", Key=key)["Body"].read()
                events = list(fastavro.reader(io.BytesIO(body)))
                logged = self.logged[table][end : end + len(events)]
                assert [said(event) for event in events] == [said(event) for event in logged], key
                seen[key] = (there[key], len(events))
            assert seen[key][0] == there[key], (key, "was written again")
            end += seen[key][1]
        assert end == len(self.logged[table]), (table, end)

    def _read_stage(self, table):
        client = self.s3
        location = f"stage/storefront/{table}/metadata"
        hint = client.get_object(Bucket="lakehouse", Key=f"{location}/version-hint.text")["Body"].read().decode()
        metadata = f"s3://lakehouse/{location}/v{hint.strip()}.metadata.json"
        files = StaticTable.from_metadata(metadata, pipeline.s3_options(self.play)).scan().plan_files()
        live = {task.file.file_path.split("lakehouse/", 1)[1] for task in files}
        for key in live - self.stage.keys():
            body = client.get_object(Bucket="lakehouse", Key=key)["Body"].read()
            columns = parquet.read_table(io.BytesIO(body), columns=["__offset", "__op"]).to_pydict()
            self.stage[key] = list(zip(columns["__offset"], columns["__op"]))
        rows = sorted(row for key in live for row in self.stage[key])
        assert rows == [(offset, value["op"]) for offset, value in enumerate(self.logged[table])], table
        pages = client.get_paginator("list_objects_v2").paginate(
            Bucket="lakehouse", Prefix=f"stage/storefront/{table}/data/"
        )
        there = {item["Key"] for page in pages for item in page.get("Contents", [])}
        assert there == live, (table, there ^ live, "data files that no table names")


def said(event):
    return event["op"], event["after"], event["source"]["lsn"], event["source"]["txId"]


def consume_from(play, places):
    """The messages of some partitions up to their ends."""
    consumer = Consumer(
        {
            "bootstrap.servers": play.address("log"),
            "group.id": "outside",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 10,
            "log_level": 0,
        }
    )
    consumer.assign(places)
    messages, left = [], {(place.topic, place.partition) for place in places}
    while left:
        message = consumer.poll(20)
        assert message is not None, left
        if not message.error():
            messages.append(message)
        elif message.error().code() == KafkaError._PARTITION_EOF:
            left.discard((message.topic(), message.partition()))
    consumer.close()
    return messages


FULL = os.environ.get("FAULT_ALL") == "1"
