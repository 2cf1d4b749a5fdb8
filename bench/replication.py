"""One connector measured: the same steps for our connect on our log and for Debezium on Apache's."""

import time
from contextlib import contextmanager
from dataclasses import dataclass

from connectors import TABLES, Worker, source_config
from measure import Watch
from table import Side
from topics import Topics


@dataclass
class Pipeline:
    """A Connect worker, its broker, and the processes that both are."""

    worker: Worker
    bootstrap: str
    pids: list
    converter: dict
    name: str  # begins the connectors' names


def topic(connector, table):
    return f"{connector}.public.{table}"


@contextmanager
def connector(pipeline, source, name, **settings):
    """Registered when the block begins; its slot is gone when it ends."""
    pipeline.worker.create(name, source_config(name, source.port, pipeline.converter, **settings))
    try:
        yield
    finally:
        pipeline.worker.delete(name)
        source.drop_slot(name)


def initial_load(pipeline, source, rows, run):
    """Rows a second from the request that registers the connector to the last row a consumer can have."""
    name = f"{pipeline.name}_load_{run}"
    topics = Topics(pipeline.bootstrap)
    with Watch(pipeline.pids) as watch:
        began = time.monotonic()
        with connector(pipeline, source, name):
            _, ended = topics.wait_ends({topic(name, table): rows for table in TABLES})
            watch.stop()
    topics.close()
    return Side(len(TABLES) * rows / (ended - began), watch.use.cpu, watch.use.peak)


def prepare_stream(pipeline, source, there, run):
    """A connector with its snapshot behind it, stopped; its name."""
    name = f"{pipeline.name}_stream_{run}"
    topics = Topics(pipeline.bootstrap)
    pipeline.worker.create(name, source_config(name, source.port, pipeline.converter))
    topics.wait_ends({topic(name, table): count for table, count in there.items()})
    topics.close()
    pipeline.worker.wait_state(name, "RUNNING")
    pipeline.worker.stop(name)
    return name


def drain(pipeline, source, name, rows):
    """(the stream's figure, seconds until the first row): rows a second from the first row to the last, after a resume."""
    topics = Topics(pipeline.bootstrap)
    orders = topic(name, "orders")
    wanted = topics.end(orders) + rows
    with Watch(pipeline.pids) as watch:
        began = time.monotonic()
        pipeline.worker.resume(name)
        first, ended = topics.wait_ends({orders: wanted})
        watch.stop()
    topics.close()
    pipeline.worker.delete(name)
    source.drop_slot(name)
    return Side(rows / (ended - first), watch.use.cpu, watch.use.peak), first - began
