"""Commit to consumable: single inserts, 50 ms apart, seen by a polling consumer. Limit: one flush of this disk."""

import time

from consumer import Arrivals
from disk import flush_milliseconds
from replication import connector, topic, wait_for_all
from table import Row, Side
from topics import Topics

INSERTS, APART_S, SETTLE_S = 200, 0.05, 2.0
WARM_UP = 20
INSERT = "insert into orders (customer_id, status, total) values (1, 'pending', 1.00)"
TUNED = {"poll.interval.ms": "10"}


def run(bench):
    with bench.stand() as stand:
        stand.source.fill(1)
        flush = flush_milliseconds()
        ours = [once(stand.pipeline, stand.source, run, {}) for run in range(bench.runs)]
        theirs = []
        if bench.peers:
            with bench.debezium() as pipeline:
                theirs = [once(pipeline, stand.source, run, TUNED) for run in range(bench.runs)]
    for index, (name, goal) in enumerate((("p50", "≤ 3"), ("p99", "≤ 10"))):
        yield Row(
            "commit → consumable",
            name,
            "ms",
            haus=middle(ours, index),
            limit=flush if index == 0 else None,
            peer=middle(theirs, index) if theirs else None,
            rows=INSERTS,
            goal=goal,
            note="limit: one append of 4 KiB with fdatasync; "
            f"peer: {bench.debezium_words}, poll.interval.ms=10; from the insert's answer to the poll that gives the row"
            if index == 0
            else "",
        )


def middle(runs, index):
    values = tuple(run[index] for run in runs)
    return Side(sorted(values)[(len(values) - 1) // 2], runs=values)


def once(pipeline, source, run, settings):
    """(p50, p99) in milliseconds."""
    name = f"{pipeline.name}_latency_{run}"
    topics = Topics(pipeline.bootstrap)
    with connector(pipeline, source, name, **settings):
        wait_for_all(pipeline, source, name)
        for _ in range(WARM_UP):  # not before these are through has the stream begun
            source.sql(INSERT)
        wait_for_all(pipeline, source, name)
        time.sleep(SETTLE_S)
        with Arrivals(pipeline.bootstrap, topic(name, "orders"), topics.end(topic(name, "orders"))) as arrivals:
            committed = []
            for _ in range(INSERTS):
                began = time.monotonic()
                source.sql(INSERT)
                committed.append(time.monotonic())
                time.sleep(max(0.0, APART_S - (time.monotonic() - began)))
            seen = arrivals.moments(INSERTS)
    topics.close()
    delays = sorted((there - then) * 1e3 for there, then in zip(seen, committed))
    return delays[INSERTS // 2], delays[INSERTS * 99 // 100 - 1]
