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
    """Registered when the block begins; its slot is gone when it ends well. After a failure worker and server end anyway."""
    pipeline.worker.create(name, source_config(name, source.port, pipeline.converter, **settings))
    yield
    remove(pipeline, source, name)


def remove(pipeline, source, name):
    pipeline.worker.delete(name)
    source.drop_slot(name)


def initial_load(pipeline, source, rows, run):
    """Rows a second from the request that registers the connector to the last row a consumer can have."""
    name = f"{pipeline.name}_load_{run}"
    topics = Topics(pipeline.bootstrap)
    with Watch(pipeline.pids) as watch:
        began = time.monotonic()
        with connector(pipeline, source, name):
            ends = {topic(name, table): rows for table in TABLES}
            ended = topics.wait_ends(ends, check=lambda: pipeline.worker.status(name)).last
            watch.stop()
    topics.close()
    return Side(len(TABLES) * rows / (ended - began), watch.use.cpu, watch.use.peak)


def begin_stream(pipeline, source, run):
    """A connector with its snapshot behind it; its name."""
    name = f"{pipeline.name}_stream_{run}"
    pipeline.worker.create(name, source_config(name, source.port, pipeline.converter))
    wait_for_all(pipeline, source, name)
    return name


def wait_for_all(pipeline, source, name):
    """Until consumers can have every row that is in the source."""
    topics = Topics(pipeline.bootstrap)
    ends = {topic(name, table): source.count(table) for table in TABLES}
    topics.wait_ends(ends, check=lambda: pipeline.worker.status(name))
    topics.close()


def drain(pipeline, source, name, rows):
    """(the stream's figure, seconds until the first row): rows a second from the first row to the last, after a resume."""
    topics = Topics(pipeline.bootstrap)
    orders = topic(name, "orders")
    there = topics.end(orders)
    with Watch(pipeline.pids) as watch:
        began = time.monotonic()
        pipeline.worker.resume(name)
        seen = topics.wait_ends(
            {orders: there + rows}, since={orders: there}, check=lambda: pipeline.worker.status(name)
        )
        watch.stop()
    topics.close()
    remove(pipeline, source, name)
    # what the first look found came before the time that is measured; if it found all, the resume counts too
    rate = (rows - seen.already) / (seen.last - seen.first) if seen.already < rows else rows / (seen.last - began)
    return Side(rate, watch.use.cpu, watch.use.peak), seen.first - began
