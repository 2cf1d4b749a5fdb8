"""Nothing running until rows are in a stage table, with the peers: one after the other, as the stack's health checks chain them.

PostgreSQL is ours (the same server on both sides), started and filled first. In the sink's place the same events are copied
as a raw file, which costs nothing.
"""

import tempfile
import time
from pathlib import Path

import raw
from replication import connector, topic
from table import Side
from topics import Topics


def first_row(bench, records):
    with tempfile.TemporaryDirectory(prefix="haus-bench-") as scratch:
        files = Path(scratch) / "raw"
        files.mkdir(mode=0o755)
        make_raw_files(bench, records, files)
        stand = bench.stand(services=["postgres"])
        began = time.monotonic()
        with stand:
            stand.source.fill(records)
            with bench.kafka() as kafka, bench.connect(kafka) as connect:
                topics = Topics(kafka.bootstrap)
                with connector(connect.pipeline, stand.source, "first"):
                    topics.wait_ends({topic("first", "orders"): records}, check=lambda: connect.worker.status("first"))
                    with bench.versitygw(), bench.spark() as spark:
                        spark.submit(files, "orders")
                        seconds = time.monotonic() - began
                topics.close()
    return Side(seconds)


def make_raw_files(bench, records, folder):
    with bench.stand() as stand, raw.orders_topic(stand, records) as name:
        raw.write(stand, name, "first", records, records)
        raw.download(stand, f"first/{name}/", folder)
