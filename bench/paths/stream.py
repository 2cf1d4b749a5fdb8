"""Change stream: a backlog of transactions to the log. Limit: pg_recvlogical with the connector's options, same WAL.

Each system's connector has its snapshot behind it and is stopped before the backlog is written. Both start from the same
place in the same WAL.
"""

from replication import begin_stream, drain, wait_for_all
from table import Row, Side, median_side

SNAPSHOT_PART = 10  # the snapshot before is a tenth of the rows: enough to warm a JVM


def run(bench):
    rows, before = bench.rows, max(bench.rows // SNAPSHOT_PART, 1000)
    ours, theirs, limits, waits = [], [], [], ([], [])
    with bench.stand() as stand:
        stand.source.fill(before)
        for number in range(bench.runs):
            with bench.debezium_if_wanted() as peer:
                pipelines = [stand.pipeline] + ([peer] if peer else [])
                names = [begin_stream(p, stand.source, number) for p in pipelines]
                stand.source.add_orders(1, before)  # once it is through, a stop is one of the stream
                for pipeline, name in zip(pipelines, names):
                    wait_for_all(pipeline, stand.source, name)
                    pipeline.worker.stop(name)
                stand.source.make_slot("limit")
                stand.source.add_orders(rows, before)
                limits.append(rows / stand.source.drain("limit"))
                stand.source.drop_slot("limit")
                for pipeline, name, sides, wait in zip(pipelines, names, (ours, theirs), waits):
                    side, seconds = drain(pipeline, stand.source, name, rows)
                    sides.append(side)
                    wait.append(seconds)
    haus, peer = median_side(ours), median_side(theirs) if theirs else None
    first = " / ".join(f"{sorted(w)[len(w) // 2]:.2f} s" for w in waits if w)
    yield Row(
        "change stream",
        "backlog, 1000 rows a transaction",
        "rows/s",
        haus=haus,
        limit=sorted(limits)[(len(limits) - 1) // 2],
        peer=peer,
        rows=rows,
        goal="0.6 of limit, 2 × peer",
        note=f"limit: pg_recvlogical, pgoutput, same options and WAL; peer: {bench.debezium_words}; "
        f"from the first row to the last; the first row came {first} after the resume",
    )
    yield Row(
        "change stream",
        "CPU a row, connect and broker",
        "µs",
        haus=Side(haus.cpu / rows * 1e6),
        peer=peer and Side(peer.cpu / rows * 1e6),
        rows=rows,
        goal="5 × peer",
    )
