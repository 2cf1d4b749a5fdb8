"""The registry with confluent-kafka's SchemaRegistryClient, and with curl as AKHQ calls it."""

import json
import subprocess
from urllib.parse import quote

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.serialization import MessageField, SerializationContext, StringDeserializer, StringSerializer
from house import House
from kafka_habits import create, fresh

CLIENT = "confluent-kafka"


@pytest.fixture(scope="module")
def house():
    with House("log", "registry") as house:
        yield house


@pytest.fixture
def client(house):
    return SchemaRegistryClient({"url": house.url("registry")})


def record(name, *fields, **more):
    typed = [f if isinstance(f, dict) else {"name": f, "type": "int", "default": 0} for f in fields]
    return Schema(json.dumps({"type": "record", "name": name, "namespace": "shop", "fields": typed, **more}), "AVRO")


def refused(call, *args, **more):
    with pytest.raises(SchemaRegistryError) as error:
        call(*args, **more)
    return error.value.http_status_code, error.value.error_code


@pytest.mark.client("Registry", CLIENT, "AvroSerializer and AvroDeserializer: a schema evolves, keys and logical types")
def test_a_schema_evolves_between_serializer_and_deserializer(house):
    import datetime
    import decimal

    topic = create(house.address("log"), fresh())
    price = {"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2}
    at = {"type": "long", "logicalType": "timestamp-millis"}
    first = record("Order", {"name": "price", "type": price}, {"name": "at", "type": at})
    second = record("Order", {"name": "price", "type": price}, {"name": "at", "type": at}, "units")
    context = SerializationContext(topic, MessageField.VALUE)
    when = datetime.datetime(2024, 5, 6, 7, 8, 9, 123000, tzinfo=datetime.timezone.utc)
    rows = [
        {"price": decimal.Decimal("12.34"), "at": when},
        {"price": decimal.Decimal("-0.01"), "at": when, "units": 3},
    ]
    producer = Producer({"bootstrap.servers": house.address("log"), "compression.type": "zstd"})
    for schema, row in zip((first, second), rows):
        write = AvroSerializer(SchemaRegistryClient({"url": house.url("registry")}), schema)
        producer.produce(topic, key=StringSerializer()("k"), value=write(row, context))
    assert producer.flush(20) == 0
    read = AvroDeserializer(SchemaRegistryClient({"url": house.url("registry")}), second)
    consumer = Consumer(
        {"bootstrap.servers": house.address("log"), "group.id": fresh("g"), "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([topic])
    messages = []
    while len(messages) < 2:
        messages += consumer.consume(2, timeout=10)
    consumer.close()
    assert [read(m.value(), context) for m in messages] == [{**rows[0], "units": 0}, rows[1]]
    assert StringDeserializer()(messages[0].key()) == "k"


@pytest.mark.client("Registry", CLIENT, "use.latest.version, normalize, auto.register off")
def test_a_serializer_takes_what_is_registered(house, client):
    topic = fresh()
    context = SerializationContext(topic, MessageField.VALUE)
    refusing = AvroSerializer(client, record("R", "a"), conf={"auto.register.schemas": False})
    assert refused(refusing, {"a": 1}, context) == (404, 40401)
    number = client.register_schema(f"{topic}-value", record("R", "a", "b"))
    latest = {"auto.register.schemas": False, "use.latest.version": True}
    bytes_ = AvroSerializer(client, record("R", "a"), conf=latest)({"a": 1, "b": 2}, context)
    assert int.from_bytes(bytes_[1:5], "big") == number
    normal = AvroSerializer(client, record("R", "a", "b", doc=None), conf={"normalize.schemas": True})
    assert int.from_bytes(normal({"a": 1, "b": 2}, context)[1:5], "big") == number


@pytest.mark.client("Registry", CLIENT, "register, look up, latest and other versions, ids, subjects")
def test_schemas_are_registered_and_found(client, house):
    subject = fresh("s")
    assert refused(client.get_latest_version, subject) == (404, 40401)
    one = client.register_schema(subject, record("R", "a"))
    two = client.register_schema(subject, record("R", "a", "b"))
    assert client.register_schema(subject, record("R", "a")) == one != two
    fresh_client = SchemaRegistryClient({"url": house.url("registry")})
    assert fresh_client.lookup_schema(subject, record("R", "a", "b")).version == 2
    assert refused(fresh_client.lookup_schema, subject, record("R", "c")) == (404, 40403)
    assert fresh_client.get_version(subject, 1).schema_id == one
    assert fresh_client.get_latest_version(subject).schema_id == two
    assert fresh_client.get_versions(subject) == [1, 2] and subject in fresh_client.get_subjects()
    assert json.loads(fresh_client.get_schema(two).schema_str)["fields"][1]["name"] == "b"
    assert refused(fresh_client.get_version, subject, 9) == (404, 40402)
    assert refused(fresh_client.get_schema, 987654) == (404, 40403)
    assert refused(client.register_schema, subject, Schema('{"type":"recrd"}', "AVRO")) == (422, 42201)


@pytest.mark.client("Registry", CLIENT, "compatibility: levels set, told and tested; what breaks is refused")
def test_compatibility_is_kept(client):
    subject = fresh("s")
    client.register_schema(subject, record("R", "a"))
    no_default = record("R", "a", {"name": "b", "type": "string"})
    assert client.get_compatibility() == "BACKWARD"
    assert client.test_compatibility(subject, record("R", "a", "b"))
    assert not client.test_compatibility(subject, no_default)
    assert refused(client.register_schema, subject, no_default)[0] == 409
    assert refused(client.get_compatibility, subject) == (404, 40408)
    client.set_compatibility(subject, "FORWARD")
    assert client.get_compatibility(subject) == "FORWARD"
    assert client.test_compatibility(subject, no_default)
    assert refused(client.set_compatibility, subject, "SIDEWAYS") == (422, 42203)


@pytest.mark.client("Registry", CLIENT, "soft and hard deletes; a subject comes back with the next version number")
def test_schemas_are_deleted_softly_then_for_good(house, client):
    subject = fresh("s")
    number = client.register_schema(subject, record("R", "a"))
    client.register_schema(subject, record("R", "a", "b"))
    assert client.delete_version(subject, 2) == 2
    assert client.get_versions(subject) == [1]
    assert client.delete_subject(subject) == [1]
    assert refused(client.get_versions, subject) == (404, 40401)
    fresh_client = SchemaRegistryClient({"url": house.url("registry")})
    assert fresh_client.get_schema(number)  # by its id it is there as long as it is not gone for good
    assert client.delete_subject(subject, permanent=True) == [1, 2]
    assert refused(client.delete_subject, subject, permanent=True)[0] == 404


@pytest.mark.client("Registry", CLIENT, "references: a schema of two subjects is read, and what is used is not deleted")
def test_schemas_refer_to_others(house, client):
    base, user, topic = fresh("s"), fresh("s"), fresh()
    client.register_schema(base, record("Address", "zip"))
    reference = SchemaReference("shop.Address", base, 1)
    text = json.dumps(
        {"type": "record", "name": "User", "namespace": "shop", "fields": [{"name": "home", "type": "Address"}]}
    )
    schema = Schema(text, "AVRO", [reference])
    number = client.register_schema(user, schema)
    told = SchemaRegistryClient({"url": house.url("registry")}).get_schema(number)
    assert [(r.name, r.subject, r.version) for r in told.references] == [("shop.Address", base, 1)]
    context = SerializationContext(topic, MessageField.VALUE)
    written = AvroSerializer(client, schema)({"home": {"zip": 12345}}, context)
    assert AvroDeserializer(SchemaRegistryClient({"url": house.url("registry")}))(written, context) == {
        "home": {"zip": 12345}
    }
    assert refused(client.delete_subject, base) == (422, 42206)


def curl(house, method, path, body=None):
    """Status and JSON, with the headers of AKHQ's client."""
    types = "application/vnd.schemaregistry.v1+json"
    command = [
        "curl",
        "-s",
        "-w",
        "\n%{http_code}",
        "-X",
        method,
        "-H",
        f"Accept: {types}, application/vnd.schemaregistry+json, application/json",
    ]
    if body is not None:
        command += ["-H", f"Content-Type: {types}", "-d", json.dumps(body)]
    done = subprocess.run(
        [*command, house.url("registry") + path], capture_output=True, text=True, timeout=30, check=True
    )
    text, status = done.stdout.rsplit("\n", 1)
    return int(status), json.loads(text)


@pytest.mark.client("Registry", "curl", "as AKHQ: subjects, versions, schemas by id, compatibility, config, deletes")
def test_curl_asks_as_akhq_does(house):
    subject = fresh("akhq/") + " value"
    name = quote(subject, safe="")
    one, two = (record("Akhq", *fields).schema_str for fields in (("a",), ("a", "b")))
    assert curl(house, "GET", "/") == (200, {})
    assert curl(house, "GET", f"/subjects/{name}/versions")[0] == 404
    status, made = curl(house, "POST", f"/subjects/{name}/versions?normalize=false", {"schema": one})
    assert status == 200 and set(made) >= {"id"}
    assert curl(house, "POST", f"/compatibility/subjects/{name}/versions/latest", {"schema": two}) == (
        200,
        {"is_compatible": True},
    )
    assert curl(house, "POST", f"/subjects/{name}/versions", {"schema": two})[0] == 200
    assert subject in curl(house, "GET", "/subjects?deleted=false")[1]
    assert curl(house, "GET", f"/subjects/{name}/versions") == (200, [1, 2])
    status, latest = curl(house, "GET", f"/subjects/{name}/versions/latest")
    assert (latest["subject"], latest["version"]) == (subject, 2) and latest["id"] != made["id"]
    assert (
        curl(house, "GET", f"/schemas/ids/{made['id']}")[1]["schema"]
        == curl(house, "GET", f"/subjects/{name}/versions/1")[1]["schema"]
    )
    assert curl(house, "GET", f"/schemas/ids/{made['id']}/versions") == (200, [{"subject": subject, "version": 1}])
    assert curl(house, "POST", f"/subjects/{name}", {"schema": one})[1]["version"] == 1
    assert curl(house, "GET", f"/config/{name}")[1]["error_code"] == 40408
    assert curl(house, "GET", f"/config/{name}?defaultToGlobal=true") == (200, {"compatibilityLevel": "BACKWARD"})
    assert curl(house, "PUT", f"/config/{name}", {"compatibility": "FULL"}) == (200, {"compatibility": "FULL"})
    assert curl(house, "GET", f"/config/{name}")[1] == {"compatibilityLevel": "FULL"}
    assert curl(house, "DELETE", f"/config/{name}")[0] == 200
    assert curl(house, "DELETE", f"/subjects/{name}/versions/1") == (200, 1)
    assert curl(house, "DELETE", f"/subjects/{name}") == (200, [2])
    assert curl(house, "DELETE", f"/subjects/{name}?permanent=true") == (200, [1, 2])
    assert curl(house, "GET", "/subjects/none/versions/latest") == (
        404,
        {"error_code": 40401, "message": "Subject 'none' not found."},
    )
