"""Raw files of change events as the S3 sink leaves them, made here so that a test of the lake needs no log.

files = raw_file("orders", partition=0, first=0, events=[event("orders", "c", after={...}, ...), ...])
"""

import io

import fastavro

CREATED = {
    "type": "long",
    "connect.version": 1,
    "connect.default": 0,
    "connect.name": "io.debezium.time.MicroTimestamp",
}
MICROS = {"type": "long", "connect.version": 1, "connect.name": "io.debezium.time.MicroTimestamp"}


def money(precision=10, scale=2):
    return {
        "type": "bytes",
        "scale": scale,
        "precision": precision,
        "connect.version": 1,
        "connect.parameters": {"scale": str(scale), "connect.decimal.precision": str(precision)},
        "connect.name": "org.apache.kafka.connect.data.Decimal",
        "logicalType": "decimal",
    }


def optional(of):
    return ["null", of]


COLUMNS = {
    "customers": [
        ("id", {"type": "int", "connect.default": 0}),
        ("full_name", "string"),
        ("email", "string"),
        ("address", optional("string")),
        ("city", optional("string")),
        ("country", optional("string")),
        ("created_at", [CREATED, "null"]),
    ],
    "order_items": [
        ("id", {"type": "int", "connect.default": 0}),
        ("order_id", "int"),
        ("product_id", "int"),
        ("quantity", "int"),
        ("price_at_purchase", money()),
    ],
    "orders": [
        ("id", {"type": "int", "connect.default": 0}),
        ("customer_id", "int"),
        ("status", "string"),
        ("total", optional(money())),
        ("created_at", [CREATED, "null"]),
    ],
    "payments": [
        ("id", {"type": "int", "connect.default": 0}),
        ("order_id", "int"),
        ("payment_method", "string"),
        ("paid_at", optional(MICROS)),
        ("amount", optional(money())),
        ("status", optional("string")),
    ],
    "products": [
        ("id", {"type": "int", "connect.default": 0}),
        ("name", "string"),
        ("category", optional("string")),
        ("price", money()),
        ("stock_quantity", {"type": "int", "connect.default": 0}),
        ("created_at", [CREATED, "null"]),
    ],
}


def _field(name, kind):
    field = {"name": name, "type": kind}
    if isinstance(kind, list):
        field["default"] = None if kind[0] == "null" else 0
    return field


def envelope(table, columns=None):
    """The Avro schema of a table's change events."""
    space = f"storefront.public.{table}"
    value = {
        "type": "record",
        "name": "Value",
        "namespace": space,
        "fields": [_field(n, t) for n, t in (columns or COLUMNS[table])],
        "connect.name": f"{space}.Value",
    }
    source = {
        "type": "record",
        "name": "Source",
        "namespace": "io.debezium.connector.postgresql",
        "fields": [
            _field(n, t)
            for n, t in [
                ("version", "string"),
                ("connector", "string"),
                ("name", "string"),
                ("ts_ms", "long"),
                ("snapshot", optional("string")),
                ("db", "string"),
                ("sequence", optional("string")),
                ("schema", "string"),
                ("table", "string"),
                ("txId", optional("long")),
                ("lsn", optional("long")),
                ("xmin", optional("long")),
            ]
        ],
        "connect.name": "io.debezium.connector.postgresql.Source",
    }
    block = {
        "type": "record",
        "name": "block",
        "namespace": "event",
        "fields": [
            {"name": "id", "type": "string"},
            {"name": "total_order", "type": "long"},
            {"name": "data_collection_order", "type": "long"},
        ],
    }
    return {
        "type": "record",
        "name": "Envelope",
        "namespace": space,
        "fields": [
            {"name": "before", "type": ["null", value], "default": None},
            {"name": "after", "type": ["null", f"{space}.Value"], "default": None},
            {"name": "source", "type": source},
            {"name": "op", "type": "string"},
            {"name": "ts_ms", "type": ["null", "long"], "default": None},
            {"name": "transaction", "type": ["null", block], "default": None},
        ],
        "connect.version": 1,
        "connect.name": f"{space}.Envelope",
    }


def event(table, op, after=None, before=None, lsn=0, ts_ms=1_735_689_600_000):
    return {
        "before": before,
        "after": after,
        "source": {
            "version": "2.5.4.Final",
            "connector": "postgresql",
            "name": "storefront",
            "ts_ms": ts_ms,
            "snapshot": "false",
            "db": "storefront",
            "sequence": None,
            "schema": "public",
            "table": table,
            "txId": 1,
            "lsn": lsn,
            "xmin": None,
        },
        "op": op,
        "ts_ms": ts_ms,
        "transaction": None,
    }


def encode(table, events, codec="null", columns=None):
    out = io.BytesIO()
    fastavro.writer(out, fastavro.parse_schema(envelope(table, columns)), events, codec=codec, sync_interval=16000)
    return out.getvalue()


def key(table, partition, first):
    topic = f"storefront.public.{table}"
    return f"kafka/{topic}/partition={partition}/{topic}+{partition}+{first:010d}.avro"


def put(s3, table, first, events, partition=0, codec="null", columns=None):
    """Uploads one raw file; answers the offset after it."""
    s3.put_object(Bucket="raw", Key=key(table, partition, first), Body=encode(table, events, codec, columns))
    return first + len(events)
