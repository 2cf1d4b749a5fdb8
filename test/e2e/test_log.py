"""The log as strangers see it: kcat, confluent-kafka, kafka-python and aiokafka, unmodified."""

import asyncio
import os
import signal
import socket
import struct
import subprocess
import threading
import time
import uuid

import pytest
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    ConfigResource,
    NewPartitions,
    NewTopic,
    OffsetSpec,
)

from house import House
from kafka_habits import AN_HOUR_AGO


@pytest.fixture(scope="module")
def house():
    with House("log", env={"KAFKA_NUM_PARTITIONS": "3"}) as house:
        yield house


@pytest.fixture
def topic():
    return "t-" + uuid.uuid4().hex[:12]


ADMINS = {}  # by address: a client that is let go takes its unfinished requests along


def admin(house):
    address = house.address("log")
    if address not in ADMINS:
        ADMINS[address] = AdminClient({"bootstrap.servers": address})
    return ADMINS[address]


def create(house, name, partitions=1, **config):
    new = NewTopic(name, partitions, 1, config={k.replace("_", "."): str(v) for k, v in config.items()})
    admin(house).create_topics([new])[name].result(10)


def producer(house, **config):
    return Producer({"bootstrap.servers": house.address("log"), **config})


def read(house, name, partition=0, offset=0, count=None, **config):
    consumer = Consumer(
        {
            "bootstrap.servers": house.address("log"),
            "group.id": "readers",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            **config,
        }
    )
    consumer.assign([TopicPartition(name, partition, offset)])
    out = []
    try:
        deadline = time.time() + 20
        while time.time() < deadline and (count is None or len(out) < count):
            message = consumer.poll(1)
            if message is None:
                continue
            if message.error():
                if message.error().name() == "_PARTITION_EOF":
                    if count is None:
                        break
                    continue
                raise KafkaException(message.error())
            out.append(message)
    finally:
        consumer.close()
    return out


@pytest.mark.client(
    "Kafka", "confluent-kafka", "produces in every codec with keys, headers and timestamps, and consumes"
)
@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_what_was_produced_is_consumed_in_every_codec(house, topic, codec):
    create(house, topic)
    p = producer(house, **{"compression.type": codec, "linger.ms": 5})
    for i in range(5000):
        p.produce(topic, key=f"k{i}", value=f"value {i} " * 5, headers=[("h", str(i))], timestamp=AN_HOUR_AGO + i)
    assert p.flush(20) == 0
    messages = read(house, topic)
    assert [m.offset() for m in messages] == list(range(5000))
    assert messages[4321].value() == b"value 4321 " * 5
    assert messages[4321].headers() == [("h", b"4321")]
    assert messages[4321].timestamp()[1] == AN_HOUR_AGO + 4321


@pytest.mark.client("Kafka", "confluent-kafka", "an idempotent producer writes each record once")
def test_an_idempotent_producer_writes_each_record_once(house, topic):
    create(house, topic, 3)
    p = producer(house, **{"enable.idempotence": True, "linger.ms": 0})
    for i in range(3000):
        p.produce(topic, value=str(i), partition=i % 3)
        if i % 7 == 0:
            p.poll(0)
    assert p.flush(20) == 0
    for partition in range(3):
        got = [int(m.value()) for m in read(house, topic, partition)]
        assert got == list(range(partition, 3000, 3))


@pytest.mark.client("Kafka", "confluent-kafka", "a topic is made when a producer asks for it")
def test_a_client_that_asks_for_a_new_topic_gets_it(house, topic):
    p = producer(house)
    p.produce(topic, value="x")
    assert p.flush(10) == 0
    metadata = admin(house).list_topics(topic, timeout=10)
    assert len(metadata.topics[topic].partitions) == 3


def test_an_invalid_topic_name_is_refused(house):
    metadata = admin(house).list_topics("no good name", timeout=10)
    assert metadata.topics["no good name"].error.name() == "TOPIC_EXCEPTION"


@pytest.mark.client("Kafka", "confluent-kafka", "admin: topics are created, described, grown and deleted")
def test_topics_are_created_grown_and_deleted(house, topic):
    a = admin(house)
    create(house, topic, 2, retention_ms=1234567)
    with pytest.raises(KafkaException) as e:
        create(house, topic, 2)
    assert e.value.args[0].name() == "TOPIC_ALREADY_EXISTS"
    with pytest.raises(KafkaException) as e:
        a.create_topics([NewTopic(topic + "x", 1, 3)])[topic + "x"].result(10)
    assert e.value.args[0].name() == "INVALID_REPLICATION_FACTOR"
    with pytest.raises(KafkaException) as e:
        create(house, topic + "y", 1, retention_ms="soon")
    assert e.value.args[0].name() == "INVALID_CONFIG"
    a.create_partitions([NewPartitions(topic, 5)])[topic].result(10)
    assert len(a.list_topics(topic, timeout=10).topics[topic].partitions) == 5
    with pytest.raises(KafkaException) as e:
        a.create_partitions([NewPartitions(topic, 5)])[topic].result(10)
    assert e.value.args[0].name() == "INVALID_PARTITIONS"
    configs = a.describe_configs([ConfigResource(ConfigResource.Type.TOPIC, topic)])
    config = next(iter(configs.values())).result(10)
    assert config["retention.ms"].value == "1234567"
    assert config["cleanup.policy"].value == "delete"
    a.delete_topics([topic])[topic].result(10)
    assert topic not in a.list_topics(timeout=10).topics


def test_a_deleted_topic_begins_anew_under_another_id(house, topic):
    for value in ("first", "second"):
        create(house, topic)
        p = producer(house)
        p.produce(topic, value=value)
        assert p.flush(10) == 0
        assert [m.value() for m in read(house, topic)] == [value.encode()]
        admin(house).delete_topics([topic])[topic].result(10)


@pytest.mark.client("Kafka", "confluent-kafka", "admin: offsets by time, earliest, latest, of the largest timestamp")
def test_offsets_are_found_by_time(house, topic):
    create(house, topic)
    p = producer(house, **{"linger.ms": 50})
    base = int(time.time() * 1000) - 100000
    for i in range(1000):
        p.produce(topic, value="x" * 100, timestamp=base + i * 10)
        if i % 100 == 99:
            p.flush(10)
    a = admin(house)
    tp = TopicPartition(topic, 0)

    def ask(spec):
        return a.list_offsets({tp: spec})[tp].result(10)

    assert ask(OffsetSpec.earliest()).offset == 0
    assert ask(OffsetSpec.latest()).offset == 1000
    assert ask(OffsetSpec.for_timestamp(base)).offset == 0
    assert ask(OffsetSpec.for_timestamp(base + 4995)).offset == 500
    assert ask(OffsetSpec.for_timestamp(base + 9990)).offset == 999
    assert ask(OffsetSpec.for_timestamp(base + 9991)).offset == -1
    newest = ask(OffsetSpec.max_timestamp())
    assert (newest.offset, newest.timestamp) == (999, base + 9990)


needs_delete_records = pytest.mark.skipif(
    not hasattr(AdminClient, "delete_records"), reason="needs confluent-kafka 2.6"
)


@needs_delete_records
def test_delete_records_cuts_the_start(house, topic):
    create(house, topic)
    p = producer(house)
    for i in range(100):
        p.produce(topic, value=str(i))
    p.flush(10)
    a = admin(house)
    result = a.delete_records([TopicPartition(topic, 0, 40)])
    assert next(iter(result.values())).result(10).low_watermark == 40
    assert [m.offset() for m in read(house, topic, offset=40)] == list(range(40, 100))
    consumer = Consumer({"bootstrap.servers": house.address("log"), "group.id": "w"})
    assert consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=10) == (40, 100)
    consumer.close()


def test_an_offset_out_of_range_is_told(house, topic):
    create(house, topic)
    p = producer(house)
    p.produce(topic, value="x")
    p.flush(10)
    with pytest.raises(KafkaException) as e:
        read(house, topic, offset=500, count=1, **{"auto.offset.reset": "error"})
    assert e.value.args[0].name() in ("_AUTO_OFFSET_RESET", "OFFSET_OUT_OF_RANGE")


def test_a_message_larger_than_the_topic_takes_is_refused(house, topic):
    create(house, topic, max_message_bytes=2000)
    errors = []
    p = producer(house)
    p.produce(topic, value=os.urandom(3000), on_delivery=lambda e, m: errors.append(e))
    p.flush(10)
    p.produce(topic, value=b"small", on_delivery=lambda e, m: errors.append(e))
    p.flush(10)
    assert sorted(e.name() if e else "ok" for e in errors) == ["MSG_SIZE_TOO_LARGE", "ok"]


def test_a_compacted_topic_wants_keys(house, topic):
    create(house, topic, cleanup_policy="compact")
    errors = []
    p = producer(house)
    p.produce(topic, value=b"no key", on_delivery=lambda e, m: errors.append(e))
    p.flush(10)
    assert errors[0] is not None and errors[0].name() == "INVALID_RECORD"


def test_append_time_replaces_the_clients_time(house, topic):
    create(house, topic, message_timestamp_type="LogAppendTime")
    p = producer(house)
    p.produce(topic, value="x", timestamp=1000000000000)
    p.flush(10)
    kind, ms = read(house, topic)[0].timestamp()
    assert kind == 2 and abs(ms - time.time() * 1000) < 60000


def test_a_waiting_consumer_is_woken_by_the_append(house, topic):
    create(house, topic)
    got = []
    reader = threading.Thread(
        target=lambda: got.extend((m, time.time()) for m in read(house, topic, count=1, **{"fetch.wait.max.ms": 10000}))
    )
    reader.start()
    time.sleep(1)
    p = producer(house, **{"linger.ms": 0})
    sent = time.time()
    p.produce(topic, value="now")
    p.flush(10)
    reader.join(20)
    assert got and got[0][1] - sent < 5  # of the 10 that it would wait


@pytest.mark.client("Kafka", "confluent-kafka", "two members share a topic and their offsets are remembered")
def test_a_group_shares_partitions_and_remembers(house, topic):
    create(house, topic, 4)
    config = {
        "bootstrap.servers": house.address("log"),
        "group.id": "g-" + topic,
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
    }
    members = [Consumer(config) for _ in range(2)]
    for m in members:
        m.subscribe([topic])
    deadline = time.time() + 30
    while not all(len(m.assignment()) == 2 for m in members):
        assert time.time() < deadline
        for m in members:
            assert m.poll(0.1) is None
    p = producer(house)
    for i in range(400):
        p.produce(topic, value=str(i), partition=i % 4)
    p.flush(10)
    got, deadline = set(), time.time() + 30
    while len(got) < 400 and time.time() < deadline:
        for m in members:
            for message in m.consume(50, 0.2):
                if not message.error():
                    got.add(int(message.value()))
    assert got == set(range(400))
    for m in members:
        m.commit(asynchronous=False)
        m.close()
    again = Consumer(config)
    committed = again.committed([TopicPartition(topic, i) for i in range(4)], timeout=10)
    assert sum(c.offset for c in committed) == 400
    again.close()


@pytest.mark.client("Kafka", "kcat", "produces to a partition and consumes with a format of its own")
def test_kcat_reads_and_writes(house, topic):
    address = house.address("log")
    subprocess.run(["kcat", "-b", address, "-P", "-t", topic, "-K:", "-p", "0"], input=b"a:1\nb:2\n", check=True)
    out = subprocess.run(
        ["kcat", "-b", address, "-C", "-t", topic, "-p", "0", "-e", "-q", "-f", "%k=%s@%o\n"],
        capture_output=True,
        check=True,
    )
    assert out.stdout == b"a=1@0\nb=2@1\n"


@pytest.mark.client("Kafka", "kafka-python", "sends and iterates as a group")
def test_kafka_python_reads_and_writes(house, topic):
    from kafka import KafkaConsumer, KafkaProducer

    create(house, topic)
    p = KafkaProducer(bootstrap_servers=house.address("log"), compression_type="gzip", acks="all")
    assert [p.send(topic, f"v{i}".encode()).get(10).offset for i in range(10)] == list(range(10))
    p.close()
    c = KafkaConsumer(
        topic,
        bootstrap_servers=house.address("log"),
        group_id="kp-" + topic,
        auto_offset_reset="earliest",
        consumer_timeout_ms=10000,
    )
    got = []
    for message in c:
        got.append(message.value)
        if len(got) == 10:
            break
    c.close()
    assert got == [f"v{i}".encode() for i in range(10)]


@pytest.mark.client("Kafka", "aiokafka", "sends idempotently and reads as a group")
def test_aiokafka_reads_and_writes(house, topic):
    from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

    create(house, topic)

    async def main():
        p = AIOKafkaProducer(bootstrap_servers=house.address("log"), enable_idempotence=True)
        await p.start()
        for i in range(10):
            assert (await p.send_and_wait(topic, f"v{i}".encode())).offset == i
        await p.stop()
        c = AIOKafkaConsumer(
            topic, bootstrap_servers=house.address("log"), group_id="ak-" + topic, auto_offset_reset="earliest"
        )
        await c.start()
        got = [(await asyncio.wait_for(c.getone(), 20)).value for _ in range(10)]
        await c.stop()
        assert got == [f"v{i}".encode() for i in range(10)]

    asyncio.run(main())


def raw(house, request):
    with socket.create_connection(("127.0.0.1", house.port("log")), 5) as s:
        s.sendall(struct.pack(">i", len(request)) + request)
        s.settimeout(5)
        head = s.recv(4)
        if len(head) < 4:
            return None
        size, body = struct.unpack(">i", head)[0], b""
        while len(body) < size:
            body += s.recv(size - len(body))
        return body


def test_an_unknown_version_of_api_versions_is_answered_in_version_0(house):
    body = raw(house, struct.pack(">hhih", 18, 99, 7, -1))
    correlation, error, count = struct.unpack(">ihi", body[:10])
    assert (correlation, error) == (7, 35)
    keys = {
        struct.unpack(">hhh", body[10 + 6 * i : 16 + 6 * i])[0]: body[10 + 6 * i : 16 + 6 * i] for i in range(count)
    }
    assert struct.unpack(">hhh", keys[0]) == (0, 0, 13)
    assert struct.unpack(">hhh", keys[18]) == (18, 0, 4)
    assert 68 not in keys and 24 not in keys and 71 not in keys


@pytest.mark.parametrize(
    "request_bytes",
    [b"\0" * 8, b"\xff" * 64, struct.pack(">hhih", 3, 9, 1, -1) + b"\xff" * 20, b"GET / HTTP/1.1\r\n\r\n"],
)
def test_garbage_closes_the_connection_and_nothing_else(house, request_bytes):
    assert raw(house, request_bytes) is None
    assert admin(house).list_topics(timeout=10).brokers


def test_a_request_of_two_gigabytes_is_refused_before_it_is_read(house):
    with socket.create_connection(("127.0.0.1", house.port("log")), 5) as s:
        s.sendall(struct.pack(">i", 2**31 - 1) + b"x" * 100)
        s.settimeout(5)
        try:
            assert s.recv(1) == b""
        except ConnectionResetError:
            pass


def test_a_damaged_batch_is_refused(house, topic):
    create(house, topic)
    batch = bytearray(61 + 8)
    struct.pack_into(">qiib", batch, 0, 0, 57, 0, 2)
    request = (
        struct.pack(">hhihhhi", 0, 3, 1, -1, -1, 1, 1000)
        + struct.pack(">i", 1)
        + struct.pack(">h", len(topic))
        + topic.encode()
        + struct.pack(">iii", 1, 0, len(batch))
        + batch
    )
    body = raw(house, request)
    assert struct.unpack(">h", body[4 + 4 + 2 + len(topic) + 4 + 4 :][:2])[0] == 2


def acked_before_kill(house, topic, seconds):
    acked = []
    p = producer(
        house,
        **{
            "linger.ms": 1,
            "message.timeout.ms": 60000,
            "enable.idempotence": True,
            "queue.buffering.max.messages": 2000000,
        },
    )
    killer = threading.Timer(seconds, lambda: house.processes["log"].send_signal(signal.SIGKILL))
    killer.start()
    end, i = time.time() + seconds + 0.5, 0
    while time.time() < end:
        p.produce(topic, value=str(i), on_delivery=lambda e, m: acked.append(int(m.value())) if not e else None)
        i += 1
        p.poll(0.0002)
    killer.join()
    house.processes["log"].wait()
    house.start("log")
    assert p.flush(30) == 0
    return acked, i


@pytest.mark.client(
    "Kafka", "confluent-kafka", "an idempotent producer over a kill -9 of the log: nothing lost, nothing twice"
)
def test_killed_while_producing_nothing_acknowledged_is_lost_and_nothing_comes_twice():
    with House("log") as house:
        create(house, "kill")
        acked, sent = acked_before_kill(house, "kill", 1.0)
        values = [int(m.value()) for m in read(house, "kill")]
        assert len(acked) == sent
        assert values == list(range(sent))


def test_a_torn_tail_is_cut_off():
    with House("log") as house:
        create(house, "torn")
        p = producer(house)
        for i in range(100):
            p.produce("torn", value=str(i))
            p.flush(10)
        house.processes["log"].kill()
        house.processes["log"].wait()
        segment = house.home / "log" / "torn-0" / "00000000000000000000.log"
        with open(segment, "ab") as f:
            f.write(segment.read_bytes()[:50])
        house.start("log")
        assert [int(m.value()) for m in read(house, "torn")] == list(range(100))
        p.produce("torn", value="100")
        assert p.flush(20) == 0
        assert len(read(house, "torn")) == 101


def test_records_of_long_ago_stay_until_retention_looks_again():
    with House("log") as house:
        create(house, "old")
        p = producer(house)
        p.produce("old", value="from 1970", timestamp=1000)
        assert p.flush(10) == 0
        time.sleep(2.5)  # longer than the pause after a change
        assert [m.value() for m in read(house, "old")] == [b"from 1970"]
    with House("log", env={"KAFKA_LOG_RETENTION_CHECK_INTERVAL_MS": "200"}) as house:
        create(house, "old")
        p = producer(house)
        p.produce("old", value="from 1970", timestamp=1000)
        assert p.flush(10) == 0
        deadline = time.time() + 15
        while read(house, "old"):
            assert time.time() < deadline
            time.sleep(0.1)


def test_retention_removes_segments_and_a_restart_keeps_the_start():
    with House("log", env={"KAFKA_LOG_RETENTION_CHECK_INTERVAL_MS": "500"}) as house:
        create(house, "short", segment_bytes=10000, retention_ms=2000)
        p = producer(house, **{"linger.ms": 0})
        for i in range(100):
            p.produce("short", value="x" * 1000)
            p.flush(10)
        directory = house.home / "log" / "short-0"
        deadline = time.time() + 30
        while [f.name for f in directory.glob("*.log")] != ["00000000000000000100.log"]:
            assert time.time() < deadline
            time.sleep(0.2)
        house.processes["log"].kill()
        house.processes["log"].wait()
        house.start("log")
        consumer = Consumer({"bootstrap.servers": house.address("log"), "group.id": "w"})
        assert consumer.get_watermark_offsets(TopicPartition("short", 0), timeout=10) == (100, 100)
        consumer.close()


def test_idle_it_uses_no_processor_and_little_memory():
    with House("log") as house:
        pid = house.processes["log"].pid

        def ticks():
            fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
            return int(fields[11]) + int(fields[12])

        time.sleep(1)
        before = ticks()
        time.sleep(3)
        assert ticks() - before <= 1
        pss = sum(int(line.split()[1]) for line in open(f"/proc/{pid}/smaps_rollup") if line.startswith("Pss:"))
        print("pss kB", pss)
        assert pss < 64 * 1024


@needs_delete_records
@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small disk")
def test_a_full_disk_refuses_writes_keeps_the_log_and_goes_on_when_there_is_space(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk]).returncode:
        pytest.skip("cannot mount")
    try:
        (disk / "home").mkdir()
        with House("log", home=disk / "home") as house:
            create(house, "full")
            errors = []
            p = producer(house, **{"linger.ms": 0, "message.timeout.ms": 3000, "retries": 0})
            for i in range(60):
                p.produce("full", value=os.urandom(100000), on_delivery=lambda e, m: errors.append(e))
                p.flush(10)
            kept = sum(e is None for e in errors)
            assert 20 < kept < 60
            assert len(read(house, "full")) == kept
            cut = admin(house).delete_records([TopicPartition("full", 0, kept)])
            assert next(iter(cut.values())).result(10).low_watermark == kept
            deadline = time.time() + 10
            done = []
            while time.time() < deadline and not any(e is None for e in done):
                p.produce("full", value=b"again", on_delivery=lambda e, m: done.append(e))
                p.flush(10)
            assert any(e is None for e in done)
            house.kill("log")
            house.start("log")
            assert read(house, "full", offset=kept)[-1].value() == b"again"
    finally:
        subprocess.run(["umount", "-l", disk])


def frame(body):
    return struct.pack(">i", len(body)) + body


def receive(s):
    def exactly(n):
        data = b""
        while len(data) < n:
            part = s.recv(n - len(data))
            assert part
            data += part
        return data

    return exactly(struct.unpack(">i", exactly(4))[0])


def fetch_request(correlation, topic, offset, wait_ms, min_bytes=1):
    """Fetch version 4"""
    name = topic.encode()
    return (
        struct.pack(">hhih", 1, 4, correlation, -1)
        + struct.pack(">iiiib", -1, wait_ms, min_bytes, 1 << 25, 0)
        + struct.pack(">ih", 1, len(name))
        + name
        + struct.pack(">iiqi", 1, 0, offset, 1 << 25)
    )


def test_answers_come_in_the_order_of_the_requests_even_behind_a_waiting_one(house, topic):
    create(house, topic)
    with socket.create_connection(("127.0.0.1", house.port("log")), 5) as s:
        versions = [frame(struct.pack(">hhih", 18, 0, n, -1)) for n in (1, 3, 4)]
        started = time.time()
        s.sendall(versions[0] + frame(fetch_request(2, topic, 0, 700)) + versions[1] + versions[2])
        got = [struct.unpack(">i", receive(s)[:4])[0] for _ in range(4)]
        assert got == [1, 2, 3, 4]
        assert time.time() - started > 0.6


def test_a_request_may_come_byte_by_byte(house):
    with socket.create_connection(("127.0.0.1", house.port("log")), 5) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in frame(struct.pack(">hhih", 18, 0, 9, -1)) * 2:
            s.sendall(bytes([byte]))
        assert [struct.unpack(">i", receive(s)[:4])[0] for _ in range(2)] == [9, 9]


def test_a_reader_that_does_not_read_stops_nobody_and_gets_all_in_the_end(house, topic):
    create(house, topic)
    p = producer(house)
    for _ in range(300):
        p.produce(topic, value=os.urandom(100000))
        p.poll(0)
    assert p.flush(30) == 0
    with socket.create_connection(("127.0.0.1", house.port("log")), 5) as s:
        for n in range(5):
            s.sendall(frame(fetch_request(n, topic, 0, 100)))
        time.sleep(0.5)
        started = time.time()
        assert admin(house).list_topics(timeout=10).brokers
        assert time.time() - started < 8
        sizes = [len(receive(s)) for _ in range(5)]
        assert len(set(sizes)) == 1 and sizes[0] > 30000000


def test_a_group_of_connections_comes_and_goes(house):
    before = len(os.listdir(f"/proc/{house.processes['log'].pid}/fd"))
    for _ in range(5):
        sockets = [socket.create_connection(("127.0.0.1", house.port("log")), 5) for _ in range(200)]
        for s in sockets:
            s.sendall(frame(struct.pack(">hhih", 18, 0, 1, -1))[: 4 + len(sockets) % 9])
        for s in sockets:
            s.close()
    deadline = time.time() + 5
    while time.time() < deadline and len(os.listdir(f"/proc/{house.processes['log'].pid}/fd")) > before + 5:
        time.sleep(0.1)
    assert len(os.listdir(f"/proc/{house.processes['log'].pid}/fd")) <= before + 5
