"""A real Connect worker on our log, with the real Debezium on our PostgreSQL; and the hand-over between it and our connect."""

import json
import time

import psycopg
import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource

from house import House
from kafka_real import Worker, needs_java

pytestmark = [pytest.mark.slow, needs_java]
JSON = "org.apache.kafka.connect.json.JsonConverter"


def wait_for(what, ask, timeout=60):
    deadline = time.monotonic() + timeout
    while True:
        answer = ask()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"waited in vain for {what}: {answer!r}"
        time.sleep(0.2)


@pytest.fixture(scope="module")
def house():
    with House("postgres", "log") as house:
        yield house


@pytest.fixture(scope="module")
def db(house):
    with psycopg.connect(
        host="127.0.0.1", port=house.port("postgres"), user="postgres", password="postgres", autocommit=True
    ) as db:
        db.execute("CREATE TABLE things (id int PRIMARY KEY, name text, price numeric(10,2))")
        db.execute("ALTER TABLE things REPLICA IDENTITY FULL")
        db.execute("CREATE PUBLICATION things_publication FOR TABLE things")
        yield db


@pytest.fixture(scope="module")
def worker(house):
    with Worker(house.address("log")) as worker:
        yield worker


def add(db, first, last):
    db.execute(
        "INSERT INTO things SELECT i, 'thing ' || i, i * 1.25 FROM generate_series(%s::int, %s) i", (first, last)
    )


def debezium(house, prefix="real"):
    return {
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "tasks.max": "1",
        "database.hostname": "127.0.0.1",
        "database.port": str(house.port("postgres")),
        "database.user": "postgres",
        "database.password": "postgres",
        "database.dbname": "postgres",
        "topic.prefix": prefix,
        "plugin.name": "pgoutput",
        "slot.name": f"{prefix}_slot",
        "publication.name": "things_publication",
        "publication.autocreate.mode": "disabled",
        "tombstones.on.delete": "false",
        "status.update.interval.ms": "500",
        **{f"{side}.converter": JSON for side in ("key", "value")},
        **{f"{side}.converter.schemas.enable": "false" for side in ("key", "value")},
    }


def records(house, topic):
    """All records of a topic, by partition and offset."""
    consumer = Consumer({"bootstrap.servers": house.address("log"), "group.id": "look", "enable.auto.commit": "false"})
    found = []
    try:
        for number in consumer.list_topics(topic, timeout=10).topics[topic].partitions:
            low, high = consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=10)
            consumer.assign([TopicPartition(topic, number, low)])
            for _ in range(high - low):
                message = consumer.poll(10)
                assert message is not None and message.error() is None
                found.append((message.key(), message.value()))
    finally:
        consumer.close()
    return found


def events(house, prefix="real"):
    """What the connector sent of table things: (operation, id), in order."""
    topic = f"{prefix}.public.things"
    if topic not in AdminClient({"bootstrap.servers": house.address("log")}).list_topics(timeout=10).topics:
        return []
    values = [json.loads(value) for _, value in records(house, topic)]
    return [(value["op"], (value["after"] or value["before"])["id"]) for value in values]


def connector_runs(caller, name):
    return caller.states(name) == ["RUNNING", "RUNNING"]


@pytest.mark.client("Kafka Connect", "Connect worker", "makes its three topics, compacted, and finds them again")
def test_its_topics_are_made_as_it_wants_them(house, worker):
    admin = AdminClient({"bootstrap.servers": house.address("log")})
    topics = admin.list_topics(timeout=10).topics
    counts = {name: len(topics[name].partitions) for name in topics if name.startswith("connect-")}
    assert counts == {"connect-configs": 1, "connect-offsets": 25, "connect-status": 5}
    for name in counts:
        resource = ConfigResource(ConfigResource.Type.TOPIC, name)
        described = admin.describe_configs([resource])[resource].result(10)
        assert described["cleanup.policy"].value == "compact"
    assert worker.call("GET", "/")["kafka_cluster_id"] == admin.list_topics(timeout=10).cluster_id
    assert "PostgresConnector" in json.dumps(worker.call("GET", "/connector-plugins"))


@pytest.mark.client("Kafka Connect", "Connect worker", "FileStreamSource and FileStreamSink, through a topic")
def test_files_travel_through_a_topic(house, worker, tmp_path):
    first, second = tmp_path / "in.txt", tmp_path / "out.txt"
    first.write_text("".join(f"line {i}\n" for i in range(500)))
    text = "org.apache.kafka.connect.storage.StringConverter"
    plain = {"tasks.max": "1", "key.converter": text, "value.converter": text}
    source = "org.apache.kafka.connect.file.FileStreamSourceConnector"
    sink = "org.apache.kafka.connect.file.FileStreamSinkConnector"
    worker.put("reader", {**plain, "connector.class": source, "topic": "lines", "file": str(first)})
    worker.put("writer", {**plain, "connector.class": sink, "topics": "lines", "file": str(second)})
    expected = [f"line {i}" for i in range(500)]
    wait_for("the file", lambda: second.exists() and second.read_text().splitlines() == expected)
    worker.call("PUT", "/connectors/reader/pause")
    wait_for("the pause", lambda: worker.states("reader") == ["PAUSED", "PAUSED"])
    with open(first, "a") as more:
        more.write("after the pause\n")
    worker.call("PUT", "/connectors/reader/resume")
    wait_for("the line", lambda: second.read_text().splitlines() == [*expected, "after the pause"])
    offsets = wait_for("the sink's offsets", lambda: worker.call("GET", "/connectors/writer/offsets")["offsets"])
    assert [row["partition"]["kafka_topic"] for row in offsets] == ["lines"]
    for name in ("reader", "writer"):
        worker.call("DELETE", f"/connectors/{name}")


def streaming_offset_is_stored(worker, name):
    offsets = worker.call("GET", f"/connectors/{name}/offsets")["offsets"]
    return bool(offsets) and "snapshot" not in offsets[0]["offset"]


@pytest.mark.client("Kafka Connect", "Debezium", "snapshot and stream; worker killed and started again goes on")
def test_debezium_goes_on_after_a_kill(house, db, worker):
    add(db, 1, 1000)
    worker.put("things", debezium(house))
    wait_for("the snapshot", lambda: len(events(house)) == 1000)
    add(db, 1001, 1200)
    wait_for("the stream", lambda: len(events(house)) == 1200)
    assert events(house) == [("r", i) for i in range(1, 1001)] + [("c", i) for i in range(1001, 1201)]
    # Debezium reads all tables anew where the stored offset is still one of the snapshot
    wait_for("the offset", lambda: streaming_offset_is_stored(worker, "things"))
    worker.kill()
    add(db, 1201, 1300)
    worker.start()
    wait_for("what came meanwhile", lambda: ("c", 1300) in events(house), timeout=120)
    db.execute("UPDATE things SET price = 0 WHERE id = 7")
    db.execute("DELETE FROM things WHERE id = 8")
    wait_for("the changes", lambda: events(house)[-2:] == [("u", 7), ("d", 8)])
    seen = events(house)
    assert len(set(seen)) == 1302
    assert [e for e in seen if e[0] == "r"] == [("r", i) for i in range(1, 1001)]
    wait_for("the state", lambda: connector_runs(worker, "things"))


def our_settings(house, **topics):
    house.env = {f"CONNECT_{side}_CONVERTER": JSON for side in ("KEY", "VALUE")}
    house.env |= {f"CONNECT_{side}_CONVERTER_SCHEMAS_ENABLE": "false" for side in ("KEY", "VALUE")}
    house.env["CONNECT_OFFSET_FLUSH_INTERVAL_MS"] = "1000"
    house.env |= {f"CONNECT_{name.upper()}": topic for name, topic in topics.items()}


class Ours:
    """Our connect, called as the worker is."""

    def __init__(self, house):
        self.house = house
        self.url = house.url("connect")

    call, put, states, ready = Worker.call, Worker.put, Worker.states, Worker.ready

    def log_text(self):
        return self.house.log_text("connect")


@pytest.mark.client(
    "Kafka Connect", "Debezium", "hands over to our connect and takes over again, nothing lost or repeated"
)
def test_our_connect_and_the_real_worker_take_turns(house, db, worker):
    wait_for("the real one", lambda: connector_runs(worker, "things"))
    at = db.execute("SELECT max(id) FROM things").fetchone()[0]
    wait_for("what is there", lambda: ("c", at) in events(house))
    before = len(events(house))
    our_settings(house)
    ours = Ours(house)
    expected = []
    for turn in range(2):
        worker.end()
        add(db, at + 1, at + 50)
        house.start("connect")
        wait_for("ours to run", lambda: connector_runs(ours, "things"))
        add(db, at + 51, at + 100)
        expected += [("c", i) for i in range(at + 1, at + 101)]
        wait_for("ours", lambda: len(events(house)) >= before + len(expected))
        assert house.stop("connect") == 0
        add(db, at + 101, at + 150)
        worker.start()
        wait_for("the real one to run", lambda: connector_runs(worker, "things"), timeout=120)
        add(db, at + 151, at + 200)
        expected += [("c", i) for i in range(at + 101, at + 201)]
        wait_for("the real one", lambda: ("c", at + 200) in events(house), timeout=120)
        at += 200
        assert events(house)[before:] == expected, f"turn {turn}"


@pytest.mark.client("Kafka Connect", "Debezium", "takes over what our connect began, from topics that ours made")
def test_the_real_worker_takes_over_what_our_connect_began(house, db, worker):
    worker.end()
    topics = {f"{kind}_storage_topic": f"ours-{kind}" for kind in ("config", "offset", "status")}
    our_settings(house, **topics)
    house.start("connect")
    ours = Ours(house)
    wait_for("ours", ours.ready)
    there = sorted(db.execute("SELECT id FROM things").fetchall())
    ours.put("ours", debezium(house, "ours"))
    wait_for("the snapshot", lambda: len(events(house, "ours")) == len(there))
    add(db, 5001, 5050)
    expected = [("r", i) for (i,) in there] + [("c", i) for i in range(5001, 5051)]
    wait_for("the stream", lambda: len(events(house, "ours")) == len(expected))
    assert house.stop("connect") == 0
    add(db, 5051, 5100)
    with Worker(house.address("log"), **topics) as second:
        wait_for("the real one to run", lambda: connector_runs(second, "ours"))
        add(db, 5101, 5150)
        expected += [("c", i) for i in range(5051, 5151)]
        wait_for("the real one", lambda: ("c", 5150) in events(house, "ours"))
        second.end()
    assert sorted(events(house, "ours")) == sorted(expected)
