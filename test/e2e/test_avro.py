"""Container files: fastavro reads what we write, we read what fastavro writes, with every codec."""

import io
import json
import os
import subprocess
from decimal import Decimal
from pathlib import Path

import fastavro
import pytest

BINARY = Path(os.environ.get("HAUS_BIN", Path(__file__).resolve().parents[2] / "build" / "haus"))
TOOL = BINARY.parent / "test" / "avro_tool"
CODECS = ["null", "deflate", "snappy", "zstandard"]

SCHEMA = {
    "type": "record",
    "name": "Value",
    "namespace": "shop.orders",
    "fields": [
        {"name": "id", "type": "int"},
        {"name": "note", "type": ["null", "string"], "default": None},
        {"name": "big", "type": "long"},
        {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2}},
        {"name": "ratio", "type": "double"},
        {"name": "small", "type": "float"},
        {"name": "raw", "type": {"type": "fixed", "name": "Raw", "size": 3}},
        {"name": "state", "type": {"type": "enum", "name": "State", "symbols": ["NEW", "DONE"]}},
        {"name": "tags", "type": {"type": "array", "items": ["null", "string"]}},
        {"name": "counts", "type": {"type": "map", "values": "long"}},
        {"name": "next", "type": ["null", "shop.orders.Value"]},
        {"name": "yes", "type": "boolean"},
    ],
}


def value(i, depth=2):
    return {
        "id": i,
        "note": None if i % 3 == 0 else f"n\u00f6te {i} \u2603",
        "big": (-1) ** i * (1 << (i % 63)),
        "price": Decimal(i * 7 - 500).scaleb(-2),
        "ratio": i / 7,
        "small": 0.5 * i,
        "raw": bytes([i % 256, 0, 255]),
        "state": "DONE" if i % 2 else "NEW",
        "tags": [None if k % 2 else f"t{k}" for k in range(i % 5)],
        "counts": {f"k{k}": k for k in range(i % 4)},
        "next": value(i + 1, depth - 1) if depth and i % 2 else None,
        "yes": i % 2 == 0,
    }


@pytest.fixture(scope="module")
def records():
    return [value(i) for i in range(3000)]


@pytest.mark.parametrize("codec", CODECS)
def test_we_read_and_fastavro_reads_what_we_wrote(tmp_path, records, codec):
    theirs, ours = tmp_path / "theirs.avro", tmp_path / "ours.avro"
    with open(theirs, "wb") as out:
        fastavro.writer(out, SCHEMA, records, codec=codec)
    for our_codec in CODECS:
        subprocess.run([TOOL, "copy", theirs, ours, our_codec], check=True)
        with open(ours, "rb") as file:
            reader = fastavro.reader(file)
            assert reader.codec == our_codec
            assert list(reader) == records


def test_our_json_is_the_encoding_that_fastavro_reads(tmp_path, records):
    theirs = tmp_path / "theirs.avro"
    plain = json.loads(json.dumps(SCHEMA))
    plain["fields"][3]["type"] = "bytes"  # fastavro's JSON decoder does not do decimals
    rows = [{**r, "price": b"\x01\xff", "next": None} for r in records[:200]]
    with open(theirs, "wb") as out:
        fastavro.writer(out, plain, rows)
    text = subprocess.run([TOOL, "cat", theirs], check=True, capture_output=True, text=True).stdout
    assert list(fastavro.json_reader(io.StringIO(text), plain)) == rows


def test_a_cut_file_says_where(tmp_path, records):
    whole = io.BytesIO()
    fastavro.writer(whole, SCHEMA, records, codec="deflate")
    cut = tmp_path / "cut.avro"
    cut.write_bytes(whole.getvalue()[:-20])
    done = subprocess.run([TOOL, "cat", cut], capture_output=True, text=True)
    assert done.returncode == 1
    assert "is cut" in done.stderr and "at byte" in done.stderr
