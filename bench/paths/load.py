"""Initial load: PostgreSQL's rows to the log, by a snapshot. Limit: COPY in binary of the same rows to /dev/null."""

from connectors import TABLES
from replication import initial_load
from table import Row, median_side


def run(bench):
    rows = bench.rows
    with bench.stand() as stand:
        stand.source.fill(rows)
        limit = median_of(bench.runs, lambda: 2 * rows / stand.source.copy_out(TABLES))
        ours = [initial_load(stand.pipeline, stand.source, rows, run) for run in range(bench.runs)]
        theirs = None
        if bench.peers:
            with bench.debezium() as pipeline:
                theirs = [initial_load(pipeline, stand.source, rows, run) for run in range(bench.runs)]
    yield Row(
        "initial load",
        "snapshot, Avro",
        "rows/s",
        haus=median_side(ours),
        limit=limit,
        peer=theirs and median_side(theirs),
        rows=2 * rows,
        goal="0.2 of limit, 6 × peer",
        note=f"limit: psql, COPY TO STDOUT (FORMAT binary) > /dev/null, table after table; peer: {bench.debezium_words}; "
        "from registering the connector to the last row consumable; CPU and memory of connect and broker together",
    )


def median_of(runs, measure):
    return sorted(measure() for _ in range(runs))[(runs - 1) // 2]
