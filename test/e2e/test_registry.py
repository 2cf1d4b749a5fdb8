"""The schema registry with the field's own clients: confluent-kafka's, and the calls that tools make."""

import json
import threading
import time

import pytest
import requests
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.serialization import MessageField, SerializationContext
from house import House

ORDER = {
    "type": "record",
    "name": "Order",
    "namespace": "shop",
    "fields": [
        {"name": "id", "type": "int"},
        {"name": "note", "type": ["null", "string"], "default": None},
    ],
}


def record(*names):
    return json.dumps({"type": "record", "name": "R", "fields": [{"name": n, "type": "int"} for n in names]})


@pytest.fixture(scope="module")
def house():
    with House("log", "registry") as house:
        yield house


@pytest.fixture
def client(house):
    return SchemaRegistryClient({"url": house.url("registry")})


def read_schemas(house):
    consumer = Consumer({"bootstrap.servers": house.address("log"), "group.id": "x", "enable.partition.eof": True})
    consumer.assign([TopicPartition("_schemas", 0, 0)])
    rows = []
    while True:
        message = consumer.poll(10)
        assert message is not None
        if message.error():
            break
        rows.append((message.key().decode(), message.value() and message.value().decode()))
    consumer.close()
    return rows


@pytest.mark.client("Registry", "confluent-kafka", "AvroSerializer and AvroDeserializer: a message goes through")
def test_a_message_goes_through_serializer_and_deserializer(house, client):
    topic = "orders"
    context = SerializationContext(topic, MessageField.VALUE)
    serialize = AvroSerializer(client, json.dumps(ORDER))
    producer = Producer({"bootstrap.servers": house.address("log")})
    for i in range(100):
        producer.produce(topic, serialize({"id": i, "note": None if i % 2 else f"n{i}"}, context))
    assert producer.flush(20) == 0

    deserialize = AvroDeserializer(SchemaRegistryClient({"url": house.url("registry")}))
    consumer = Consumer({"bootstrap.servers": house.address("log"), "group.id": "g", "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    seen = []
    while len(seen) < 100:
        message = consumer.poll(20)
        assert message is not None and not message.error()
        seen.append(deserialize(message.value(), context))
    consumer.close()
    assert sorted(v["id"] for v in seen) == list(range(100))
    assert {v["id"]: v["note"] for v in seen}[4] == "n4"


@pytest.mark.client("Registry", "confluent-kafka", "registers, looks up, checks and deletes")
def test_the_client_registers_looks_up_checks_and_deletes(house, client):
    first = Schema(record("a"), "AVRO")
    number = client.register_schema("life", first)
    assert client.register_schema("life", first) == number
    fresh = SchemaRegistryClient({"url": house.url("registry")})  # clients keep what they registered
    assert fresh.get_schema(number).schema_str == '{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}'
    assert client.lookup_schema("life", first).version == 1
    assert client.get_latest_version("life").schema_id == number
    assert client.get_versions("life") == [1]
    assert "life" in client.get_subjects()
    assert not client.test_compatibility("life", Schema(record("a", "b"), "AVRO"))
    with pytest.raises(SchemaRegistryError) as refused:
        client.register_schema("life", Schema(record("a", "b"), "AVRO"))
    assert refused.value.http_status_code == 409
    assert client.set_compatibility("life", "NONE") == {"compatibility": "NONE"}
    assert client.get_compatibility("life") == "NONE"
    assert client.register_schema("life", Schema(record("a", "b"), "AVRO")) == number + 1
    assert client.delete_version("life", 1) == 1
    assert client.delete_subject("life") == [2]
    gone = requests.delete(house.url("registry") + "/subjects/life?permanent=true", timeout=20)
    assert gone.json() == [1, 2]
    with pytest.raises(SchemaRegistryError) as unknown:
        client.get_version("life", 2)
    assert unknown.value.error_code == 40401


def test_the_calls_that_tools_make_are_answered(house, client):
    url = house.url("registry")
    number = client.register_schema("tools/a b", Schema(record("t"), "AVRO"))
    name = "tools%2Fa%20b"
    for path, status in {
        "/": 200,
        "/subjects": 200,
        "/subjects?deleted=true": 200,
        "/schemas": 200,
        "/schemas/types": 200,
        "/mode": 200,
        "/config": 200,
        "/contexts": 200,
        f"/config/{name}?defaultToGlobal=true": 200,
        f"/config/{name}": 404,
        f"/subjects/{name}/versions": 200,
        f"/subjects/{name}/versions/1": 200,
        f"/subjects/{name}/versions/latest": 200,
        f"/schemas/ids/{number}/versions": 200,
        f"/schemas/ids/{number}?fetchMaxId=false&subject={name}": 200,
        "/associations/resources/-/orders?resourceType=topic&associationType=value": 200,
        "/v1/metadata/id": 200,
        "/v1/metadata/version": 200,
        "/metrics": 200,
        "/health": 200,
        "/ready": 200,
        "/nowhere": 404,
    }.items():
        answer = requests.get(url + path, headers={"Accept": "application/json"}, timeout=20)
        assert answer.status_code == status, (path, answer.text)
        if path != "/metrics":
            assert answer.headers["Content-Type"] == "application/json"
            answer.json()
    cluster = requests.get(url + "/v1/metadata/id", timeout=20).json()["scope"]["clusters"]["kafka-cluster"]
    assert cluster


def test_the_topic_is_compacted_and_its_records_are_exact(house, client):
    number = client.register_schema("exact", Schema('{"type":"string"}', "AVRO"))
    rows = read_schemas(house)
    assert (
        '{"keytype":"SCHEMA","subject":"exact","version":1,"magic":1}',
        '{"subject":"exact","version":1,"id":%d,"schema":"\\"string\\"","deleted":false}' % number,
    ) in rows
    topic = ConfigResource(ResourceType.TOPIC, "_schemas")
    admin = AdminClient({"bootstrap.servers": house.address("log")})
    settings = admin.describe_configs([topic])[topic].result(20)
    assert settings["cleanup.policy"].value == "compact"
    assert len(admin.list_topics("_schemas", 20).topics["_schemas"].partitions) == 1


def test_a_topic_that_deletes_is_complained_about():
    with House("log") as house:
        admin = AdminClient({"bootstrap.servers": house.address("log")})
        admin.create_topics([NewTopic("_schemas", 1, 1)])["_schemas"].result(20)
        house.start("registry")
        assert requests.get(house.url("registry") + "/subjects", timeout=20).json() == []
        assert "the topic is not compacted" in house.log_text("registry")


def everything(url):
    paths = ["/subjects?deleted=true", "/schemas?deleted=true", "/config", "/mode", "/contexts"]
    return [requests.get(url + path, timeout=20).json() for path in paths]


@pytest.mark.client("Registry", "confluent-kafka", "schemas, settings and deletions over a kill -9 of the registry")
def test_state_survives_kill(house, client):
    for i in range(5):
        schema = json.dumps({"type": "fixed", "name": f"F{i}", "size": i})
        client.register_schema(f"kill-{i}", Schema(schema, "AVRO"))
    requests.put(house.url("registry") + "/config/kill-1", json={"compatibility": "FULL"}, timeout=20)
    requests.delete(house.url("registry") + "/subjects/kill-2", timeout=20)
    before = everything(house.url("registry"))
    house.restart("registry")
    assert everything(house.url("registry")) == before
    house.kill("registry")
    house.restart("log")
    house.start("registry")
    assert everything(house.url("registry")) == before


def test_what_was_acknowledged_is_there_after_kill_under_load(house):
    acknowledged, stop = {}, threading.Event()
    url = house.url("registry")

    def register():
        i = 0
        while not stop.is_set():
            i += 1
            body = {"schema": json.dumps({"type": "fixed", "name": f"L{i}", "size": i})}
            try:
                answer = requests.post(f"{url}/subjects/load-{i}/versions", json=body, timeout=20)
            except requests.RequestException:
                continue
            if answer.status_code == 200:
                acknowledged[f"load-{i}"] = answer.json()["id"]

    def await_more():
        wanted, deadline = len(acknowledged) + 6, time.monotonic() + 60
        while len(acknowledged) < wanted:
            assert time.monotonic() < deadline, len(acknowledged)
            time.sleep(0.02)

    thread = threading.Thread(target=register)
    thread.start()
    try:
        for _ in range(3):
            await_more()
            house.restart("registry")
        await_more()
    finally:
        stop.set()
        thread.join()
    for subject, number in acknowledged.items():
        assert requests.get(f"{url}/subjects/{subject}/versions/1", timeout=20).json()["id"] == number
    assert len(set(acknowledged.values())) == len(acknowledged)


def test_reads_go_on_and_writes_come_back_when_the_log_was_away(house, client):
    url = house.url("registry")
    client.register_schema("away", Schema('"string"', "AVRO"))
    house.kill("log")
    assert requests.get(url + "/subjects/away/versions", timeout=20).json() == [1]
    refused = requests.post(url + "/subjects/away2/versions", json={"schema": '"string"'}, timeout=30)
    assert refused.status_code == 500
    assert refused.json()["error_code"] in (50001, 50002, 50003)
    house.start("log")
    deadline = time.monotonic() + 15
    while True:
        answer = requests.post(url + "/subjects/away2/versions", json={"schema": '"string"'}, timeout=30)
        if answer.status_code == 200:
            break
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.1)
    assert requests.get(url + "/subjects/away2/versions", timeout=20).json() == [1]
