"""Log produce, every batch flushed before it is acknowledged. Limit: flushed writes of a MiB to this disk.

Our log always flushes; Apache Kafka is told to by flush.messages=1. The client is the same program with the same settings:
librdkafka, and for what the broker itself takes one that sends a batch it made beforehand.
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
        "flushed, acks=all, 100 B, prepared batches",
        "msg/s",
        haus=median_side([side for side, _, _ in ours]),
        limit=limit,
        peer=median_side([side for side, _, _ in theirs]) if theirs else None,
        rows=count,
        bytes=count * SIZE,
        goal="5 × peer",
        note="limit: pieces of a MiB, write and fdatasync; peer: Apache Kafka 4.1.0, flush.messages=1; client of both: "
        "bench_produce, batches of a MB made beforehand, one partition; CPU and memory of the broker",
    )
    yield Row(
        "log produce",
        "the same by librdkafka",
        "msg/s",
        haus=median_side([side for _, side, _ in ours]),
        limit=librdkafka_alone(count),
        peer=median_side([side for _, side, _ in theirs]) if theirs else None,
        rows=count,
        bytes=count * SIZE,
        note="limit: the same client on librdkafka's own mock broker, which keeps nothing; client of both: bench_client",
    )
    yield Row(
        "log produce",
        "p99 of an acknowledgement at 10,000 msg/s",
        "ms",
        haus=median_side([side for _, _, side in ours]),
        peer=median_side([side for _, _, side in theirs]) if theirs else None,
        rows=RATE_MESSAGES,
        bytes=RATE_MESSAGES * SIZE,
        goal="below peer",
    )


def librdkafka_alone(count):
    """Messages a second."""
    done = client.produce("mock", "alone", count, SIZE, test_mock_num_brokers=1)
    return done["messages"] / done["seconds"]


def once(bootstrap, pid, count, run):
    """(what the broker takes, throughput of librdkafka, p99 at a steady rate)"""
    topic = f"produce_{run}"
    client.make_topic(bootstrap, topic, **FLUSHED)
    client.produce(bootstrap, topic, WARM_UP, SIZE)
    client.produce_prepared(bootstrap, topic, AT_LEAST, SIZE)
    sides = []
    for produce in (client.produce_prepared, client.produce):
        with Watch([pid]) as watch:
            done = produce(bootstrap, topic, count, SIZE)
        sides.append(Side(done["messages"] / done["seconds"], watch.use.cpu, watch.use.peak))
    client.produce(bootstrap, topic, RATE, SIZE, RATE)
    with Watch([pid]) as watch:
        done = client.produce(bootstrap, topic, RATE_MESSAGES, SIZE, RATE)
    return *sides, Side(done["p99_us"] / 1e3, watch.use.cpu, watch.use.peak)
