"""Too few open files, and readers that do not read: those who are served go on, memory is bounded, the cause is in the
log, and all is well when the cause is gone."""

import socket
import struct
import time

import boto3
import house as house_module
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from house import BINARY, House

FILES = 80
MIB = 1 << 20
QUIET = {"log_level": 0, "socket.timeout.ms": 5000}


@pytest.fixture
def few_files(tmp_path, monkeypatch):
    """Services that may open a few files only."""
    script = tmp_path / "haus"
    script.write_text(f'#!/bin/sh\nulimit -n {FILES}\nexec "{BINARY}" "$@"\n')
    script.chmod(0o755)
    monkeypatch.setattr(house_module, "BINARY", str(script))


def idle_connections(house, service, number):
    held = []
    for _ in range(number):
        try:
            held.append(socket.create_connection(("127.0.0.1", house.port(service)), 5))
        except OSError:
            break
    return held


def close(sockets):
    for one in sockets:
        one.close()


def cpu_seconds(process):
    fields = open(f"/proc/{process.pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def memory_mib(process):
    for line in open(f"/proc/{process.pid}/status"):
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no RssAnon")


def produce(house, topic, values, **settings):
    failed = []
    producer = Producer({"bootstrap.servers": house.address("log"), **QUIET, **settings})
    for value in values:
        producer.produce(topic, value, partition=0, on_delivery=lambda e, m: failed.append(e) if e else None)
    assert producer.flush(20) == 0
    return failed


def read_all(house, topic):
    settings = {"group.id": "x", "enable.partition.eof": True, "enable.auto.commit": False}
    consumer = Consumer({"bootstrap.servers": house.address("log"), **QUIET, **settings})
    consumer.assign([TopicPartition(topic, 0, 0)])
    values = []
    while (message := consumer.poll(20)) is not None and not message.error():
        values.append(message.value())
    consumer.close()
    return values


# ---------------------------------------------------------------------------------------- open files


def test_a_log_with_too_few_files_serves_whom_it_has_and_idles(few_files):
    with House("log") as house:
        process = house.processes["log"]
        assert not produce(house, "a", [b"before"])
        producer = Producer({"bootstrap.servers": house.address("log"), **QUIET})
        producer.produce("a", b"first", partition=0)
        assert producer.flush(10) == 0
        held = idle_connections(house, "log", 2 * FILES)
        producer.produce("a", b"meanwhile", partition=0)
        assert producer.flush(10) == 0
        begin = cpu_seconds(process)
        time.sleep(1)
        assert cpu_seconds(process) - begin < 0.5, "it spins"
        log = house.log_text("log")
        assert "refused a connection" in log and "ulimit -n" in log, log
        close(held)
        assert not produce(house, "a", [b"after"])
        assert read_all(house, "a") == [b"before", b"first", b"meanwhile", b"after"]


def test_a_log_that_cannot_open_more_segments_says_so_and_keeps_the_others(few_files):
    with House("log") as house:
        admin = AdminClient({"bootstrap.servers": house.address("log"), **QUIET})
        assert not produce(house, "a", [b"before"])
        with pytest.raises(KafkaException) as refused:
            admin.create_topics([NewTopic("wide", 3 * FILES, 1)])["wide"].result(10)
        assert "Too many open files" in str(refused.value) or "storage" in str(refused.value).lower(), refused.value
        assert "Too many open files" in house.log_text("log")
        assert "wide" not in admin.list_topics(timeout=10).topics
        assert not produce(house, "a", [b"after"])
        house.restart("log")
        assert read_all(house, "a") == [b"before", b"after"]
        admin.create_topics([NewTopic("narrow", 3, 1)])["narrow"].result(10)


def s3_of(house):
    return boto3.client(
        "s3",
        endpoint_url=house.url("store"),
        region_name="us-east-1",
        aws_access_key_id="minio",
        aws_secret_access_key="minio123",
        config=Config(retries={"max_attempts": 1}, read_timeout=3, connect_timeout=3, s3={"addressing_style": "path"}),
    )


def test_a_store_with_too_few_files_takes_nothing_half_and_goes_on(few_files):
    with House("store") as house:
        process, s3 = house.processes["store"], s3_of(house)
        s3.create_bucket(Bucket="box")
        s3.put_object(Bucket="box", Key="before", Body=b"b" * MIB)
        held = idle_connections(house, "store", 2 * FILES)
        kept = {"before": b"b" * MIB}
        for number in range(3):  # the connection we have is served, what needs a file may be refused
            body = b"%d" % number * MIB
            try:
                s3.put_object(Bucket="box", Key=f"k{number}", Body=body)
                kept[f"k{number}"] = body
            except (BotoCoreError, ClientError):
                pass
        begin = cpu_seconds(process)
        time.sleep(1)
        assert cpu_seconds(process) - begin < 0.5, "it spins"
        assert "ulimit -n" in house.log_text("store"), house.log_text("store")
        close(held)
        time.sleep(0.5)
        s3 = s3_of(house)
        s3.put_object(Bucket="box", Key="after", Body=b"a" * MIB)
        kept["after"] = b"a" * MIB
        there = {item["Key"] for item in s3.list_objects_v2(Bucket="box")["Contents"]}
        assert kept.keys() <= there <= kept.keys() | {"k0", "k1", "k2"}
        for key in there:
            assert s3.get_object(Bucket="box", Key=key)["Body"].read() == kept.get(key, key[1:].encode() * MIB)


# --------------------------------------------------------------------------------------- slow readers


def fetch_request(topic, number, max_bytes):
    """Fetch version 4 of all of partition 0."""
    name = topic.encode()
    body = struct.pack(">iiiib", -1, 0, 1, max_bytes, 0)
    body += struct.pack(">ih", 1, len(name)) + name + struct.pack(">iiqi", 1, 0, 0, max_bytes)
    header = struct.pack(">hhih", 1, 4, number, 4) + b"slow"
    return struct.pack(">i", len(header + body)) + header + body


def receive(one, size):
    parts = []
    while size:
        part = one.recv(min(size, MIB))
        assert part, "the connection was closed"
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def test_fetches_that_nobody_reads_cost_little_and_are_all_there_later(tmp_path):
    requests, body = 8, b"v" * 500_000
    with House("log") as house:
        process = house.processes["log"]
        assert not produce(house, "big", [body] * 40)
        before = memory_mib(process)
        slow = [socket.create_connection(("127.0.0.1", house.port("log")), 20) for _ in range(20)]
        for one in slow:
            for number in range(requests):
                one.sendall(fetch_request("big", number, 40 * MIB))
        time.sleep(1)
        assert memory_mib(process) - before < 64, "what nobody reads lies in memory"  # it is 20 x 8 x 20 MB
        assert not produce(house, "small", [b"x"])
        assert read_all(house, "small") == [b"x"]
        for number in range(requests):
            (size,) = struct.unpack(">i", receive(slow[0], 4))
            answer = receive(slow[0], size)
            assert struct.unpack(">i", answer[:4]) == (number,) and answer.count(body) == 40
        close(slow)


def test_objects_that_nobody_reads_cost_little_and_are_whole_later():
    with House("store") as house:
        process, s3 = house.processes["store"], s3_of(house)
        s3.create_bucket(Bucket="box")
        body = b"%07d\n" * 0 + b"".join(b"%07d\n" % i for i in range(32 * MIB // 8))
        s3.put_object(Bucket="box", Key="big", Body=body)
        url = s3.generate_presigned_url("get_object", Params={"Bucket": "box", "Key": "big"})
        path = url.split(house.address("store"), 1)[1]
        before = memory_mib(process)
        slow = [socket.create_connection(("127.0.0.1", house.port("store")), 20) for _ in range(30)]
        for one in slow:
            one.sendall(f"GET {path} HTTP/1.1\r\nHost: {house.address('store')}\r\nConnection: close\r\n\r\n".encode())
        time.sleep(1)
        assert memory_mib(process) - before < 64, "what nobody reads lies in memory"  # it is 30 x 32 MB
        s3.put_object(Bucket="box", Key="small", Body=b"x")
        assert s3.get_object(Bucket="box", Key="small")["Body"].read() == b"x"
        s3.delete_object(Bucket="box", Key="big")  # who reads it reads on
        head, _, rest = receive_head(slow[0])
        assert head.startswith(b"HTTP/1.1 200")
        assert rest + receive(slow[0], len(body) - len(rest)) == body
        close(slow)


def receive_head(one):
    got = b""
    while b"\r\n\r\n" not in got:
        got += one.recv(4096)
    return got.partition(b"\r\n\r\n")
