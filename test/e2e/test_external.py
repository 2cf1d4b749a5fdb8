"""A real system in a station's place (HAUS_EXTERNAL): the rest of the house works on it and proves all stations equal."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest
from confluent_kafka.admin import AdminClient, ConfigResource

from house import free_offset
from kafka_real import Broker, needs_java
from playground import Playground, fast_templates


def wait_for_port(port, process, timeout=60):
    deadline = time.monotonic() + timeout
    while True:
        assert process.poll() is None and time.monotonic() < deadline
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)


def proves_equal(play):
    play.haus("up")
    play.haus("seed", "--count", "100")
    play.haus("connector", "apply")
    rows = play.settle()
    assert rows["orders"]["source"] == rows["orders"]["stage"] == 100
    assert all(row["rows"] == 0 for row in play.json("build"))
    return play.status()


def test_missing_and_dead_addresses_are_told_before_anything_starts():
    with Playground({"HAUS_EXTERNAL": "store", "MINIO_ENDPOINT": ""}) as play:
        done = play.run("up")
        assert (
            done.returncode == 1 and "'MINIO_ENDPOINT' does not say where; e.g. MINIO_ENDPOINT=http://" in done.stderr
        )
    with Playground(
        {"HAUS_EXTERNAL": "store,log", "MINIO_ENDPOINT": "http://127.0.0.1:9", "BOOTSTRAP_SERVER": "h.invalid:1"}
    ) as play:
        done = play.run("up")
        assert done.returncode == 1
        assert "the external store '127.0.0.1:9' does not answer: Connection refused" in done.stderr
        assert (
            "correct MINIO_ENDPOINT" in done.stderr and "the external log 'h.invalid:1' does not answer" in done.stderr
        )
        assert play.json("status")["supervisor"]["pid"] is None
        checks = {row["check"]: row for row in play.json("doctor")}
        assert checks["external store"]["result"] == checks["external log"]["result"] == "ill"
        assert "Connection refused" in checks["external store"]["words"]
    with Playground({"HAUS_EXTERNAL": "seeder"}) as play:
        done = play.run("up")
        assert done.returncode == 1 and "'seeder' cannot be external" in done.stderr


@pytest.mark.client("S3", "moto", "in our store's place: the sink writes, the build reads and commits, verify proves all equal")
def test_another_object_store(tmp_path):
    pytest.importorskip("moto.server")
    port = 9000 + free_offset()
    with open(tmp_path / "moto.log", "wb") as log:
        moto = subprocess.Popen([sys.executable, "-m", "moto.server", "-p", str(port)], stdout=log, stderr=log)
    env = {"HAUS_EXTERNAL": "store", "MINIO_ENDPOINT": f"http://127.0.0.1:{port}"}
    try:
        wait_for_port(port, moto)
        with Playground(env, fast_templates(tmp_path)) as play:
            assert proves_equal(play)["store"]["pid"] is None
            assert {row["result"] for row in play.json("doctor")} == {"ok"}
    finally:
        moto.kill()
        moto.wait()


@pytest.mark.slow
@needs_java
@pytest.mark.client(
    "Kafka Connect", "Apache Kafka", "our connect, registry and sinks work on it; killed, connect goes on"
)
def test_apache_kafka_for_the_log(tmp_path):
    with Broker(num_partitions=3) as kafka:
        env = {"HAUS_EXTERNAL": "log", "BOOTSTRAP_SERVER": kafka.address}
        with Playground(env, fast_templates(tmp_path)) as play:
            assert proves_equal(play)["log"]["pid"] is None
            assert {row["result"] for row in play.json("doctor")} == {"ok"}
            topics_are_connects(AdminClient({"bootstrap.servers": kafka.address}))
            for killed in range(1, 3):
                os.kill(play.pid("connect"), signal.SIGKILL)
                play.haus("seed", "--count", "100")
                play.wait_ready("connect")
                assert play.settle()["orders"]["stage"] == 100 + 100 * killed


def topics_are_connects(admin):
    topics = admin.list_topics(timeout=10).topics
    counts = {name: len(topics[name].partitions) for name in topics if name.startswith("connect-")}
    assert counts == {"connect-configs": 1, "connect-offsets": 25, "connect-status": 5}
    for name in counts:
        resource = ConfigResource(ConfigResource.Type.TOPIC, name)
        assert admin.describe_configs([resource])[resource].result(10)["cleanup.policy"].value == "compact"
