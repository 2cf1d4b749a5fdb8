"""A house with traffic in which every fault point of the sources is reached: the world fails there once, the supervisor
or the caller goes on, and at the end the source, the log, the raw files and the stage tables say the same.

A walk is one house in which all points that fit fail one after the other, each once (HAUS_FAULT_ONCE); the folder of
files that they leave proves that they were reached.  FAULT_ALL=1 walks in more ways, and through each point alone.
"""

import contextlib
import threading
import time

import outside
import pytest
import requests
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from outside import FULL
from playground import TABLES, Playground, fast_templates

pytestmark = pytest.mark.skipif(not outside.has_fault_points(), reason="built without fault points")

POINTS = outside.points()
SHARED = ("disk.", "net.")  # of the lower tiers: each of these is passed by several processes, and fails in each
COMMANDS = {"lake": "build", "migrate": "up"}  # points of a command, not of a service
SERVICES = {"log", "store", "registry", "connect", "seeder"} | {"postgres"}  # the last: connect's source connector
BEGINNING = {"postgres.slot", "postgres.snapshot_end", "migrate.commit", "store.index_open"}  # passed once in a house
PROCESSES = ("log", "store", "registry", "connect", "seeder", "build", "supervise")
# What each of them must pass while changes stream; the other pairs may be passed or not.
PASSED = {
    "log": {"create", "write", "pwrite", "flush", "flush_dir", "rename", "make_dir", "unlink"},
    "store": {"create", "write", "flush", "flush_dir", "unlink", "answer"},
    "registry": {"answer"},
    "connect": {"answer", "call"},
    "seeder": {"answer"},
    "build": {"create", "write", "make_dir", "unlink", "call"},
    "supervise": {"create", "write", "rename"},
}
# What happens at each point, and at which of its passes: crash is SIGKILL, the others what the system call answers.
SHORT = [("crash@1", "crash@3", "eio@2", "enospc@4")]
LONG = SHORT + [("crash@2",), ("crash@7", "crash@20"), ("eio@1", "enospc@2"), ("crash@2", "eio@3", "delay@4")]
WALKS = LONG if FULL else SHORT
SHARED_SHORT = [("crash@1", "eio@4")]
SHARED_LONG = [("crash@1", "eio@3"), ("crash@5", "enospc@2"), ("error@1", "delay@2", "crash@9")]
WRITES = ("torn@2", "short@3", "enospc@6")  # besides, where bytes are written
NAMES = "+".join
PARTITIONS = 100  # so many that the log flushes them together
SECONDS = 3  # of traffic in each walk, at least
SECONDS_MAX = 240  # until every point has been reached
SPEED = ("--rate", "5", "--updates", "4", "--deletes", "2")
LARGE = 100_000  # bytes: an object in a file of its own
TRIES = 60  # of a command that a fault may fail
NOT_RUNNING = 3  # exit code of a command whose service is away


def test_every_point_belongs_to_somebody_who_is_walked():
    assert len(POINTS) == len(set(POINTS)) > 30
    for point in POINTS:
        assert point.startswith(SHARED) or point.split(".")[0] in SERVICES | COMMANDS.keys(), point
    shared = {point.split(".")[1] for point in POINTS if point.startswith(SHARED)}
    assert set().union(*PASSED.values()) <= shared and BEGINNING <= set(POINTS)


class Walk:
    """A house whose services fail as told; `faults` are texts as HAUS_FAULT has them."""

    def __init__(self, tmp_path, faults, optional=()):
        self.faults = faults
        self.optional = set(optional)
        self.happened_folder = tmp_path / "happened"
        self.happened_folder.mkdir()
        self.play = Playground(folder=fast_templates(tmp_path, schedule_ms=1500, status_ms=1000))
        self.variables = {"HAUS_FAULT": ",".join(faults), "HAUS_FAULT_ONCE": str(self.happened_folder)}
        self.ended = []

    def happened(self):
        return {file.name for file in self.happened_folder.iterdir()}

    def missing(self):
        """Faults to come, but for those whose place the scenario need not pass."""
        return set(self.faults) - self.happened() - self.optional

    def insist(self, *args):
        """What a user does when a command fails: once more, and `haus up` before when it says that nothing runs."""
        for _ in range(TRIES):
            done = self.play.run(*args)
            if done.returncode == 0:
                return done
            self.ended.append((args, done.returncode, done.stderr))
            if done.returncode == NOT_RUNNING:
                self.play.run("up")
            time.sleep(0.3)
        raise AssertionError(f"haus {args} does not come through: {done.stderr}\n{self.play.logs()}")

    def faulty(self):
        """From here on new processes fail where told."""
        self.play.haus("down")
        self.play.env.update(self.variables)
        self.insist("up")

    def healthy(self):
        self.play.haus("down")
        for name in self.variables:
            self.play.env.pop(name, None)
        self.play.haus("up")


@contextlib.contextmanager
def side_traffic(play):
    """What the pipeline itself rarely does: topics made, schemas registered, objects put and removed."""
    stop = threading.Event()
    acknowledged = {"objects": {}, "subjects": [], "records": []}

    def run():
        number = 0
        while not stop.is_set():
            number += 1
            put_and_remove(play, number, acknowledged["objects"])
            with contextlib.suppress(Exception):
                answer = requests.post(
                    f"{play.url('registry')}/subjects/side-{number}/versions",
                    json={"schema": f'{{"type":"record","name":"S{number}","fields":[]}}'},
                    timeout=5,
                )
                if answer.status_code == 200:
                    acknowledged["subjects"].append((f"side-{number}", answer.json()["id"]))
            make_topic(play, f"side-{number}")
            if make_topic(play, "wide", PARTITIONS):  # else the producer would get it made with one partition
                produce_wide(play, number, acknowledged["records"])
            with contextlib.suppress(Exception):
                config = side_connector(number)
                acknowledged["connector"] = None
                answer = requests.put(f"{play.url('connect')}/connectors/side/config", json=config, timeout=5)
                acknowledged["connector"] = config if answer.status_code in (200, 201) else None
            stop.wait(0.3)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield acknowledged
    finally:
        stop.set()
        thread.join()


def put_and_remove(play, number, objects):
    """Small and large objects in turn; of the large ones only the last few stay."""
    body = f"{number:06d}".encode() * (1000 if number % 2 else LARGE // 6)
    s3 = outside.pipeline.s3(play)
    with contextlib.suppress(Exception):
        s3.put_object(Bucket="raw", Key=f"side/{number}", Body=body)
        objects[f"side/{number}"] = body
    with contextlib.suppress(Exception):
        objects.pop(f"side/{number - 4}", None)
        s3.delete_object(Bucket="raw", Key=f"side/{number - 4}")


def side_connector(number):
    return {
        "connector.class": "io.confluent.connect.s3.S3SinkConnector",
        "topics": "side-1",
        "store.url": "http://minio:9000",
        "s3.bucket.name": "raw",
        "storage.class": "io.confluent.connect.s3.storage.S3Storage",
        "format.class": "io.confluent.connect.s3.format.avro.AvroFormat",
        "flush.size": str(number),
    }


def make_topic(play, name, partitions=1):
    admin = AdminClient({"bootstrap.servers": play.address("log"), "socket.timeout.ms": 2000, "log_level": 0})
    try:
        admin.create_topics([NewTopic(name, partitions, 1)], request_timeout=2)[name].result(3)
    except TimeoutError:
        return False
    except KafkaException as error:
        return error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS
    return True


def produce_wide(play, number, acknowledged):
    """One record to each of many partitions at once."""
    settings = {"bootstrap.servers": play.address("log"), "message.timeout.ms": 5000, "linger.ms": 200, "log_level": 0}
    producer = Producer(settings)
    for partition in range(PARTITIONS):
        producer.produce(
            "wide",
            str(number).encode(),
            partition=partition,
            on_delivery=lambda error, m: error or acknowledged.append((m.partition(), m.offset(), m.value())),
        )
    producer.flush(6)


def read_wide(play):
    consumer = Consumer({"bootstrap.servers": play.address("log"), "group.id": "wide", "enable.partition.eof": True})
    consumer.assign([TopicPartition("wide", partition, 0) for partition in range(PARTITIONS)])
    found, ends = set(), 0
    while ends < PARTITIONS:
        message = consumer.poll(20)
        assert message is not None
        if message.error():
            ends += 1
        else:
            found.add((message.partition(), message.offset(), message.value()))
    consumer.close()
    return found


def check_side(play, acknowledged):
    client = outside.pipeline.s3(play)
    for key, body in acknowledged["objects"].items():
        assert client.get_object(Bucket="raw", Key=key)["Body"].read() == body, key
    for subject, number in acknowledged["subjects"]:
        answer = requests.get(f"{play.url('registry')}/subjects/{subject}/versions/latest", timeout=10).json()
        assert answer["id"] == number, answer
    config = acknowledged.get("connector")
    if config:  # else the last word was an error: it may have been heard or not
        there = requests.get(f"{play.url('connect')}/connectors/side/config", timeout=10).json()
        assert there == {**config, "name": "side"}
    assert set(acknowledged["records"]) <= read_wide(play)


def is_stopped(done):
    return done.returncode == 0 or "409" in done.stderr  # it died and knows of no stream


def traffic(walk, speed=SPEED):
    """Changes stream and builds run until every point has been reached, or nothing more is to be expected."""
    begin = time.monotonic()
    while time.monotonic() - begin < (SECONDS_MAX if walk.missing() else SECONDS):
        walk.play.run("seed", "start", *speed)  # again: a seeder that was killed has forgotten it
        time.sleep(0.7)
        walk.play.run("build")
    walk.play.wait_for("the seeder", lambda: is_stopped(walk.play.run("seed", "stop")), 60)


def settle(walk):
    play = walk.play

    def raw_has_all():
        with contextlib.suppress(AssertionError, KeyError):  # verify cannot read while a service is away
            return play.raw_has_all()

    play.wait_for("the raw files", raw_has_all, 120)
    walk.insist("build")
    walk.healthy()  # a fault that is still to come would hit the next look
    rows = play.json("verify")
    assert all(row["equal"] for row in rows), (rows, play.logs())
    assert outside.check(play) == sum(row["log_events"] for row in rows)
    return rows


def own(points):
    """The stations' own points that are passed again and again."""
    return [p for p in points if not p.startswith(SHARED) and p not in BEGINNING]


def streaming(walk):
    """Begins healthy with a snapshot, then fails while changes stream: nothing may be said twice."""
    play = walk.play
    play.haus("up")
    play.haus("seed", "--count", "60", "--batch-size", "20", "--seed", "5")
    play.haus("connector", "apply")
    play.settle()
    walk.faulty()
    with side_traffic(play) as acknowledged:
        traffic(walk)
        kinds = ("objects", "subjects", "records")
        play.wait_for("side traffic that is acknowledged", lambda: all(acknowledged[kind] for kind in kinds), 120)
    rows = settle(walk)
    assert all(row["repeated"] == 0 for row in rows), rows
    check_side(play, acknowledged)
    assert outside.check(play) == sum(row["log_events"] for row in rows)
    assert not outside.orphans(play)


def faults_at(points, ways):
    """A command's process passes its points once for each table, and is over before it could come to a seventh."""
    return [
        f"{point}:{way}"
        for point in points
        for way in ways
        if point.split(".")[0] not in COMMANDS or int(way.split("@")[1]) <= len(TABLES)
    ]


@pytest.mark.parametrize("ways", WALKS, ids=NAMES)
def test_streaming_goes_on_through_faults_at_every_point(tmp_path, ways):
    walk = Walk(tmp_path, faults_at(own(POINTS), ways))
    with walk.play:
        streaming(walk)
        assert not walk.missing(), (walk.missing(), walk.play.logs())


def shared_faults(processes, ways, write_ways):
    """Each process passes the points of the lower tiers by itself: log+disk.flush:eio@4."""
    faults = []
    for process in processes:
        for point in POINTS:
            if point.startswith(SHARED):
                here = ways + (write_ways if point.endswith("write") else ())
                faults += faults_at([f"{process}+{point}"], here)
    return faults


def must_pass(faults):
    """Of these faults the ones whose places are passed for certain, and early enough."""
    return {
        fault
        for fault in faults
        for process, point in [fault.split(":")[0].split("+")]
        if point.split(".")[1] in PASSED.get(process, ()) and fault.endswith("@1")
    }


@pytest.mark.parametrize("ways", SHARED_LONG if FULL else SHARED_SHORT, ids=NAMES)
def test_streaming_goes_on_through_faults_of_disk_and_net_in_each_process(tmp_path, ways):
    faults = shared_faults(PROCESSES, ways, WRITES)
    walk = Walk(tmp_path, faults, optional=set(faults) - must_pass(faults))
    with walk.play:
        streaming(walk)
        print(sorted(walk.happened()))
        assert walk.happened() and not walk.missing(), (walk.missing(), walk.play.logs())


@pytest.mark.parametrize("ways", LONG if FULL else [("crash@2", "enospc@2")], ids=NAMES)
def test_a_snapshot_comes_through_faults_at_every_point(tmp_path, ways):
    faults = faults_at(own(POINTS), ways)
    once = faults_at(BEGINNING - {"migrate.commit", "store.index_open"}, ("crash@1", "eio@1"))
    walk = Walk(tmp_path, faults + once, optional=faults)
    play = walk.play
    with play:
        play.haus("up")
        play.haus("seed", "--count", "300", "--batch-size", "100", "--seed", "5")
        walk.faulty()
        walk.insist("connector", "apply")
        traffic(walk)
        for row in settle(walk):
            if row["repeated"]:  # a killed snapshot begins anew: reads may be said again, changes not
                said = [
                    (key["id"], value["op"], value["source"]["lsn"])
                    for key, value in outside.pipeline.events(play, row["table"])
                    if value["op"] != "r"
                ]
                assert len(said) == len(set(said)), row
        assert not walk.missing() and walk.happened() & set(faults)


@pytest.mark.parametrize("ways", LONG if FULL else [("crash@1", "eio@3")], ids=NAMES)
def test_a_house_begins_through_faults_of_all_that_makes_it(tmp_path, ways):
    """initdb, migrations, the first index, the first topics: `haus up` again, and nothing is left half made."""
    makers = ("postgres", "log", "store", "supervise", "up")
    faults = shared_faults(makers, ways, WRITES if FULL else ())
    once = faults_at({"migrate.commit", "store.index_open"}, ("crash@1", "eio@1"))
    walk = Walk(tmp_path, faults + once, optional=faults)
    play = walk.play
    with play:
        play.env.update(walk.variables)
        walk.insist("up")
        play.wait_ready(timeout=120)
        walk.insist("seed", "--count", "40", "--batch-size", "20", "--seed", "5")
        walk.insist("connector", "apply")
        settle(walk)
        print(sorted(walk.happened()))
        reached = {fault.split("+")[0] for fault in walk.happened() if "+" in fault}
        assert reached == set(makers) and not walk.missing(), (reached, walk.missing())


@pytest.mark.skipif(not FULL, reason="FAULT_ALL=1 walks through each point alone")
@pytest.mark.parametrize("point", own(POINTS))
def test_each_point_alone(tmp_path, point):
    walk = Walk(tmp_path, faults_at([point], ("crash@2", "eio@4", "enospc@6")))
    with walk.play:
        streaming(walk)
        assert walk.happened(), walk.play.logs()
