"""The log with the world failing at each of its fault points.  Needs a binary built with -Dfault=true in $HAUS_FAULT_BIN."""

import os

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

import house as house_module
from house import House

BINARY = os.environ.get("HAUS_FAULT_BIN")
pytestmark = pytest.mark.skipif(not BINARY, reason="needs HAUS_FAULT_BIN")
COUNT = 200

FAULTS = [
    "log.append:enospc@20",
    "log.append:eio@5",
    "log.append:crash@20",
    "log.flush:eio@20",
    "log.flush:crash@20",
    "log.ack:eio@20",
    "log.ack:crash@20",
    "log.save_topics:crash@1",
    "disk.pwrite:enospc@30",
    "disk.flush:eio@12",
    "disk.rename:crash@2",
    "disk.flush_dir:crash@7",
]


def produce_through(house, fault):
    """One record at a time; a dead log is started again, without the fault."""
    acked = []
    producer = Producer(
        {
            "bootstrap.servers": house.address("log"),
            "linger.ms": 0,
            "enable.idempotence": True,
            "message.timeout.ms": 30000,
            "retry.backoff.ms": 20,
            "reconnect.backoff.max.ms": 200,
            "topic.metadata.refresh.fast.interval.ms": 50,
        }
    )
    for i in range(COUNT):
        producer.produce("f", value=str(i), partition=0, on_delivery=lambda e, m: acked.append(e is None))
        producer.flush(0.3)
        if house.processes["log"].poll() is not None:
            house.processes.pop("log")
            house.env = {}
            house.start("log")
    assert producer.flush(30) == 0
    assert acked == [True] * COUNT


@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_acknowledged_is_lost_and_nothing_comes_twice(fault, monkeypatch):
    monkeypatch.setattr(house_module, "BINARY", BINARY)
    with House("log", env={"HAUS_FAULT": fault}) as house:
        produce_through(house, fault)
        consumer = Consumer({"bootstrap.servers": house.address("log"), "group.id": "x", "enable.partition.eof": True})
        consumer.assign([TopicPartition("f", 0, 0)])
        values = []
        while (message := consumer.poll(10)) is not None and not message.error():
            values.append(int(message.value()))
        consumer.close()
        assert values == list(range(COUNT))
