"""A house with traffic in which every fault point of the sources is reached: the world fails there once, the supervisor
or the caller goes on, and at the end the source, the log, the raw files and the stage tables say the same.

A walk is one house in which all points that fit fail one after the other, each once (HAUS_FAULT_ONCE); the folder of
files that they leave proves that they were reached.  FAULT_ALL=1 walks at more passes, and each point alone as well.
"""

import contextlib
import threading
import time

import outside
import pytest
from outside import FULL
from playground import Playground, fast_templates

pytestmark = pytest.mark.skipif(not outside.has_fault_points(), reason="built without fault points")

POINTS = outside.points()
COMMANDS = ("lake.",)  # points of `haus build`, not of a service
DISK = ("log", "store")  # who writes through disk/: its points say nothing about the station
SERVICES = {"log": "log", "store": "store", "registry": "registry", "connect": "connect", "postgres": "connect"}
# (what, at): crash is SIGKILL; the others are what the system call answers
SHORT = [("crash", 1), ("crash", 3), ("eio", 2), ("enospc", 3)]
LONG = SHORT + [("crash", 2), ("crash", 7), ("eio", 1), ("enospc", 1), ("delay", 2)]
WALKS = LONG if FULL else SHORT
SECONDS = 4  # of traffic in each walk
TRIES = 60  # of a command that a fault may fail


def test_every_point_belongs_to_somebody_who_is_walked():
    assert len(POINTS) == len(set(POINTS)) > 15
    for point in POINTS:
        assert point.startswith(COMMANDS) or point.startswith("disk.") or point.split(".")[0] in SERVICES, point


class Walk:
    """A house whose services fail as told; `faults` are texts as HAUS_FAULT has them."""

    def __init__(self, tmp_path, faults, only=None):
        self.faults = faults
        self.happened_folder = tmp_path / "happened"
        self.happened_folder.mkdir()
        self.play = Playground(folder=fast_templates(tmp_path, schedule_ms=1500))
        self.variables = {"HAUS_FAULT": ",".join(faults), "HAUS_FAULT_ONCE": str(self.happened_folder)}
        if only:
            self.variables["HAUS_FAULT_IN"] = only
        self.ended = []

    def happened(self):
        return {file.name for file in self.happened_folder.iterdir()}

    def insist(self, *args):
        """What a user does when a command fails: once more."""
        for _ in range(TRIES):
            done = self.play.run(*args)
            if done.returncode == 0:
                return done
            self.ended.append((args, done.returncode, done.stderr))
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
    acknowledged = {"objects": {}, "subjects": []}

    def run():
        import requests

        number = 0
        while not stop.is_set():
            number += 1
            body = f"{number}".encode() * 1000
            with contextlib.suppress(Exception):
                outside.pipeline.s3(play).put_object(Bucket="raw", Key=f"side/{number}", Body=body)
                acknowledged["objects"][f"side/{number}"] = body
            with contextlib.suppress(Exception):
                answer = requests.post(
                    f"{play.url('registry')}/subjects/side-{number}/versions",
                    json={"schema": f'{{"type":"record","name":"S{number}","fields":[]}}'},
                    timeout=5,
                )
                if answer.status_code == 200:
                    acknowledged["subjects"].append((f"side-{number}", answer.json()["id"]))
            with contextlib.suppress(Exception):
                make_topic(play, f"side-{number}")
            stop.wait(0.3)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield acknowledged
    finally:
        stop.set()
        thread.join()


def make_topic(play, name):
    from confluent_kafka.admin import AdminClient, NewTopic

    admin = AdminClient({"bootstrap.servers": play.address("log"), "socket.timeout.ms": 2000, "log_level": 0})
    admin.create_topics([NewTopic(name, 1, 1)], request_timeout=2)[name].result(3)


def check_side(play, acknowledged):
    import requests

    client = outside.pipeline.s3(play)
    for key, body in acknowledged["objects"].items():
        assert client.get_object(Bucket="raw", Key=key)["Body"].read() == body, key
    for subject, number in acknowledged["subjects"]:
        answer = requests.get(f"{play.url('registry')}/subjects/{subject}/versions/latest", timeout=10).json()
        assert answer["id"] == number, answer
    assert acknowledged["objects"] and acknowledged["subjects"]


def traffic(walk, seconds=SECONDS):
    play = walk.play
    walk.insist("seed", "start", "--rate", "10", "--updates", "5", "--deletes", "2")
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        time.sleep(1)
        play.run("build")
    walk.insist("seed", "stop")


def settle(walk):
    play = walk.play

    def raw_has_all():
        with contextlib.suppress(AssertionError, KeyError):  # verify cannot read while a service is away
            return play.raw_has_all()

    play.wait_for("the raw files", raw_has_all, 120)
    walk.insist("build")
    rows = play.json("verify")
    assert all(row["equal"] for row in rows), (rows, play.logs())
    assert outside.check(play) == sum(row["log_events"] for row in rows)
    return rows


def reached(walk, missing_ok=()):
    """Every fault happened, but for those whose place this walk need not come by."""
    return {fault for fault in walk.faults if fault not in walk.happened() and not fault.startswith(missing_ok)}


def stations(points):
    return [p for p in points if not p.startswith(("disk.", *COMMANDS))]


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
    rows = settle(walk)
    assert all(row["repeated"] == 0 for row in rows), rows
    check_side(play, acknowledged)
    walk.healthy()
    assert outside.check(play) == sum(row["log_events"] for row in rows)
    assert not outside.orphans(play)


@pytest.mark.parametrize("what,at", WALKS)
def test_streaming_goes_on_through_faults_at_every_point(tmp_path, what, at):
    walk = Walk(tmp_path, [f"{point}:{what}@{at}" for point in POINTS if not point.startswith("disk.")])
    with walk.play:
        streaming(walk)
        assert not reached(walk), (reached(walk), walk.play.logs())


@pytest.mark.parametrize("service", DISK)
@pytest.mark.parametrize("what,at", WALKS if FULL else [("crash", 2), ("eio", 3)])
def test_streaming_goes_on_through_faults_of_the_disk(tmp_path, service, what, at):
    walk = Walk(tmp_path, [f"{point}:{what}@{at}" for point in POINTS if point.startswith("disk.")], only=service)
    with walk.play:
        streaming(walk)
        assert walk.happened()


@pytest.mark.parametrize("what,at", LONG if FULL else [("crash", 2)])
def test_a_snapshot_comes_through_faults_at_every_point(tmp_path, what, at):
    walk = Walk(tmp_path, [f"{point}:{what}@{at}" for point in stations(POINTS)])
    play = walk.play
    with play:
        play.haus("up")
        play.haus("seed", "--count", "300", "--batch-size", "100", "--seed", "5")
        walk.faulty()
        walk.insist("connector", "apply")
        traffic(walk, 2)
        rows = settle(walk)
        for table in (row["table"] for row in rows if row["repeated"]):
            ops = [value["op"] for _, value in outside.pipeline.events(play, table)]
            keys = [key["id"] for key, value in outside.pipeline.events(play, table) if value["op"] != "r"]
            assert ops.count("r") > 300 and keys  # only reads are said again


@pytest.mark.skipif(not FULL, reason="FAULT_ALL=1 walks each point alone")
@pytest.mark.parametrize("point", [p for p in POINTS if not p.startswith("disk.")])
def test_each_point_alone(tmp_path, point):
    walk = Walk(tmp_path, [f"{point}:{what}@{at}" for what, at in (("crash", 2), ("eio", 4), ("enospc", 6))])
    with walk.play:
        streaming(walk)
        assert walk.happened(), walk.play.logs()
