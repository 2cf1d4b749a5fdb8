"""The power goes at any moment of a run of `log` and of `store`, and the disk keeps what it likes of what was not
flushed: all that was acknowledged is there, and nothing is that was never asked for.

In short a sample of the places; CRASH_ALL=1 tries all of them, each in all ways (crash_prefix.py, disk.py), and
CRASH_ALL=2/3 the second third of them.
"""

import os
import threading

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic
from crash_prefix import Recording, replay

ALL = os.environ.get("CRASH_ALL")
SAMPLE = tuple(map(int, (ALL if "/" in ALL else "1/1").split("/"))) if ALL else 90
SEED = int(os.environ.get("CRASH_SEED", "1"))
QUIET = {"log_level": 0, "socket.timeout.ms": 10000}


class Deed:
    """Something a client asked for: when, when it was answered (None: never), and with what."""

    def __init__(self, recording, what):
        self.recording, self.what = recording, what
        self.asked = recording.now()
        self.answered = self.answer = None

    def done(self, answer=None):
        self.answer = answer
        self.answered = self.recording.now()

    def must(self, clock):
        return self.answered is not None and self.answered <= clock

    def may(self, clock):
        return self.asked <= clock


def states(deeds, clock):
    """What a thing may be that each deed gives a new value: that of the last answered one, or of a later one."""
    answered = [i for i, deed in enumerate(deeds) if deed.must(clock)]
    first = answered[-1] if answered else -1
    later = [deed.what for i, deed in enumerate(deeds) if i > first and deed.may(clock)]
    return ([deeds[first].what] if answered else [None]) + later


# ------------------------------------------------------------------------------------------------- log


class LogRun:
    """Records, topics, settings, offsets of groups, records deleted: each one asked for and answered before the next."""

    def __init__(self, recording):
        self.recording = recording
        house = recording.house
        self.address = {"bootstrap.servers": house.address("log")}
        self.admin = AdminClient({**self.address, **QUIET})
        self.producer = Producer({**self.address, **QUIET, "enable.idempotence": True, "linger.ms": 0})
        self.records, self.topics, self.retention, self.committed, self.starts = {}, {}, [], [], []

    def deed(self, history, what):
        history.append(Deed(self.recording, what))
        return history[-1]

    def make(self, topic, partitions=1, config=None):
        deed = self.deed(self.topics.setdefault(topic, []), True)
        self.admin.create_topics([NewTopic(topic, partitions, 1, config=config or {})])[topic].result(10)
        deed.done()

    def delete(self, topic):
        deed = self.deed(self.topics[topic], None)
        self.admin.delete_topics([topic])[topic].result(10)
        deed.done()

    def produce(self, topic, partition, values):
        deeds = []
        for value in values:
            deed = self.deed(self.records.setdefault((topic, partition), []), value)
            deeds.append(deed)
            self.producer.produce(
                topic, value, partition=partition, on_delivery=lambda e, m, d=deed: e or d.done(m.offset())
            )
        assert self.producer.flush(10) == 0
        assert all(deed.answered for deed in deeds)

    def keep(self, text):
        deed = self.deed(self.retention, text)
        self.admin.alter_configs([ConfigResource("topic", "a", {"segment.bytes": "1048576", "retention.ms": text})])[
            ConfigResource("topic", "a")
        ].result(10)
        deed.done()

    def commit(self, consumer, offset):
        deed = self.deed(self.committed, offset)
        consumer.commit(offsets=[TopicPartition("a", 0, offset)], asynchronous=False)
        deed.done()

    def forget(self, offset):
        deed = self.deed(self.starts, offset)
        where = TopicPartition("a", 0, offset)
        self.admin.delete_records([where])[TopicPartition("a", 0)].result(10)
        deed.done()

    def run(self):
        self.make("a", 2, {"segment.bytes": "1048576"})
        consumer = Consumer({**self.address, **QUIET, "group.id": "g", "enable.auto.commit": False})
        for turn in range(12):
            body = bytes([65 + turn]) * (300 + 37 * turn)
            self.produce("a", 0, [b"%d-%d-" % (turn, i) + body for i in range(1 + turn % 3)])
            self.produce("a", 1, [b"%d-" % turn + (turn * b"x")])
            if turn % 4 == 1:
                self.commit(consumer, turn)
                self.keep(str(86400000 + turn))
            if turn == 5:
                self.make("gone")
                self.produce("gone", 0, [b"gone"])
            if turn == 7:
                self.forget(3)
                self.delete("gone")
            if turn in (6, 9):  # so large that the segment rolls
                self.produce("a", 0, [b"large-%d-" % turn + os.urandom(600000)])
        consumer.close()
        self.recording.house.stop("log")


def read_all(house, topic, partition, low, high):
    consumer = Consumer(
        {
            "bootstrap.servers": house.address("log"),
            **QUIET,
            "group.id": "reader",
            "enable.auto.commit": False,
            "check.crcs": True,
            "fetch.wait.max.ms": 10,
        }
    )
    consumer.assign([TopicPartition(topic, partition, low)])
    found = {}
    while low + len(found) < high:
        message = consumer.poll(10)
        assert message is not None and not message.error(), (topic, partition, message and message.error())
        found[message.offset()] = message.value()
    consumer.close()
    assert list(found) == list(range(low, high)), (topic, partition, "a gap")
    return found


def check_log(run):
    def promises(house, clock):
        address = {"bootstrap.servers": house.address("log"), **QUIET}
        admin = AdminClient(address)
        there = set(admin.list_topics(timeout=10).topics)
        for topic, deeds in run.topics.items():
            assert (True if topic in there else None) in states(deeds, clock), topic
        consumer = Consumer({**address, "group.id": "g", "enable.auto.commit": False})
        for (topic, partition), deeds in run.records.items():
            if topic in there:
                low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)
                check_records(topic, partition, deeds, clock, low, read_all(house, topic, partition, low, high))
                if (topic, partition) == ("a", 0):
                    assert low in {start or 0 for start in states(run.starts, clock)}, low
        if "a" in there:
            offset = consumer.committed([TopicPartition("a", 0)], timeout=10)[0].offset
            assert (None if offset < 0 else offset) in states(run.committed, clock), offset
            config = admin.describe_configs([ConfigResource("topic", "a")])[ConfigResource("topic", "a")].result(10)
            allowed = {text or "604800000" for text in states(run.retention, clock)}
            assert config["retention.ms"].value in allowed, config["retention.ms"].value
        consumer.close()
        goes_on(house)

    return promises


def check_records(topic, partition, deeds, clock, low, found):
    for deed in deeds:
        if deed.must(clock) and deed.answer >= low:
            assert found.get(deed.answer) == deed.what, (
                topic,
                partition,
                deed.answer,
                "an acknowledged record is lost",
            )
    asked = [deed.what for deed in deeds if deed.may(clock)]
    assert list(found.values()) == asked[low : low + len(found)], (topic, partition, "not what was asked for")


def goes_on(house):
    """Writing works: after the last record comes a new one."""
    failed = []
    producer = Producer({"bootstrap.servers": house.address("log"), **QUIET, "enable.idempotence": True})
    producer.produce("a", b"new", partition=0, on_delivery=lambda e, m: failed.append(e))
    assert producer.flush(10) == 0 and failed == [None], failed


def test_a_log_keeps_what_it_acknowledged_wherever_the_power_goes(tmp_path):
    with Recording("log", tmp_path) as recording:
        run = LogRun(recording)
        run.run()
    tried = replay(recording, "log", check_log(run), SAMPLE, SEED, print)
    print(tried)
    assert all(tried.values())


# ----------------------------------------------------------------------------------------------- store


def s3_of(house):
    return boto3.session.Session().client(
        "s3",
        endpoint_url=house.url("store"),
        region_name="us-east-1",
        aws_access_key_id="minio",
        aws_secret_access_key="minio123",
        config=Config(retries={"max_attempts": 1}),
    )


class StoreRun:
    """Three clients at once, each with keys of its own: small and large objects, again, removed, copied, in parts."""

    def __init__(self, recording):
        self.recording = recording
        self.keys = {}  # key -> deeds, None for a removal
        self.failed = []

    def deed(self, key, body):
        deed = Deed(self.recording, body)
        self.keys.setdefault(key, []).append(deed)
        return deed

    def put(self, s3, key, body):
        deed = self.deed(key, body)
        s3.put_object(Bucket="box", Key=key, Body=body)
        deed.done()

    def remove(self, s3, key):
        deed = self.deed(key, None)
        s3.delete_object(Bucket="box", Key=key)
        deed.done()

    def copy(self, s3, key, source):
        deed = self.deed(key, self.keys[source][-1].what)
        s3.copy_object(Bucket="box", Key=key, CopySource={"Bucket": "box", "Key": source})
        deed.done()

    def in_parts(self, s3, key, parts):
        upload = s3.create_multipart_upload(Bucket="box", Key=key)["UploadId"]
        done = []
        for number, body in enumerate(parts, 1):
            answer = s3.upload_part(Bucket="box", Key=key, UploadId=upload, PartNumber=number, Body=body)
            done.append({"ETag": answer["ETag"], "PartNumber": number})
        deed = self.deed(key, b"".join(parts))
        s3.complete_multipart_upload(Bucket="box", Key=key, UploadId=upload, MultipartUpload={"Parts": done})
        deed.done()

    def client(self, name):
        s3 = s3_of(self.recording.house)
        try:
            for turn in range(4):
                self.put(s3, f"{name}/small", b"%d" % turn * (100 + turn))
                self.put(s3, f"{name}/large", os.urandom(70000 + 5000 * turn))
                self.copy(s3, f"{name}/copy", f"{name}/large")
                self.put(s3, f"{name}/{turn}", b"x" * (2000 * turn + 1))
                if turn % 2:
                    self.remove(s3, f"{name}/{turn - 1}")
            if name == "k0":
                self.in_parts(s3, f"{name}/parts", [os.urandom(5 << 20), b"end"])
            self.remove(s3, f"{name}/large")
        except Exception as error:
            self.failed.append(error)

    def run(self):
        s3_of(self.recording.house).create_bucket(Bucket="box")
        self.bucket = self.recording.now()
        threads = [threading.Thread(target=self.client, args=(f"k{i}",)) for i in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not self.failed
        self.recording.house.stop("store")


def check_store(run):
    def promises(house, clock):
        s3 = s3_of(house)
        if "box" not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]:
            assert clock < run.bucket, "the bucket is lost"
            return
        listed = {item["Key"]: item["Size"] for item in s3.list_objects_v2(Bucket="box").get("Contents", [])}
        for key, deeds in run.keys.items():
            body = get(s3, key)
            assert body in states(deeds, clock), (key, body and len(body), [s and len(s) for s in states(deeds, clock)])
            assert listed.pop(key, None) == (None if body is None else len(body)), key
        assert not listed, "keys that nobody made"
        s3.put_object(Bucket="box", Key="new", Body=b"n" * 100000)
        assert get(s3, "new") == b"n" * 100000

    return promises


def get(s3, key):
    try:
        return s3.get_object(Bucket="box", Key=key)["Body"].read()
    except ClientError as error:
        assert error.response["Error"]["Code"] == "NoSuchKey", (key, error)
        return None


def test_a_store_keeps_what_it_acknowledged_wherever_the_power_goes(tmp_path):
    with Recording("store", tmp_path) as recording:
        run = StoreRun(recording)
        run.run()
    tried = replay(recording, "store", check_store(run), SAMPLE, SEED, print)
    print(tried)
    assert all(tried.values())
