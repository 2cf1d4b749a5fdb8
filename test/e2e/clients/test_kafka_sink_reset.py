"""The compose stack's lesson on offsets: the sink is taken away, its group's offsets are set back with Kafka's own tool, the
sink comes back and writes everything again, and the stage tables gain nothing twice."""

import io

import boto3
import fastavro
import pytest
import requests
from kafka_java import V39, V41, Tools, needs_java
from playground import TABLES, Playground, fast_templates

pytestmark = [pytest.mark.slow, needs_java]

SINK, GROUP = "s3-sink-storefront", "connect-s3-sink-storefront"
COMMAND = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"


def raw(play):
    """({key: time written}, {(topic, partition, offset): event}) of the raw files.  Where a file ends is the clock's."""
    key = {"aws_access_key_id": "minio", "aws_secret_access_key": "minio123", "region_name": "us-east-1"}
    s3 = boto3.client("s3", endpoint_url=play.url("store"), **key)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="raw")
    times = {o["Key"]: o["LastModified"] for page in pages for o in page.get("Contents", [])}
    events = {}
    for name in times:
        topic, partition, first = name.rsplit("/", 1)[1].removesuffix(".avro").rsplit("+", 2)
        body = s3.get_object(Bucket="raw", Key=name)["Body"].read()
        for i, event in enumerate(fastavro.reader(io.BytesIO(body))):
            place = (topic, partition, int(first) + i)
            assert events.setdefault(place, event) == event, place
    return times, events


@pytest.fixture(scope="module")
def play(tmp_path_factory):
    with Playground(folder=fast_templates(tmp_path_factory.mktemp("reset"))) as play:
        play.haus("up")
        play.haus("seed", "--count", "300")
        play.haus("connector", "apply")
        play.settle()
        yield play


def call(play, method, path, body=None):
    answer = requests.request(method, play.url("connect") + path, json=body, timeout=60)
    assert answer.ok, answer.text
    return answer


def lag(groups):
    told = groups("--describe", "--group", GROUP)
    rows = [line.split() for line in told.splitlines() if line.startswith(GROUP)]
    assert rows, told
    return sum(int(row[5]) for row in rows), sum(int(row[4]) for row in rows)


@pytest.mark.parametrize("version, way", [(V41, "deleted"), (V39, "stopped")], ids=["4.1-deleted", "3.9-stopped"])
@pytest.mark.client(
    "Kafka", "Kafka's tools", "reset-offsets on the S3 sink's group: all is written again, stage gains nothing"
)
def test_the_sink_writes_everything_again_and_stage_gains_nothing(request, play, version, way):
    for property in request.node.user_properties:
        property[1][1:3] = [f"Kafka's tools {version.rsplit('.', 1)[0]}", version]
    (before, events), tables = raw(play), play.json("table", "list")
    config = call(play, "GET", f"/connectors/{SINK}/config").json()
    with Tools(version) as tools:

        def groups(*args):
            return tools(COMMAND, "--bootstrap-server", play.address("log"), "--timeout", 30000, *args)

        behind, everything = lag(groups)
        assert behind == 0 and everything > 900
        if way == "deleted":
            call(play, "DELETE", f"/connectors/{SINK}")
        else:
            call(play, "PUT", f"/connectors/{SINK}/stop")
        play.wait_for("the group to be empty", lambda: "Empty" in groups("--describe", "--group", GROUP, "--state"))
        groups("--group", GROUP, "--reset-offsets", "--to-earliest", "--all-topics", "--execute")
        assert lag(groups) == (everything, everything)
        if way == "deleted":
            call(play, "POST", "/connectors", {"name": SINK, "config": config})
        else:
            call(play, "PUT", f"/connectors/{SINK}/resume")
        play.wait_for("everything to be written again", lambda: lag(groups)[0] == 0)
    again, events_again = raw(play)
    assert len(events) > 900 and events_again == events
    firsts = [key for key in before if key.endswith("+0000000000.avro")]
    assert len(firsts) == len(TABLES) and all(again[key] > before[key] for key in firsts)
    assert all(row["rows"] == 0 for row in play.json("build"))
    assert play.json("table", "list") == tables
    assert all(row["equal"] and row["repeated"] == 0 for row in play.json("verify"))
