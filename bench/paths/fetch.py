"""Log fetch: a topic read from its beginning. Limit: its segment file sent through a loopback socket to a reader that drops it."""

import socket
import threading
import time

import client
from house import House
from measure import Watch
from table import Row, Side, median_side

SIZE = 100  # bytes a message
PER_ROW, AT_LEAST = 5, 1_000_000  # messages; fewer are fetched in the time that a busy machine keeps a process waiting
PIECE = 1 << 20


def run(bench):
    count = max(PER_ROW * bench.rows, AT_LEAST)
    with House("log") as house:
        ours = fetches(house.address("log"), house.processes["log"].pid, count, bench.runs)
        limit = count / loopback_seconds(sorted((house.home / "log" / "fetch-0").glob("*.log")))
    theirs = []
    if bench.peers:
        with bench.kafka() as kafka:
            theirs = fetches(kafka.bootstrap, kafka.pid, count, bench.runs)
    yield Row(
        "log fetch",
        "from the beginning, 100 B",
        "msg/s",
        haus=median_side(ours),
        limit=limit,
        peer=median_side(theirs) if theirs else None,
        rows=count,
        bytes=count * SIZE,
        goal="1 × peer",
        note="limit: the segment files by sendfile through loopback to a reader that drops the bytes; peer: Apache Kafka 4.1.0; "
        "client of both: bench_client (librdkafka), one partition, files in memory; CPU and memory of the broker",
    )


def fetches(bootstrap, pid, count, runs):
    client.make_topic(bootstrap, "fetch")
    client.produce(bootstrap, "fetch", count, SIZE)
    client.fetch(bootstrap, "fetch", count)
    return [once(bootstrap, pid, count) for _ in range(runs)]


def once(bootstrap, pid, count):
    with Watch([pid]) as watch:
        done = client.fetch(bootstrap, "fetch", count)
    return Side(done["messages"] / done["seconds"], watch.use.cpu, watch.use.peak)


def loopback_seconds(files):
    listener = socket.create_server(("127.0.0.1", 0))
    sender = threading.Thread(target=send_all, args=(listener, files))
    sender.start()
    began = time.monotonic()
    with socket.create_connection(listener.getsockname()) as reader:
        while reader.recv(PIECE):
            pass
    sender.join()
    listener.close()
    return time.monotonic() - began


def send_all(listener, files):
    connection, _ = listener.accept()
    with connection:
        for path in files:
            with open(path, "rb") as file:
                connection.sendfile(file)
