"""Log produce, every batch flushed before it is acknowledged. Limit: flushed writes of a MiB to this disk.

Our log always flushes; Apache Kafka is told to by flush.messages=1. The client is the same program with the same settings.
"""

import client
from disk import flushed_write_rate
from house import House
from measure import Watch
from table import Row, Side, median_side

SIZE = 100  # bytes a message
RATE, RATE_MESSAGES = 10_000, 100_000  # messages a second, and how many
FLUSHED = {"flush.messages": "1"}
PER_ROW, AT_LEAST = 2, 500_000  # messages of the throughput run for each row of the run; fewer measure the scheduler
WARM_UP = 50_000


def run(bench):
    count = max(PER_ROW * bench.rows, AT_LEAST)
    limit = flushed_write_rate() / SIZE
    with House("log") as house:
        ours = [once(house.address("log"), house.processes["log"].pid, count, run) for run in range(bench.runs)]
    theirs = []
    if bench.peers:
        with bench.kafka() as kafka:
            theirs = [once(kafka.bootstrap, kafka.pid, count, run) for run in range(bench.runs)]
    yield Row(
        "log produce",
        "flushed, acks=all, 100 B",
        "msg/s",
        haus=median_side([fast for fast, _ in ours]),
        limit=limit,
        peer=median_side([fast for fast, _ in theirs]) if theirs else None,
        rows=count,
        bytes=count * SIZE,
        goal="5 × peer",
        note="limit: pieces of a MiB, write and fdatasync; peer: Apache Kafka 4.1.0, flush.messages=1; "
        "client of both: bench_client (librdkafka), one partition; CPU and memory of the broker",
    )
    yield Row(
        "log produce",
        "p99 of an acknowledgement at 10,000 msg/s",
        "ms",
        haus=median_side([slow for _, slow in ours]),
        peer=median_side([slow for _, slow in theirs]) if theirs else None,
        rows=RATE_MESSAGES,
        bytes=RATE_MESSAGES * SIZE,
        goal="below peer",
    )


def once(bootstrap, pid, count, run):
    """(throughput, p99 at a steady rate)"""
    topic = f"produce_{run}"
    client.make_topic(bootstrap, topic, **FLUSHED)
    client.produce(bootstrap, topic, WARM_UP, SIZE)
    with Watch([pid]) as watch:
        done = client.produce(bootstrap, topic, count, SIZE)
    fast = Side(done["messages"] / done["seconds"], watch.use.cpu, watch.use.peak)
    client.produce(bootstrap, topic, RATE, SIZE, RATE)
    with Watch([pid]) as watch:
        done = client.produce(bootstrap, topic, RATE_MESSAGES, SIZE, RATE)
    return fast, Side(done["p99_us"] / 1e3, watch.use.cpu, watch.use.peak)
