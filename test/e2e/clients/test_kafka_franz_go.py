"""franz-go and its kadm: what go/kafka does, a scenario a row."""

import subprocess

import pytest
from house import ROOT, House

PROGRAM = ROOT / "deps" / "go" / "kafka"

pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="needs go, for the program that tool/test-deps builds")


@pytest.fixture(scope="module")
def address():
    with House("log", env={"KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS": "1000"}) as house:
        yield house.address("log")


def row(scenario, what):
    return pytest.param(scenario, id=scenario, marks=pytest.mark.client("Kafka", "franz-go", what))


@pytest.mark.parametrize(
    "scenario",
    [
        row("codecs", "produces in every codec, idempotently, with keys, headers and timestamps; reads committed"),
        row("groups", "two members join, leave and resume; only what must move moves"),
        row("statics", "a static member that comes back keeps its partitions; members are removed by an admin"),
        row("regex", "consumes topics by regex, new ones too"),
        row("big", "sends a message of 8 MB; one above the topic's limit is refused"),
        row("transactions", "a transactional producer is refused at once, in words"),
        row("admin-topics", "kadm: topics, partitions, settings, log dirs, offsets by time, records deleted"),
        row("admin-groups", "kadm: groups, lag, offsets committed and deleted"),
    ],
)
def test_franz_go(address, scenario):
    done = subprocess.run([PROGRAM, address, scenario], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr + done.stdout
