"""KafkaJS: what js/kafka/habits.js does, a scenario a row."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from house import ROOT, House

PACKAGES = ROOT / "deps" / "js" / "kafka" / "node_modules"
PROGRAM = Path(__file__).parent / "js" / "kafka" / "habits.js"

pytestmark = pytest.mark.skipif(
    not (shutil.which("node") and PACKAGES.exists()), reason="needs node and the packages of tool/test-deps"
)


@pytest.fixture(scope="module")
def address():
    with House("log", env={"KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS": "1000"}) as house:
        yield house.address("log")


def row(scenario, what):
    return pytest.param(scenario, id=scenario, marks=pytest.mark.client("Kafka", "KafkaJS", what))


@pytest.mark.parametrize(
    "scenario",
    [
        row("codecs", "produces (none, gzip) with keys, headers, timestamps and tombstones, and consumes"),
        row("groups", "two members join, leave and resume"),
        row("seeks", "pauses, resumes, seeks, finds offsets by time"),
        row("pattern", "subscribes by a regular expression"),
        row("admin", "admin: topics, partitions, settings, records, groups and their offsets"),
        row("transactions", "a transactional producer is refused at once, in words"),
    ],
)
def test_kafkajs(address, scenario):
    env = {**os.environ, "NODE_PATH": str(PACKAGES), "KAFKAJS_NO_PARTITIONER_WARNING": "1"}
    done = subprocess.run(["node", PROGRAM, address, scenario], env=env, capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr + done.stdout
