"""DuckDB making the stage's columns from Parquet, written by day: what the stage would take were its input no Avro and its
output no Iceberg table. Run as a script, so that its memory is not the harness's."""

import subprocess
import sys
import time

import duckdb

MAKE = """copy (select null::struct(id int) as before,
    {{'id': i::int, 'customer_id': (1 + i * 7919 % {rows})::int,
      'status': ['pending', 'shipped', 'delivered', 'cancelled'][1 + i % 4], 'total': ((i % 100000) / 100)::decimal(10, 2),
      'created_at': 1735689600000000 + i * (30 * 86400000000 // {rows})}} as after,
    'r' as op, 1735689600000 + i as ts_ms from range({rows}) t(i)) to '{folder}/limit.parquet' (format parquet)"""
STAGE = """copy (select after.id::bigint as order_id, after.customer_id::bigint as customer_id, after.status as status,
    after.total::double as total, after.created_at::bigint as created_at, make_timestamp(after.created_at)::date as event_date,
    'created_at' as event_date_source from '{folder}/limit.parquet' where op in ('c', 'u', 'r'))
    to '{folder}/limit' (format parquet, compression snappy, partition_by (event_date), overwrite_or_ignore)"""


def parquet_to_parquet(rows, folder):
    """Seconds, the better of two."""
    out = subprocess.run(
        [sys.executable, __file__, str(rows), str(folder)], check=True, stdout=subprocess.PIPE, text=True
    )
    return float(out.stdout)


def main(rows, folder):
    base = duckdb.connect()
    base.execute(MAKE.format(rows=rows, folder=folder))
    seconds = []
    for _ in range(2):
        began = time.monotonic()
        base.execute(STAGE.format(folder=folder))
        seconds.append(time.monotonic() - began)
    print(min(seconds))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
