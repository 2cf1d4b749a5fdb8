"""connect killed between two steps of the S3 sink, in every place that matters: each record is written once.

Needs a build with the fault points compiled in (-Dfault=true), as `make fault` makes it.
"""

import contextlib
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from house import BINARY, House  # noqa: E402
from test_connect import Stack, wait_for  # noqa: E402


def has_fault_points():
    names = subprocess.run(["grep", "-c", "connect.sink_commit", BINARY], capture_output=True, text=True)
    return names.stdout.strip() not in ("", "0")


pytestmark = pytest.mark.skipif(not has_fault_points(), reason="built without fault points")


@pytest.mark.parametrize("point", ["connect.s3_put", "connect.sink_commit", "connect.backing_write"])
@pytest.mark.parametrize("what", ["crash", "eio"])
@pytest.mark.parametrize("at", [1, 4])
def test_each_record_is_written_once(point, what, at):
    name = "t-" + uuid.uuid4().hex[:8]
    with House("log", "store", "registry") as house:
        stack = Stack(house)
        stack.s3.create_bucket(Bucket="raw")
        house.start("connect")
        stack.wait_ready()
        config = stack.sink(name, **{"rotate.schedule.interval.ms": "1000"})
        assert stack.call("PUT", f"/connectors/{name}/config", config).status_code == 201
        wait_for(lambda: stack.states(name) == ["RUNNING"])
        house.stop("connect")
        house.env = {"HAUS_FAULT": f"{point}:{what}@{at}"}
        process = house.start("connect")
        stack.produce(name, [f"v{i}" for i in range(20)])
        if what == "crash" and point != "connect.backing_write":
            wait_for(lambda: process.poll() is not None)
            house.processes.pop("connect")
            house.env = {}
            house.start("connect")
        wait_for(lambda: len(stack.records(name)) >= 20, 60)
        assert stack.records(name) == [f"v{i}" for i in range(20)]


@contextlib.contextmanager
def failed_sink(name, retry_ms):
    """A sink that has written "first" and failed at the commit of "second"."""
    with House("log", "store", "registry", env={"HAUS_FAULT": "connect.sink_commit:eio@2"}) as house:
        stack = Stack(house)
        stack.s3.create_bucket(Bucket="raw")
        house.start("connect")
        stack.wait_ready()
        config = stack.sink(name, **{"rotate.schedule.interval.ms": "1000", "retry.backoff.ms": retry_ms})
        assert stack.call("PUT", f"/connectors/{name}/config", config).status_code == 201
        stack.produce(name, ["first"])
        wait_for(lambda: stack.records(name) == ["first"])
        stack.produce(name, ["second"])
        wait_for(lambda: "FAILED" in stack.states(name))
        yield house, stack


def test_a_rebalance_in_the_pause_after_a_failure_does_not_stop_the_sink_for_ever():
    """librdkafka keeps a partition paused although it was given back meanwhile."""
    name = "t-" + uuid.uuid4().hex[:8]
    with failed_sink(name, "8000") as (house, stack):
        other = Consumer({"bootstrap.servers": house.address("log"), "group.id": f"connect-{name}", "log_level": 0})
        other.subscribe([name])
        wait_for(
            lambda: other.poll(0.1) or other.assignment() is not None and "given back" in house.log_text("connect")
        )
        other.close()
        stack.produce(name, ["third"])
        wait_for(lambda: stack.records(name) == ["first", "second", "third"], 60)
        wait_for(lambda: stack.states(name) == ["RUNNING"])  # said after the commit, and the object is seen before it


def test_a_sink_whose_failed_work_another_member_has_done_is_running():
    """Nothing is left for it to commit, and without traffic its status would be FAILED for ever."""
    name = "t-" + uuid.uuid4().hex[:8]
    with failed_sink(name, "60000") as (house, stack):
        settings = {"bootstrap.servers": house.address("log"), "group.id": f"connect-{name}", "log_level": 0}
        other = Consumer({**settings, "client.id": "a"})  # the first by name is given the only partition
        other.subscribe([name])
        wait_for(lambda: other.poll(0.1) or other.assignment())
        other.commit(offsets=[TopicPartition(name, 0, 2)], asynchronous=False)
        other.close()
        wait_for(lambda: stack.states(name) == ["RUNNING"])
        stack.produce(name, ["third"])
        wait_for(lambda: stack.records(name) == ["first", "second", "third"], 60)
