"""kcat, as it is used at a prompt and in scripts."""

import json
import subprocess

import pytest
from house import House
from kafka_habits import create, fresh


@pytest.fixture(scope="module")
def address():
    with House("log") as house:
        yield house.address("log")


def kcat(address, *args, stdin=None, ok=True):
    done = subprocess.run(["kcat", "-b", address, *map(str, args)], input=stdin, capture_output=True, timeout=60)
    assert (done.returncode == 0) == ok, done.stderr.decode()
    return done.stdout.decode()


@pytest.mark.client("Kafka", "kcat", "produces and consumes in every codec, with keys, headers and tombstones")
@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_kcat_writes_and_reads_keys_headers_and_tombstones(address, codec):
    topic = fresh()
    lines = "".join(f"k{i}:v{i}\n" for i in range(500)) + "gone:\n"
    kcat(address, "-P", "-t", topic, "-K:", "-Z", "-z", codec, "-H", "from=kcat", stdin=lines.encode())
    out = kcat(address, "-C", "-t", topic, "-e", "-q", "-J").splitlines()
    rows = [json.loads(line) for line in out]
    assert [row["offset"] for row in rows] == list(range(501))
    assert [row["payload"] for row in rows] == [f"v{i}" for i in range(500)] + [None]
    assert rows[7]["key"] == "k7" and rows[7]["headers"] == ["from", "kcat"]


@pytest.mark.client("Kafka", "kcat", "lists brokers and topics, as text and JSON")
def test_kcat_lists_metadata(address):
    topic = create(address, fresh(), 3)
    assert f'topic "{topic}" with 3 partitions' in kcat(address, "-L")
    listed = json.loads(kcat(address, "-L", "-J", "-t", topic))
    assert listed["brokers"] == [{"id": 1, "name": address}]
    assert len(listed["topics"][0]["partitions"]) == 3


@pytest.mark.client("Kafka", "kcat", "finds offsets by time, reads from offsets, from the end and between times")
def test_kcat_finds_its_way_by_time_and_offset(address):
    topic = create(address, fresh())
    for value in ("a", "b", "c"):
        kcat(address, "-P", "-t", topic, stdin=value.encode())
    times = [int(t) for t in kcat(address, "-C", "-t", topic, "-e", "-q", "-f", "%T\n").split()]
    assert kcat(address, "-Q", "-t", f"{topic}:0:{times[1]}").split() == [topic, "[0]", "offset", "1"]
    assert kcat(address, "-C", "-t", topic, "-p", 0, "-o", 2, "-e", "-q") == "c\n"
    assert kcat(address, "-C", "-t", topic, "-p", 0, "-o", -2, "-e", "-q") == "b\nc\n"
    between = ["-o", f"s@{times[1]}", "-o", f"e@{times[2]}"]
    assert kcat(address, "-C", "-t", topic, "-p", 0, *between, "-e", "-q") == "b\n"


@pytest.mark.client("Kafka", "kcat", "consumes as a group and resumes, read_committed")
def test_kcat_resumes_as_a_group(address):
    topic, group = create(address, fresh(), 2), fresh("g")
    consume = [
        "-X",
        "auto.offset.reset=earliest",
        "-X",
        "isolation.level=read_committed",
        "-q",
        "-e",
        "-G",
        group,
        topic,
    ]
    kcat(address, "-P", "-t", topic, stdin=b"".join(b"%d\n" % i for i in range(100)))
    assert sorted(map(int, kcat(address, *consume).split())) == list(range(100))
    kcat(address, "-P", "-t", topic, stdin=b"".join(b"%d\n" % i for i in range(100, 110)))
    assert sorted(map(int, kcat(address, *consume).split())) == list(range(100, 110))


@pytest.mark.client("Kafka", "kcat", "sends a file of 3 MB as one message, idempotently")
def test_kcat_sends_a_large_file(address, tmp_path):
    topic = create(address, fresh(), 1, max_message_bytes=5000000)
    file = tmp_path / "large"
    file.write_bytes(b"x" * (3 << 20))
    kcat(address, "-P", "-t", topic, "-X", "message.max.bytes=5000000", "-X", "enable.idempotence=true", file)
    assert kcat(address, "-C", "-t", topic, "-e", "-q", "-f", "%S") == str(3 << 20)
