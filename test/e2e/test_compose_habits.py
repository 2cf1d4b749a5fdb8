"""What users of the replaced compose stack bring along: its .env files, templates, broker settings, curl and Kafka's tools."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import psycopg
import pytest
import requests
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource

from house import BINARY, ROOT, free_offset
from playground import TABLES, Playground

SOURCE_ENV = """\
\ufeff# the shop's database: a byte order mark and Windows line ends, as Notepad leaves them
export POSTGRES_USER="postgres"
POSTGRES_PASSWORD='postgres'   # a comment
POSTGRES_DB=${SHOP:-storefront}
POSTGRES_HOST=postgres_source
POSTGRES_PORT=5432

DEBEZIUM_USER = debezium_user
DEBEZIUM_PASSWORD="p#ss w$$rd\\"1"
DEBEZIUM_STOREFRONT_PUBLICATION_NAME=${SHOP_PUB:-${POSTGRES_DB}_pub} # the rest is a comment
EMPTY=
"""

STREAMING_ENV = """\
BOOTSTRAP_SERVER_INTERNAL=kafka:29092
SCHEMA_REGISTRY_HOST=schema-registry:8081
SCHEMA_REGISTRY_URL=http://${SCHEMA_REGISTRY_HOST}
CONNECT_URL=http://connect:8083
KAFKA_NODE_ID=1
KAFKA_PROCESS_ROLES=broker,controller
KAFKA_LISTENERS=PLAINTEXT://0.0.0.0:29092,CONTROLLER://0.0.0.0:29093,PLAINTEXT_HOST://0.0.0.0:9092
KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://kafka:29092,PLAINTEXT_HOST://localhost:9092
KAFKA_LISTENER_SECURITY_PROTOCOL_MAP=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PLAINTEXT_HOST:PLAINTEXT
KAFKA_CONTROLLER_QUORUM_VOTERS=1@kafka:29093
KAFKA_CONTROLLER_LISTENER_NAMES=CONTROLLER
KAFKA_INTER_BROKER_LISTENER_NAME=PLAINTEXT
KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR=1
KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS=0
KAFKA_NUM_PARTITIONS=3
KAFKA_AUTO_CREATE_TOPICS_ENABLE="false"
KAFKA_LOG_RETENTION_MS=86400000
KAFKA_NO_SUCH_THING=1
KAFKA_LOG_RETENTION_CENTURIES=2
CLUSTER_ID=MkU3OEVBNTcwNTJENDM2Qk
CONNECT_BOOTSTRAP_SERVERS=${BOOTSTRAP_SERVER_INTERNAL}
CONNECT_REST_ADVERTISED_HOST_NAME=connect
CONNECT_GROUP_ID=compose-connect
CONNECT_CONFIG_STORAGE_TOPIC=_connect-configs
CONNECT_OFFSET_STORAGE_TOPIC=_connect-offsets
CONNECT_STATUS_STORAGE_TOPIC=_connect-status
CONNECT_KEY_CONVERTER=io.confluent.connect.avro.AvroConverter
CONNECT_KEY_CONVERTER_SCHEMA_REGISTRY_URL=http://schema-registry:8081
CONNECT_VALUE_CONVERTER=io.confluent.connect.avro.AvroConverter
CONNECT_VALUE_CONVERTER_SCHEMA_REGISTRY_URL=${SCHEMA_REGISTRY_URL}
CONNECT_PLUGIN_PATH=/usr/share/java,/etc/kafka-connect/jars
"""

LAKE_ENV = """\
MINIO_ROOT_USER='minio'
MINIO_ROOT_PASSWORD=minio123
MINIO_ENDPOINT=http://minio:9000
AWS_REGION=${AWS_DEFAULT_REGION:-us-east-1}
"""

SOURCE, SINK = "postgres-source-storefront", "s3-sink-storefront"
TOPIC_CREATION = {"topic.creation.default.replication.factor": "1", "topic.creation.default.partitions": "3"}


def compose_folder(target):
    """A playground as the compose stack has it; the connectors name no converter: the worker's serve."""
    shutil.copytree(ROOT / "playground", target)
    for name, text in ((".source.env", SOURCE_ENV), (".streaming.env", STREAMING_ENV), (".lake.env", LAKE_ENV)):
        (target / name).write_bytes(text.replace("\n", "\r\n").encode())
    for name, more in ((SOURCE, TOPIC_CREATION), (SINK, {"rotate.schedule.interval.ms": "3000"})):
        path = target / "connectors" / f"{name}.template.json"
        template = json.loads(path.read_text())
        config = {k: v for k, v in template["config"].items() if "converter" not in k}
        path.write_text(json.dumps({"name": name, "config": {**config, **more}}))
    return target


class Compose(Playground):
    def db(self):
        return psycopg.connect(
            f"host=127.0.0.1 port={self.port('postgres')} user=postgres password=postgres dbname=storefront",
            autocommit=True,
        )

    def s3(self):
        key = {"aws_access_key_id": "minio", "aws_secret_access_key": "minio123", "region_name": "us-east-1"}
        return boto3.client("s3", endpoint_url=self.url("store"), **key)

    def raw(self):
        pages = self.s3().get_paginator("list_objects_v2").paginate(Bucket="raw")
        return {o["Key"]: (o["ETag"], o["LastModified"]) for page in pages for o in page.get("Contents", [])}

    def admin(self):
        return AdminClient({"bootstrap.servers": self.address("log")})

    def call(self, method, path, body=None):
        return requests.request(method, self.url("connect") + path, json=body, timeout=60)

    def states(self, name):
        status = self.call("GET", f"/connectors/{name}/status").json()
        return [status["connector"]["state"], *(task["state"] for task in status["tasks"])]

    def wait_state(self, name, *states):
        self.wait_for(f"{name} to be {states}", lambda: self.states(name) == list(states))

    def count(self, topic):
        consumer = Consumer({"bootstrap.servers": self.address("log"), "group.id": "count"})
        partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        marks = [consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=10) for p in partitions]
        consumer.close()
        return [high - low for low, high in marks]


@pytest.fixture(scope="module")
def play(tmp_path_factory):
    folder = compose_folder(tmp_path_factory.mktemp("compose") / "playground")
    with Compose(folder=folder) as play:
        play.haus("up")
        play.haus("seed", "--count", "900", "--batch-size", "300", "--seed", "3")
        play.haus("connector", "apply")
        play.settle()
        yield play


# ------------------------------------------------------------------ settings


def test_env_files_are_read_as_compose_reads_them(play):
    config = {row["name"]: row for row in play.json("config", "--show-secrets")}
    assert config["POSTGRES_PASSWORD"]["value"] == "postgres"
    assert config["DEBEZIUM_USER"]["value"] == "debezium_user"
    assert config["DEBEZIUM_PASSWORD"]["value"] == 'p#ss w$rd"1'
    assert config["DEBEZIUM_STOREFRONT_PUBLICATION_NAME"]["value"] == "storefront_pub"
    assert config["EMPTY"]["value"] == ""
    assert config["CONNECT_BOOTSTRAP_SERVERS"]["value"] == "kafka:29092"
    assert config["POSTGRES_USER"]["origin"] == ".source.env:2"


def test_broker_settings_of_the_environment_are_seen_by_clients(play):
    admin = play.admin()
    resource = ConfigResource(ConfigResource.Type.BROKER, "1")
    config = admin.describe_configs([resource])[resource].result(10)
    assert config["num.partitions"].value == "3"
    assert config["auto.create.topics.enable"].value == "false"
    assert config["log.retention.ms"].value == "86400000"
    topic = ConfigResource(ConfigResource.Type.TOPIC, "storefront.public.orders")
    assert admin.describe_configs([topic])[topic].result(10)["retention.ms"].value == "86400000"
    producer = Producer({"bootstrap.servers": play.address("log"), "message.timeout.ms": 4000})
    failed = []
    producer.produce("nobody-made-this", b"x", on_delivery=lambda error, _: failed.append(error))
    producer.flush(10)
    assert failed[0] is not None and "nobody-made-this" not in admin.list_topics(timeout=10).topics


def test_clients_are_led_to_where_the_log_really_listens(play):
    """Advertised listeners of the compose network would lead nowhere."""
    broker = next(iter(play.admin().list_topics(timeout=10).brokers.values()))
    assert f"{broker.host}:{broker.port}" == play.address("log")


def test_unknown_broker_settings_are_named_in_one_warning(play):
    lines = [line for line in (play.home / "logs" / "log.log").read_text().splitlines() if "no.such.thing" in line]
    assert len(lines) == 1
    assert "log.retention.centuries" in lines[0] and " warn " in lines[0]
    assert "num.partitions" not in lines[0] and "node.id" not in lines[0]


def test_the_workers_topics_have_the_names_it_was_given(play):
    topics = play.admin().list_topics(timeout=10).topics
    assert {"_connect-configs", "_connect-offsets", "_connect-status"} <= set(topics)
    assert "connect-configs" not in topics


def test_three_partitions_are_used_and_all_stations_are_equal(play):
    assert sum(play.count("storefront.public.orders")) == 900
    assert all(play.count("storefront.public.orders"))
    assert any("partition=2/" in key for key in play.raw())
    with play.db() as conn:
        conn.execute("UPDATE orders SET status = 'cancelled' WHERE id % 3 = 0")
        conn.execute("UPDATE orders SET status = 'delivered' WHERE id % 9 = 0")
        conn.execute("UPDATE customers SET city = NULL WHERE id % 2 = 0")
        conn.execute("DELETE FROM payments WHERE id % 4 = 0")  # last: only a change of number can be waited for
    rows = play.settle()
    assert rows["orders"]["repeated"] == 0 and len(play.call("GET", f"/connectors/{SINK}").json()["tasks"]) == 3


def test_a_template_keeps_what_is_connects_own_and_takes_numbers(play, tmp_path):
    config = second(play, "own")
    config |= {"tasks.max": "@", "database.password": "${env:NOT_OURS}$${x}", "database.user": "${DEBEZIUM_USER}"}
    template = tmp_path / "own.json"
    template.write_text("\ufeff" + json.dumps({"name": "own", "config": config}).replace('"@"', "${TASKS:-2}"))
    play.haus("connector", "apply", str(template))
    got = play.call("GET", "/connectors/own/config").json()
    assert got["database.password"] == "${env:NOT_OURS}${x}" and got["database.user"] == "debezium_user"
    assert got["tasks.max"] == "2"
    play.haus("connector", "delete", "own")


LISTINGS = [
    "status", "urls", "urls --internal", "config", "doctor", "migrate info", "seed status", "connector list",
    "connector status", "connector status " + SINK, "topic list", "schema list", "bucket ls", "bucket ls raw", "table list",
    "table describe orders", "verify", "build", "sql SELECT_1",
]  # fmt: skip


@pytest.mark.parametrize("command", LISTINGS)
def test_every_listing_is_json_when_asked(play, command):
    done = play.run(*[word.replace("_", " ") for word in command.split(" ")], "-o", "json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)


def test_what_sql_cannot_do_is_said(play):
    for text, words in (
        ("selec 1", "syntax error"),
        ("select * from nope", "nope"),
        ("select nope from orders", "nope"),
    ):
        done = play.run("sql", text)
        assert done.returncode == 1 and words in done.stderr and done.stdout == ""


def test_followed_records_and_logs_come_as_they_happen(play):
    env = {**play.env, "PYTHONUNBUFFERED": "1"}
    tail = subprocess.Popen(
        [BINARY, "topic", "tail", "-f", "storefront.public.products", "-o", "json"],
        env=env,
        stdout=subprocess.PIPE,
        text=True,
    )
    logs = subprocess.Popen([BINARY, "logs", "-f", "seeder"], env=env, stdout=subprocess.PIPE, text=True)
    try:
        with play.db() as conn:
            conn.execute("INSERT INTO products (name, price) VALUES ('seen at once', 1)")
        play.haus("seed", "--count", "2")
        assert any("seen at once" in json.loads(line)["value"]["after"]["name"] for line in tail.stdout)
        assert any("records=2" in line for line in logs.stdout)
    finally:
        for process in (tail, logs):
            process.kill()
            process.communicate()


# ---------------------------------------------------------------------- curl


def test_connectors_are_listed_with_info_and_status(play):
    both = play.call("GET", "/connectors?expand=info&expand=status").json()
    assert set(both) == {SOURCE, SINK}
    assert both[SOURCE]["info"]["type"] == "source" and both[SINK]["status"]["connector"]["state"] == "RUNNING"
    assert both[SOURCE]["info"]["config"]["database.hostname"] == "postgres_source"


def test_pause_stop_resume_restart_of_a_flowing_source(play):
    for verb, after in (("pause", ["PAUSED", "PAUSED"]), ("stop", ["STOPPED"])):
        assert play.call("PUT", f"/connectors/{SOURCE}/{verb}").status_code in (202, 204)
        play.wait_state(SOURCE, *after)
        with play.db() as conn:
            conn.execute("INSERT INTO products (name, price) VALUES (%s, 1.25)", [verb])
        assert play.call("PUT", f"/connectors/{SOURCE}/resume").status_code == 202
        play.wait_state(SOURCE, "RUNNING", "RUNNING")
    assert play.call("POST", f"/connectors/{SOURCE}/tasks/0/restart").status_code == 204
    assert play.call("POST", f"/connectors/{SOURCE}/restart?includeTasks=true").status_code == 202
    play.wait_state(SOURCE, "RUNNING", "RUNNING")
    assert all(row["repeated"] == 0 for row in play.settle().values())


def test_a_changed_config_takes_effect_without_repeating_anything(play):
    config = play.call("GET", f"/connectors/{SINK}/config").json()
    answer = play.call("PUT", f"/connectors/{SINK}/config", {**config, "flush.size": "7", "tasks.max": "2"})
    assert answer.status_code == 200 and len(answer.json()["tasks"]) == 2
    play.wait_state(SINK, "RUNNING", "RUNNING", "RUNNING")
    with play.db() as conn:
        conn.execute("UPDATE customers SET country = 'NO' WHERE id <= 100")
        conn.execute("INSERT INTO products (name, price) VALUES ('the last', 1)")
    play.settle()
    assert play.call("PUT", f"/connectors/{SINK}/config", config).status_code == 200
    play.wait_state(SINK, *["RUNNING"] * 4)


def test_a_config_is_validated_without_being_used(play):
    config = play.call("GET", f"/connectors/{SOURCE}/config").json()
    path = "/connector-plugins/io.debezium.connector.postgresql.PostgresConnector/config/validate"
    assert play.call("PUT", path, config).json()["error_count"] == 0
    config.pop("database.hostname")
    answer = play.call("PUT", path, config).json()
    assert [one["value"]["name"] for one in answer["configs"] if one["value"]["errors"]] == ["database.hostname"]


def test_a_source_created_again_goes_on_where_it_was(play):
    config = play.call("GET", f"/connectors/{SOURCE}/config").json()
    assert play.call("DELETE", f"/connectors/{SOURCE}").status_code == 204
    with play.db() as conn:
        conn.execute("INSERT INTO customers (full_name, email) VALUES ('While Away', 'away@example.com')")
    before = sum(play.count("storefront.public.customers"))
    assert play.call("POST", "/connectors", {"name": SOURCE, "config": config}).status_code == 201
    play.wait_for("the row", lambda: sum(play.count("storefront.public.customers")) > before)
    rows = play.settle()
    assert sum(play.count("storefront.public.customers")) == before + 1
    assert all(row["repeated"] == 0 for row in rows.values())


def test_the_sinks_offsets_set_back_write_the_same_files_again(play):
    play.settle()
    config = play.call("GET", f"/connectors/{SINK}/config").json()
    before, tables = play.raw(), play.json("table", "list")
    group = f"connect-{SINK}"
    admin = play.admin()
    assert play.call("DELETE", f"/connectors/{SINK}").status_code == 204
    first = [TopicPartition(f"storefront.public.{t}", p, 0) for t in TABLES for p in range(3)]
    play.wait_for(
        "the group to be empty",
        lambda: admin.describe_consumer_groups([group])[group].result(10).state.name == "EMPTY",
    )
    admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(group, first)])[group].result(10)
    assert play.call("POST", "/connectors", {"name": SINK, "config": config}).status_code == 201

    def committed():
        asked = ConsumerGroupTopicPartitions(group, [TopicPartition(p.topic, p.partition) for p in first])
        found = admin.list_consumer_group_offsets([asked])[group].result(10).topic_partitions
        return sum(max(p.offset, 0) for p in found)

    everything = sum(sum(play.count(f"storefront.public.{t}")) for t in TABLES)
    play.wait_for("everything to be written again", lambda: committed() == everything)
    again = play.raw()
    rewritten = [key for key in before if again[key][1] > before[key][1]]
    assert len(rewritten) >= 15
    assert all(row["rows"] == 0 for row in play.json("build"))
    assert play.json("table", "list") == tables
    assert all(row["equal"] and row["repeated"] == 0 for row in play.json("verify"))


# ---------------------------------------------------------------- converters


def second(play, name, **more):
    config = play.call("GET", f"/connectors/{SOURCE}/config").json()
    config = {k: v for k, v in config.items() if "converter" not in k}
    config |= {
        "name": name,
        "topic.prefix": name,
        "slot.name": name.replace("-", "_"),
        "table.include.list": "public.orders",
    }
    return {**config, **more}


def records(play, topic):
    consumer = Consumer({"bootstrap.servers": play.address("log"), "group.id": "read"})
    found = []
    for p in consumer.list_topics(topic, timeout=10).topics[topic].partitions:
        low, high = consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=10)
        consumer.assign([TopicPartition(topic, p, low)])
        for _ in range(high - low):
            message = consumer.poll(10)
            assert message is not None and message.error() is None
            found.append((message.key(), message.value()))
    consumer.close()
    return found


@pytest.mark.parametrize("schemas", ["true", "false"])
def test_a_second_source_writes_json(play, schemas):
    name = f"json-{schemas}"
    more = {}
    for side in ("key", "value"):
        more[f"{side}.converter"] = "org.apache.kafka.connect.json.JsonConverter"
        more[f"{side}.converter.schemas.enable"] = schemas
    assert play.call("POST", "/connectors", {"name": name, "config": second(play, name, **more)}).status_code == 201
    topic = f"{name}.public.orders"
    with play.db() as conn:
        expected = dict(conn.execute("SELECT id, status FROM orders").fetchall())
    topics = lambda: play.admin().list_topics(timeout=10).topics  # noqa: E731
    play.wait_for("the snapshot", lambda: topic in topics() and sum(play.count(topic)) == len(expected))
    found = [(json.loads(key), json.loads(value)) for key, value in records(play, topic)]
    if schemas == "true":
        assert {frozenset(k) | frozenset(v) for k, v in found} == {frozenset({"schema", "payload"})}
        assert found[0][1]["schema"]["name"] == f"{topic}.Envelope"
        found = [(k["payload"], v["payload"]) for k, v in found]
    assert {k["id"]: v["after"]["status"] for k, v in found} == expected
    assert play.call("DELETE", f"/connectors/{name}").status_code == 204


def test_a_converter_that_does_not_exist_is_refused(play):
    config = second(play, "t", **{"value.converter": "org.example.Converter"})
    answer = play.call("POST", "/connectors", {"name": "t", "config": config})
    assert answer.status_code == 400 and "org.example.Converter" in answer.json()["message"]


def test_change_events_into_the_string_converter_are_told_about(play):
    config = second(play, "texts", **{"value.converter": "org.apache.kafka.connect.storage.StringConverter"})
    answer = play.call("POST", "/connectors", {"name": "texts", "config": config})
    assert answer.status_code == 201
    play.wait_for("the task to fail", lambda: "FAILED" in play.states("texts"))
    trace = play.call("GET", "/connectors/texts/tasks/0/status").json()["trace"]
    assert play.call("DELETE", "/connectors/texts").status_code == 204
    assert "StringConverter" in trace, trace


# --------------------------------------------------------------------- build


def stage_copy(tmp_path, old, new):
    text = (ROOT / "playground" / "models" / "stage" / "stage_tables.yaml").read_text()
    assert old in text
    path = tmp_path / "stage_tables.yaml"
    path.write_text(text.replace(old, new, 1))
    return str(path)


def test_two_builds_at_once_add_each_event_once(play):
    with play.db() as conn:
        conn.execute("UPDATE order_items SET quantity = quantity + 1")
        conn.execute("INSERT INTO products (name, price) VALUES ('the last', 1)")
    play.wait_for("the raw files", play.raw_has_all)
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: play.run("build"), range(2)))
    assert [d.returncode for d in done] == [0, 0], [d.stderr for d in done]
    play.haus("build")
    assert all(row["equal"] for row in play.json("verify"))


@pytest.mark.parametrize("kind", ["int", "decimal(4,2)"])
def test_a_value_that_does_not_fit_stops_a_build_with_its_place(play, tmp_path, kind):
    target = stage_copy(tmp_path, "name: total, type: 'decimal(10,2)'", f"name: total, type: '{kind}'")
    text = Path(target).read_text()
    Path(target).write_text(text.replace("stage.storefront", "stage.other", 1))
    before = play.json("table", "list")
    done = play.run("build", "--config", target, "--table", "orders")
    assert done.returncode == 1
    for word in ("storefront.public.orders/partition=", ".avro", "offset ", "'total'", kind):
        assert word in done.stderr, done.stderr
    assert play.json("table", "list") == before


def test_a_broken_stage_file_is_told_with_line_and_column(play, tmp_path):
    path = stage_copy(tmp_path, "type: 'decimal(10,2)'", "type: 'decimal(10,2)")
    done = play.run("build", "--config", path)
    assert done.returncode == 1
    assert re.search(r"stage_tables.yaml:\d+:\d+: did not find expected", done.stderr), done.stderr


# --------------------------------------------------------------- other houses


def test_a_home_with_spaces_letters_and_length_beside_the_first_house(play, tmp_path):
    base = Path(tempfile.mkdtemp(prefix="haus-play-"))
    base.chmod(0o755)
    home = base / "häuser am see" / ("ein-langer-name" * 8) / "x 'y'"
    offset = free_offset()
    env = {k: v for k, v in play.env.items() if k not in ("HAUS_HOME", "HAUS_PORT_OFFSET", "HAUS_PLAYGROUND")}
    flags = ["--home", str(home), "--port-offset", str(offset), "--playground", str(ROOT / "playground")]

    def haus(*args):
        done = subprocess.run(
            [BINARY, *args, *flags], env=env, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def states():
        return {row["name"]: row["state"] for row in json.loads(haus("status", "-o", "json"))["services"]}

    try:
        haus("up", "stream")
        assert {n for n, s in states().items() if s == "ready"} == {"log", "registry", "connect"}
        haus("up")
        assert set(states().values()) == {"ready"}
        haus("seed", "--count", "10")
        haus("connector", "apply")
        play.wait_for("both", lambda: "storefront.public.payments" in haus("topic", "list"))
        assert all(row["state"] == "ready" for row in play.status().values())
    finally:
        haus("reset", "--yes")
        shutil.rmtree(base)
    assert all(row["state"] == "ready" for row in play.status().values())


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("runuser"), reason="only root becomes somebody else")
def test_somebody_without_rights_has_a_house_of_their_own():
    base = Path(tempfile.mkdtemp(prefix="haus-play-"))
    shutil.copy(BINARY, base / "haus")
    shutil.copytree(ROOT / "playground", base / "playground")
    for path in (base, *base.rglob("*")):
        shutil.chown(path, "nobody")
    base.chmod(0o755)
    env = {**os.environ, "HOME": str(base), "HAUS_PORT_OFFSET": str(free_offset())}

    def haus(*args):
        command = ["runuser", "-u", "nobody", "--", str(base / "haus"), *args]
        done = subprocess.run(
            command, env=env, cwd=base / "playground", capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    try:
        haus("up")
        haus("seed", "--count", "10")
        assert {row["state"] for row in json.loads(haus("status", "-o", "json"))["services"]} == {"ready"}
        assert (base / "playground" / ".haus").stat().st_uid == (base / "playground").stat().st_uid
    finally:
        haus("reset", "--yes")
        assert not (base / "playground" / ".haus").exists()
        shutil.rmtree(base)
