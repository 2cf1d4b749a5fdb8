"""Size on disk of what has to be there for all of it to run, PostgreSQL left out on both sides."""

from pathlib import Path

from house import BINARY
from stand import ROOT
from table import Row, Side


def run(bench):
    ours = Path(BINARY).stat().st_size + (ROOT / "deps" / "duckdb" / "libduckdb.so").stat().st_size
    peer = None
    if bench.peers:
        from peers.installed import installed_bytes

        peer = Side(installed_bytes() / 1e6)
    yield Row(
        "size",
        "programs on disk",
        "MB",
        haus=Side(ours / 1e6),
        peer=peer,
        note="haus and libduckdb.so, without Debian's shared libraries; "
        "peer: Kafka, Debezium, converter, Spark, Iceberg, S3 server, Java's runtime",
    )
