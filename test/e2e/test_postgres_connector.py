"""The PostgreSQL connector on the real broker: what is killed repeats nothing, what is quiet lets WAL go."""

import json
import signal
import time
import urllib.error
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from confluent_kafka import Consumer, TopicPartition

from house import House
from scratch_postgres import ScratchPostgres

NAME = "cdc-test"


@pytest.fixture(scope="module")
def postgres():
    server = ScratchPostgres()
    yield server
    server.close()


@pytest.fixture
def house(postgres):
    postgres.sql("DROP DATABASE IF EXISTS shop WITH (FORCE);\nCREATE DATABASE shop;")
    env = {"CONNECT_OFFSET_FLUSH_INTERVAL_MS": "60000"}
    with House("log", "registry", "connect", env=env) as house:
        yield house
    postgres.sql("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active_pid > 0", check=False)
    wait_for(lambda: not postgres.sql("SELECT 1 FROM pg_replication_slots WHERE active"), "slots to be free")
    postgres.sql("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")


def wait_for(condition, what, seconds=30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds} s for {what}")


def rest(house, method, path, body=None):
    """The worker's answer, once it has started."""
    return wait_for(lambda: rest_once(house, method, path, body), "the worker")


def rest_once(house, method, path, body):
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(
        house.url("connect") + path, data, {"Content-Type": "application/json"}, method=method
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            text = answer.read()
    except urllib.error.HTTPError as error:
        if error.code == 503:
            return None
        text = error.read()
    return json.loads(text) if text else None


def config(postgres, house, **changes):
    avro = {
        f"{side}.converter{option}": value
        for side in ("key", "value")
        for option, value in {
            "": "io.confluent.connect.avro.AvroConverter",
            ".schema.registry.url": house.url("registry"),
        }.items()
    }
    plain = {
        "key.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "key.converter.schemas.enable": "false",
        "value.converter.schemas.enable": "false",
    }
    return {
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "tasks.max": "1",
        "database.hostname": "127.0.0.1",
        "database.port": str(postgres.port),
        "database.user": "debezium",
        "database.password": "debezium",
        "database.dbname": "shop",
        "topic.prefix": "shop",
        "plugin.name": "pgoutput",
        "slot.name": "shop_slot",
        "publication.name": "shop_pub",
        "status.update.interval.ms": "200",
        **(avro if changes.pop("avro", False) else plain),
        **changes,
    }


def create(house, postgres, **changes):
    answer = rest(house, "PUT", f"/connectors/{NAME}/config", config(postgres, house, **changes))
    assert answer.get("name") == NAME, answer
    wait_running(house)


def wait_running(house):
    def running():
        status = rest(house, "GET", f"/connectors/{NAME}/status")
        tasks = status.get("tasks") or [{}]
        return status.get("connector", {}).get("state") == "RUNNING" and tasks[0].get("state") == "RUNNING"

    wait_for(running, "the task to run")


def end_of(house, topic):
    consumer = Consumer({"bootstrap.servers": house.address("log"), "group.id": "end"})
    try:
        known = consumer.list_topics(timeout=10).topics
        if topic not in known:
            return 0
        return sum(
            consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=10)[1] for p in known[topic].partitions
        )
    finally:
        consumer.close()


def read(house, topic):
    """All messages of a topic from its beginning."""
    consumer = Consumer({"bootstrap.servers": house.address("log"), "group.id": "read", "enable.auto.commit": False})
    out = []
    for partition in consumer.list_topics(topic, timeout=10).topics[topic].partitions:
        _, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)
        consumer.assign([TopicPartition(topic, partition, 0)])
        while high and (not out or out[-1].partition() != partition or out[-1].offset() + 1 < high):
            message = consumer.poll(10)
            assert message is not None and message.error() is None
            out.append(message)
    consumer.close()
    return out


def values(messages):
    return [json.loads(m.value()) if m.value() else None for m in messages]


def current_lsn(postgres):
    return postgres.sql("SELECT pg_current_wal_lsn()")[0][0]


def confirmed_beyond(postgres, lsn):
    return lambda: postgres.sql(
        f"SELECT 1 FROM pg_replication_slots WHERE slot_name = 'shop_slot' AND confirmed_flush_lsn >= '{lsn}'"
    )


def test_a_row_is_followed_from_snapshot_to_tombstone(house, postgres):
    postgres.sql("CREATE TABLE t (id int PRIMARY KEY, v text);\nINSERT INTO t VALUES (1, 'a'), (2, 'b');", "shop")
    create(house, postgres)
    wait_for(lambda: end_of(house, "shop.public.t") == 2, "the snapshot")
    postgres.sql(
        "UPDATE t SET v = 'c' WHERE id = 1;\nUPDATE t SET id = 3 WHERE id = 2;\nDELETE FROM t WHERE id = 3;", "shop"
    )
    wait_for(lambda: end_of(house, "shop.public.t") == 8, "the changes")
    messages = read(house, "shop.public.t")
    assert [v and v["op"] for v in values(messages)] == ["r", "r", "u", "d", None, "c", "d", None]
    assert [json.loads(m.key())["id"] for m in messages] == [1, 2, 1, 2, 2, 3, 3, 3]
    assert messages[3].headers() == [("__debezium.newkey", b'{"id":3}')]
    assert messages[5].headers() == [("__debezium.oldkey", b'{"id":2}')]


@pytest.mark.parametrize("avro", [False, True])
def test_killed_while_streaming_it_repeats_nothing(house, postgres, avro):
    """Several rows share one place in the log: COPY writes them so."""
    postgres.sql("CREATE TABLE t (id int PRIMARY KEY, v text);\nINSERT INTO t VALUES (0, 'first');", "shop")
    create(house, postgres, avro=avro)
    wait_for(lambda: end_of(house, "shop.public.t") == 1, "the snapshot")
    total = 0
    for round_ in range(4):
        first = round_ * 5000 + 1
        rows = "\n".join(f"{i}\tv{i}" for i in range(first, first + 4000))
        postgres.sql(
            f"COPY t FROM STDIN;\n{rows}\n\\.\nUPDATE t SET v = 'u' WHERE id >= {first} AND id < {first + 300};\n"
            f"UPDATE t SET id = -id WHERE id >= {first} AND id < {first + 300};",
            "shop",
        )
        total += 4000 + 300 + 3 * 300
        at_least = 1 + total - 5200 + round_ * 1200 + 10
        wait_for(lambda: end_of(house, "shop.public.t") >= at_least, "some records")
        house.kill("connect")
        house.start("connect")
        wait_running(house)
    wait_for(lambda: end_of(house, "shop.public.t") >= 1 + total, "all records")
    time.sleep(0.5)
    messages = read(house, "shop.public.t")
    assert len(messages) == 1 + total
    if avro:
        assert len(Counter((m.key(), m.value()) for m in messages if m.value())) == len(
            [m for m in messages if m.value()]
        )
        return
    seen = Counter()
    for message, value in zip(messages, values(messages)):
        lsn = value["source"]["lsn"] if value else None
        seen[(message.key(), value["op"] if value else "tombstone", lsn)] += 1
    assert max(seen.values()) == 1
    assert Counter(k[1] for k in seen) == {"r": 1, "c": 4 * 4300, "u": 4 * 300, "d": 4 * 300, "tombstone": 4 * 300}


def test_a_quiet_table_lets_the_servers_log_go(house, postgres):
    postgres.sql(
        "CREATE TABLE t (id int PRIMARY KEY);\nCREATE TABLE noise (id int);\nINSERT INTO t VALUES (1);", "shop"
    )
    create(house, postgres, **{"table.include.list": "public.t"})
    wait_for(lambda: end_of(house, "shop.public.t") == 1, "the snapshot")
    postgres.sql(
        "INSERT INTO noise SELECT generate_series(1, 10000);\nSELECT pg_logical_emit_message(false, 'x', 'y');", "shop"
    )
    wait_for(confirmed_beyond(postgres, current_lsn(postgres)), "the slot to move", 60)


def test_the_server_restarts_and_nothing_is_lost(house, postgres):
    postgres.sql("CREATE TABLE t (id int PRIMARY KEY);\nINSERT INTO t VALUES (1);", "shop")
    create(house, postgres)
    wait_for(lambda: end_of(house, "shop.public.t") == 1, "the snapshot")
    postgres.sql("INSERT INTO t VALUES (2);", "shop")
    postgres.stop(signal.SIGQUIT)
    time.sleep(0.3)
    postgres.start()
    postgres.sql("INSERT INTO t VALUES (3);", "shop")
    wait_for(lambda: end_of(house, "shop.public.t") >= 3, "the rows", 60)
    time.sleep(0.5)
    assert sorted(json.loads(m.key())["id"] for m in read(house, "shop.public.t")) == [1, 2, 3]


def test_a_lost_slot_is_said_and_always_begins_anew(house, postgres):
    postgres.sql("CREATE TABLE t (id int PRIMARY KEY);\nINSERT INTO t VALUES (1);", "shop")
    create(house, postgres)
    wait_for(lambda: end_of(house, "shop.public.t") == 1, "the snapshot")
    postgres.sql("INSERT INTO t VALUES (2);", "shop")
    wait_for(lambda: end_of(house, "shop.public.t") == 2, "the change")
    house.stop("connect")
    wait_for(lambda: not postgres.sql("SELECT 1 FROM pg_replication_slots WHERE active"), "the slot to be free")
    postgres.sql("SELECT pg_drop_replication_slot('shop_slot')")
    house.start("connect")

    def failed():
        tasks = rest(house, "GET", f"/connectors/{NAME}/status").get("tasks") or [{}]
        return tasks[0].get("state") == "FAILED" and tasks[0].get("trace")

    assert "snapshot.mode=always" in wait_for(failed, "the failure")
    create(house, postgres, **{"snapshot.mode": "always"})
    wait_for(lambda: end_of(house, "shop.public.t") == 4, "the new snapshot")


def test_stopped_while_it_asks_for_a_tables_columns_it_stops_and_loses_nothing(house, postgres):
    """A commit that waits for a standby is streamed before others see it: the connector waits a second for the columns."""
    postgres.sql(
        "".join(f"CREATE TABLE t{n} (id int PRIMARY KEY);\n" for n in range(5)) + "INSERT INTO t0 VALUES (0);", "shop"
    )
    create(house, postgres)
    wait_for(lambda: end_of(house, "shop.public.t0") == 1, "the snapshot")
    pid, active = house.processes["connect"].pid, "SELECT 1 FROM pg_replication_slots WHERE active"
    for n in range(1, 5):  # a stream is told of a table when its first change comes
        wait_for(lambda: postgres.sql(active), "the stream")
        postgres.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody';\nSELECT pg_reload_conf()")
        with ThreadPoolExecutor(1) as pool:
            done = pool.submit(postgres.sql, f"INSERT INTO t{n} VALUES ({n})", "shop")
            wait_for(lambda: postgres.sql("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'"), "the commit")
            time.sleep(0.3)
            rest_once(house, "PUT", f"/connectors/{NAME}/stop", None)
            wait_for(lambda: not postgres.sql(active), "the end of the stream")
            postgres.sql("ALTER SYSTEM RESET synchronous_standby_names;\nSELECT pg_reload_conf()")
            done.result(30)
        assert house.processes["connect"].poll() is None and house.processes["connect"].pid == pid
        rest_once(house, "PUT", f"/connectors/{NAME}/resume", None)
        wait_for(lambda: end_of(house, f"shop.public.t{n}"), "the row")
        assert [json.loads(m.key())["id"] for m in read(house, f"shop.public.t{n}")] == [n]


def test_wrong_passwords_and_ports_are_named_before_anything_starts(house, postgres):
    for changes, words in [
        ({"database.password": "wrong"}, "password authentication failed"),
        ({"database.port": "1"}, "refused"),
        ({"database.port": "-1"}, "The 'database.port' value is invalid: A port from 1 to 65535 is expected"),
        ({"database.port": "65536"}, "The 'database.port' value is invalid: A port from 1 to 65535 is expected"),
        ({"slot.name": "Bad"}, "Valid replication slot name"),
        ({"table.include.list": "public.("}, "regular expressions"),
        ({"database.user": ""}, "value is required"),
    ]:
        answer = rest(house, "PUT", f"/connectors/{NAME}/config", config(postgres, house, **changes))
        assert answer["error_code"] == 400 and words in answer["message"], answer
