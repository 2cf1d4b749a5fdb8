"""Stage: raw Avro files to an Iceberg table by day. Limit: DuckDB making the same columns from Parquet to Parquet.

Spark's job reads the same raw files from the local disk and writes there, which spares it all of S3; its start and its
session are not counted.
"""

import json
import os
import tempfile
from pathlib import Path

import raw
from child import run_measured
from stage_limit import parquet_to_parquet
from table import Row, Side, median_side

LAYOUTS = (1000, 20)  # files
CONFIG = """\
version: 1
sources:
  - namespace: stage.bench
    tables:
      - name: {table}
        source_path: s3a://raw/{folder}/{topic}/
        format: avro
        filter_op: [c, u, r]
        schema:
          - {{ name: order_id, type: bigint, source: after.id }}
          - {{ name: customer_id, type: bigint, source: after.customer_id }}
          - {{ name: status, type: string, source: after.status }}
          - {{ name: total, type: double, source: after.total }}
          - {{ name: created_at, type: bigint, source: after.created_at }}
        key: [order_id]
        partitions: [event_date]
        table_properties:
          format-version: '2'
          write.parquet.compression-codec: snappy
"""


def run(bench):
    rows = bench.rows
    with tempfile.TemporaryDirectory(prefix="haus-bench-") as scratch, bench.stand() as stand:
        scratch = Path(scratch)
        limit = rows / parquet_to_parquet(rows, scratch)
        with raw.orders_topic(stand, rows) as topic:
            for files in LAYOUTS:
                raw.write(stand, topic, f"files{files}", rows // files, written(rows, files))
        ours, theirs = {}, {}
        for files in LAYOUTS:
            names = [f"orders_{files}_{number}" for number in range(bench.runs)]
            ours[files] = [build(stand, topic, files, rows, name, scratch) for name in names]
        if bench.peers:
            theirs = spark_builds(bench, stand, topic, scratch)
        for files in LAYOUTS:
            folder = f"files{files}"
            yield Row(
                "stage",
                f"{files:,} files to Iceberg",
                "events/s",
                haus=median_side(ours[files]),
                limit=limit,
                peer=median_side(theirs[files]) if theirs else None,
                rows=written(rows, files),
                bytes=sum(size for _, size in raw.objects(stand, folder + "/")),
                goal="10 × peer",
                note="limit: DuckDB, the same columns from one Parquet file to Parquet by day; peer: Spark 3.5.6 and Iceberg 1.9.2, "
                "a master and a worker, the job alone, raw files and tables on the local disk; haus: the whole command, all "
                "by S3, its CPU and memory without the store's"
                if files == LAYOUTS[0]
                else "",
            )


def written(rows, files):
    """Those that full files hold."""
    return rows // files * files


def spark_builds(bench, stand, topic, scratch):
    """Each layout's runs, on one master and worker."""
    for files in LAYOUTS:
        local = scratch / f"files{files}"
        local.mkdir()
        raw.download(stand, f"files{files}/{topic}/", local)
    sides = {}
    with bench.spark() as spark:
        for files in LAYOUTS:
            count = written(bench.rows, files)
            source = scratch / f"files{files}"
            sides[files] = [spark.stage(source, f"orders_{files}_{number}", count) for number in range(bench.runs)]
    return sides


def build(stand, topic, files, rows, table, scratch):
    count = written(rows, files)
    config = scratch / f"{table}.yaml"
    config.write_text(CONFIG.format(table=table, folder=f"files{files}", topic=topic))
    out, use = run_measured([stand.program, "build", "--config", config, "-o", "json"], env=stand.env)
    built = json.loads(out)[0]["rows"]
    if built != count:
        raise SystemExit(f"bench: stage table '{table}' got {built} rows of {count}")
    os.unlink(config)
    return Side(count / use.seconds, use.cpu, use.peak)
