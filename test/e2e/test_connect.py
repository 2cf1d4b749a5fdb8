"""Kafka Connect's REST API, its topics and the S3 sink, with curl's habits, confluent-kafka, boto3 and fastavro."""

import http.client
import http.server
import io
import json
import threading
import time
import uuid

import boto3
import fastavro
import pytest
import requests
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from house import House

STRINGS = "org.apache.kafka.connect.storage.StringConverter"


def wait_for(check, seconds=30):
    deadline = time.monotonic() + seconds
    while True:
        result = check()
        if result:
            return result
        assert time.monotonic() < deadline, f"not within {seconds} s: {result!r}"
        time.sleep(0.1)


class Stack:
    """log, store, registry and connect, and the few calls the tests make"""

    def __init__(self, house):
        self.house = house
        self.url = house.url("connect")
        self.s3 = boto3.client(
            "s3",
            endpoint_url=house.url("store"),
            aws_access_key_id="minio",
            aws_secret_access_key="minio123",
            region_name="us-east-1",
        )

    def call(self, method, path, body=None):
        return requests.request(method, self.url + path, json=body, timeout=30)

    def wait_ready(self):
        wait_for(lambda: self.call("GET", "/health").status_code == 200)

    def states(self, name):
        status = self.call("GET", f"/connectors/{name}/status").json()
        return [task["state"] for task in status.get("tasks", [])]

    def produce(self, topic, values, partition=0):
        producer = Producer({"bootstrap.servers": self.house.address("log")})
        for value in values:
            producer.produce(topic, value=value, key=b"k", partition=partition)
        assert producer.flush(20) == 0

    def set_offset(self, name, offset):
        """As kafka-consumer-groups does it: where the sink of that name, deleted or stopped, begins in its topic."""
        admin = AdminClient({"bootstrap.servers": self.house.address("log")})
        group = ConsumerGroupTopicPartitions(f"connect-{name}", [TopicPartition(name, 0, offset)])
        admin.alter_consumer_group_offsets([group])[f"connect-{name}"].result(10)

    def files(self, topic):
        found = {}
        for item in self.s3.list_objects_v2(Bucket="raw", Prefix=f"kafka/{topic}/").get("Contents", []):
            body = self.s3.get_object(Bucket="raw", Key=item["Key"])["Body"].read()
            found[item["Key"]] = list(fastavro.reader(io.BytesIO(body)))
        return found

    def records(self, topic):
        return [record for key, records in sorted(self.files(topic).items()) for record in records]

    def sink(self, topic, **more):
        return {
            "connector.class": "io.confluent.connect.s3.S3SinkConnector",
            "topics": topic,
            "store.url": "http://minio:9000",
            "s3.bucket.name": "raw",
            "storage.class": "io.confluent.connect.s3.storage.S3Storage",
            "format.class": "io.confluent.connect.s3.format.avro.AvroFormat",
            "topics.dir": "kafka",
            "flush.size": "3",
            "timezone": "UTC",
            "value.converter": STRINGS,
            "behavior.on.null.values": "ignore",
            **more,
        }


@pytest.fixture(scope="module")
def stack():
    with House("log", "store", "registry", "connect") as house:
        stack = Stack(house)
        stack.wait_ready()
        stack.s3.create_bucket(Bucket="raw")
        yield stack


@pytest.fixture
def name():
    return "t-" + uuid.uuid4().hex[:8]


class SlowStore:
    """A way to the store that keeps the first PUT of a file, as a server does whose disk hangs, until `release`."""

    def __init__(self, address):
        self.host, self.kept, self.status = address.removeprefix("http://"), threading.Event(), None
        self.released = threading.Event()
        pass_on = self.pass_on

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_any(self):
                pass_on(self)

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_any

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def pass_on(self, request):
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        keep = request.command == "PUT" and not self.kept.is_set()
        if keep:
            self.kept.set()
            self.released.wait()
        store = http.client.HTTPConnection(self.host, timeout=30)
        store.request(request.command, request.path, body, dict(request.headers))
        answer = store.getresponse()
        content = answer.read()
        if keep:
            self.status = answer.status
            request.close_connection = True
            return
        request.send_response_only(answer.status)
        for header, value in answer.getheaders():
            request.send_header(header, value)
        request.end_headers()
        request.wfile.write(content)

    def release(self):
        self.released.set()
        return wait_for(lambda: self.status)


def error(answer):
    body = answer.json()
    assert body["error_code"] == answer.status_code
    return answer.status_code, body["message"]


def test_what_is_not_there(stack):
    assert error(stack.call("GET", "/connectors/x")) == (404, "Connector x not found")
    assert error(stack.call("GET", "/connectors/x/status")) == (404, "No status found for connector x")
    assert error(stack.call("DELETE", "/connectors/x")) == (404, "Connector x not found")
    assert error(stack.call("PUT", "/connectors/x/pause")) == (404, "Unknown connector x")
    assert error(stack.call("POST", "/connectors/x/restart")) == (404, "Unknown connector: x")
    assert error(stack.call("GET", "/nowhere")) == (404, "HTTP 404 Not Found")
    assert error(stack.call("PATCH", "/connectors")) == (405, "HTTP 405 Method Not Allowed")


def test_bad_bodies_are_told_apart(stack):
    def post(data, content_type):
        headers = {"Content-Type": content_type}
        return requests.post(stack.url + "/connectors", data=data, headers=headers, timeout=30)

    assert error(post("name=a", "application/x-www-form-urlencoded"))[0] == 415
    status, message = error(post('{"name": "a",', "application/json"))
    assert status == 500 and "line 1" in message
    assert error(stack.call("POST", "/connectors", {"name": "a", "config": {"topics": "t"}})) == (
        400,
        "Connector config {topics=t, name=a} contains no connector type",
    )
    status, message = error(stack.call("POST", "/connectors", {"name": "a", "config": {"connector.class": "Nope"}}))
    assert status == 500
    assert message.startswith("Failed to find any class that implements Connector and which name matches Nope")
    status, message = error(
        stack.call("POST", "/connectors", {"name": "a", "config": stack.sink("t", **{"flush.size": "x"})})
    )
    assert status == 400
    assert message.startswith("Connector configuration is invalid and contains the following 1 error(s):\n")
    assert "Invalid value x for configuration flush.size: Not a number of type INT" in message
    assert stack.call("GET", "/connectors").json() == []


def test_plugins_and_validation(stack):
    classes = {plugin["class"]: plugin["type"] for plugin in stack.call("GET", "/connector-plugins").json()}
    assert classes["io.confluent.connect.s3.S3SinkConnector"] == "sink"
    body = {"connector.class": "S3Sink", "name": "v", "topics": "t"}
    infos = stack.call("PUT", "/connector-plugins/S3SinkConnector/config/validate", body).json()
    assert infos["name"] == "io.confluent.connect.s3.S3SinkConnector"
    errors = {one["value"]["name"]: one["value"]["errors"] for one in infos["configs"] if one["value"]["errors"]}
    assert infos["error_count"] == len(errors) == 4
    assert errors["s3.bucket.name"] == ['Missing required configuration "s3.bucket.name" which has no default value.']
    assert len(infos["configs"][0]["definition"]) == 11


def test_a_connectors_life(stack, name):
    config = stack.sink(name, **{"tasks.max": 2})
    answer = stack.call("POST", "/connectors", {"name": name, "config": config})
    assert answer.status_code == 201 and answer.headers["Location"].endswith(f"/connectors/{name}")
    assert answer.json()["config"] == {**config, "tasks.max": "2", "name": name}
    assert answer.json()["type"] == "sink" and len(answer.json()["tasks"]) == 2
    assert error(stack.call("POST", "/connectors", {"name": name, "config": config})) == (
        409,
        f"Connector {name} already exists",
    )
    wait_for(lambda: stack.states(name) == ["RUNNING", "RUNNING"])
    assert stack.call("PUT", f"/connectors/{name}/pause").status_code == 202
    wait_for(lambda: stack.states(name) == ["PAUSED", "PAUSED"])
    assert stack.call("PUT", f"/connectors/{name}/resume").status_code == 202
    wait_for(lambda: stack.states(name) == ["RUNNING", "RUNNING"])
    answer = stack.call("PATCH", f"/connectors/{name}/config", {"tasks.max": "1"})
    assert answer.status_code == 200 and len(answer.json()["tasks"]) == 1
    assert stack.call("PUT", f"/connectors/{name}/stop").status_code == 204
    assert stack.states(name) == []
    assert stack.call("PUT", f"/connectors/{name}/resume").status_code == 202
    wait_for(lambda: stack.states(name) == ["RUNNING"])
    assert stack.call("POST", f"/connectors/{name}/restart?includeTasks=true").status_code == 202
    assert stack.call("POST", f"/connectors/{name}/tasks/0/restart").status_code == 204
    assert error(stack.call("POST", f"/connectors/{name}/tasks/7/restart"))[0] == 404
    both = stack.call("GET", "/connectors?expand=info&expand=status").json()[name]
    assert both["info"]["name"] == both["status"]["name"] == name
    assert stack.call("DELETE", f"/connectors/{name}").status_code == 204
    assert error(stack.call("GET", f"/connectors/{name}"))[0] == 404


def test_files_by_size_and_by_schedule_without_new_records(stack, name):
    stack.produce(name, [f"v{i}" for i in range(7)])
    config = stack.sink(name, **{"rotate.schedule.interval.ms": "2000"})
    assert stack.call("PUT", f"/connectors/{name}/config", config).status_code == 201
    wait_for(lambda: len(stack.records(name)) == 7)
    files = stack.files(name)
    assert list(files) == [f"kafka/{name}/partition=0/{name}+0+{offset:010d}.avro" for offset in (0, 3, 6)]
    assert stack.records(name) == [f"v{i}" for i in range(7)]
    offsets = [{"partition": {"kafka_topic": name, "kafka_partition": 0}, "offset": {"kafka_offset": 7}}]
    wait_for(lambda: stack.call("GET", f"/connectors/{name}/offsets").json().get("offsets") == offsets)
    assert stack.call("GET", f"/connectors/{name}/topics").json() == {name: {"topics": [name]}}
    stack.call("DELETE", f"/connectors/{name}")


def test_a_killed_worker_comes_back_and_writes_each_record_once(stack, name):
    config = stack.sink(name, **{"rotate.schedule.interval.ms": "1000"})
    stack.call("PUT", f"/connectors/{name}/config", config)
    for round_number in range(3):
        stack.produce(name, [f"r{round_number}-{i}" for i in range(100)])
        time.sleep(0.3 * round_number)
        stack.house.restart("connect")
    stack.wait_ready()
    expected = [f"r{round_number}-{i}" for round_number in range(3) for i in range(100)]
    wait_for(lambda: len(stack.records(name)) >= 300, 60)
    assert stack.records(name) == expected
    stack.call("DELETE", f"/connectors/{name}")


def test_a_put_of_a_dead_worker_that_arrives_late_overwrites_nothing(stack, name):
    slow = SlowStore(stack.house.url("store"))
    more = {"store.url": slow.url, "flush.size": "1000", "rotate.schedule.interval.ms": "1000"}
    stack.call("PUT", f"/connectors/{name}/config", stack.sink(name, **more))
    stack.produce(name, ["first"])
    assert slow.kept.wait(20)
    stack.house.kill("connect")
    stack.produce(name, ["second", "third"])
    stack.house.start("connect")
    wait_for(lambda: len(stack.records(name)) == 3)
    files = stack.files(name)
    assert slow.release() == 412
    assert stack.files(name) == files and stack.records(name) == ["first", "second", "third"]
    stack.call("DELETE", f"/connectors/{name}")


def test_offsets_set_back_write_the_same_files_again(stack, name):
    stack.produce(name, [f"v{i}" for i in range(6)])
    stack.call("PUT", f"/connectors/{name}/config", stack.sink(name))
    wait_for(lambda: len(stack.records(name)) == 6)
    stack.call("DELETE", f"/connectors/{name}")
    first, second = sorted(stack.files(name))
    stack.s3.put_object(Bucket="raw", Key=first, Body=b"what another wrote")
    stack.s3.delete_object(Bucket="raw", Key=second)
    stack.set_offset(name, 0)
    stack.call("PUT", f"/connectors/{name}/config", stack.sink(name))
    wait_for(lambda: stack.s3.list_objects_v2(Bucket="raw", Prefix=second).get("Contents"))
    assert stack.records(name) == [f"v{i}" for i in range(6)]
    stack.call("DELETE", f"/connectors/{name}")


def test_offsets_reset_while_it_is_deleted_are_honoured(stack, name):
    stack.produce(name, [f"v{i}" for i in range(6)])
    stack.call("PUT", f"/connectors/{name}/config", stack.sink(name))
    wait_for(lambda: len(stack.records(name)) == 6)
    stack.call("DELETE", f"/connectors/{name}")
    for key in stack.files(name):
        stack.s3.delete_object(Bucket="raw", Key=key)
    stack.set_offset(name, 3)
    stack.call("PUT", f"/connectors/{name}/config", stack.sink(name))
    wait_for(lambda: stack.files(name))
    assert list(stack.files(name)) == [f"kafka/{name}/partition=0/{name}+0+{3:010d}.avro"]
    stack.call("DELETE", f"/connectors/{name}")


def test_a_missing_bucket_is_told_and_recovered_from(stack, name):
    bucket = "b" + uuid.uuid4().hex[:8]
    stack.produce(name, ["a", "b", "c"])
    stack.call("PUT", f"/connectors/{name}/config", stack.sink(name, **{"s3.bucket.name": bucket}))
    wait_for(lambda: stack.states(name) == ["FAILED"])
    trace = stack.call("GET", f"/connectors/{name}/tasks/0/status").json()["trace"]
    assert trace.startswith(f"bucket '{bucket}' does not exist")
    stack.s3.create_bucket(Bucket=bucket)
    wait_for(lambda: stack.states(name) == ["RUNNING"], 60)
    wait_for(lambda: stack.s3.list_objects_v2(Bucket=bucket).get("Contents"))
    stack.call("DELETE", f"/connectors/{name}")


def test_the_topics_are_connects_own(stack, name):
    stack.call("PUT", f"/connectors/{name}/config", stack.sink(name))
    wait_for(lambda: stack.states(name) == ["RUNNING"])
    stack.call("PUT", f"/connectors/{name}/pause")
    consumer = Consumer(
        {
            "bootstrap.servers": stack.house.address("log"),
            "group.id": name,
            "auto.offset.reset": "earliest",
            "enable.partition.eof": True,
        }
    )
    consumer.assign([TopicPartition("connect-configs", 0, 0)])
    found = {}
    while True:
        message = consumer.poll(10)
        if message is None or message.error():
            break
        value = message.value()
        found[message.key().decode()] = json.loads(value) if value else None
    consumer.close()
    assert found[f"connector-{name}"]["properties"]["name"] == name
    assert found[f"task-{name}-0"]["properties"]["task.class"] == "io.confluent.connect.s3.S3SinkTask"
    assert found[f"commit-{name}"] == {"tasks": 1}
    assert found[f"target-state-{name}"] == {"state": "PAUSED", "state.v2": "PAUSED"}
    stack.call("DELETE", f"/connectors/{name}")


def test_a_store_that_is_away_is_waited_for(stack, name):
    config = stack.sink(name, **{"rotate.schedule.interval.ms": "1000", "retry.backoff.ms": "500"})
    stack.produce(name, [f"a{i}" for i in range(4)])
    stack.call("PUT", f"/connectors/{name}/config", config)
    wait_for(lambda: len(stack.records(name)) == 4)
    stack.house.kill("store")
    stack.produce(name, [f"b{i}" for i in range(8)])
    wait_for(lambda: stack.states(name) == ["FAILED"], 60)
    trace = stack.call("GET", f"/connectors/{name}/tasks/0/status").json()["trace"]
    assert trace.startswith("cannot put 'raw/kafka/"), trace
    stack.house.start("store")
    wait_for(lambda: len(stack.records(name)) >= 12, 60)
    assert stack.records(name) == [f"a{i}" for i in range(4)] + [f"b{i}" for i in range(8)]
    wait_for(lambda: stack.states(name) == ["RUNNING"])
    stack.call("DELETE", f"/connectors/{name}")
