"""Kills things at random under traffic: test/fault/kill --rounds N --seed S [--count RECORDS].

Each round lets the seeder insert, update and delete, and clients beside it produce records and put objects; builds stage
tables; and meanwhile kills (-9) some of the services, the supervisor (a new `haus up` takes over), PostgreSQL's
postmaster or a backend, builds, new connectors; and pauses, stops and restarts connectors by REST.  Then everything must
settle without a person's help: all stations equal, counted from outside with strangers' clients, no event said twice,
nothing acknowledged lost, nothing half there, no lock left.  The same seed makes the same choices; when they strike is
the machine's.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

import outside
import requests
from botocore.exceptions import BotoCoreError, ClientError
from confluent_kafka import Producer, TopicPartition
from house import BINARY
from playground import Playground, fast_templates

SERVICES = ("postgres", "log", "registry", "connect", "store", "seeder", "console")
VICTIMS = SERVICES + ("supervisor", "backend", "build", "connector", "told")
WEIGHTS = (2, 3, 2, 4, 3, 1, 1, 1, 2, 3, 1, 3)
CONNECTORS = ("postgres-source-storefront", "s3-sink-storefront")
TOLD = (("pause", "resume"), ("stop", "resume"), ("restart?includeTasks=true",))  # by REST, in the midst of work
STRIKES = (2, 5)  # in a round
PAUSE_S = (0.05, 0.8)
STAGE_EVERY = 5  # rounds: between these, `haus verify` alone looks at the stage tables
SCHEDULE_MS = 700  # of the sink's files
SESSION_MS = 2000  # of its group; 6 s otherwise, and each round would wait for it
OBJECT_BYTES = (1000, 300_000)  # in the index, and in a file of its own


def kill(pid):
    """A pid that is gone has been killed already, by us or by its own crash."""
    if pid:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def children(pid):
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(text) for text in found.stdout.split()]


class SideRecords:
    """A producer beside the pipeline: numbers 0, 1, 2, ... to one partition, which must stand there so, each once."""

    TOPIC = "beside"

    def __init__(self, play):
        self.play = play
        self.sent = self.checked = 0
        self.acknowledged = {}  # offset -> number
        settings = {
            "enable.idempotence": True,
            "linger.ms": 1,
            "message.timeout.ms": 120000,
            "reconnect.backoff.max.ms": 200,  # 10 s otherwise, and each round would wait for it
            "log_level": 0,
        }
        self.producer = Producer({"bootstrap.servers": play.address("log"), **settings})

    def _done(self, error, message):
        assert error is None, error
        self.acknowledged[message.offset()] = int(message.value())

    def work(self):
        self.producer.produce(self.TOPIC, str(self.sent), partition=0, on_delivery=self._done)
        self.sent += 1
        self.producer.poll(0.02)

    def check(self):
        assert self.producer.flush(60) == 0, "records are not acknowledged"
        assert len(self.acknowledged) == self.sent
        for message in outside.consume_from(self.play, [TopicPartition(self.TOPIC, 0, self.checked)]):
            assert (message.offset(), int(message.value())) == (self.checked, self.checked)
            self.checked += 1
        assert self.checked == self.sent
        assert self.acknowledged == {i: i for i in range(self.sent)}


class SideObjects:
    """Objects beside the pipeline, put again and again: a reader sees a whole one, and one that may be there."""

    def __init__(self, play):
        self.s3 = outside.pipeline.s3(play)
        self.numbers = {}  # key -> [number of the last that was acknowledged, number of the last that was asked for]
        self.number = self.read = 0

    @staticmethod
    def body(key, number):
        text = f"{key} {number}\n".encode()
        size = OBJECT_BYTES[int(key[-1]) % 2]
        return text * (size // len(text))

    def look(self, key):
        first = self.numbers[key][0]
        body = self.s3.get_object(Bucket="raw", Key=key)["Body"].read()
        allowed = [self.body(key, number) for number in range(first, self.numbers[key][1] + 1)]
        assert body in allowed, (key, len(body), body[:40], self.numbers[key])
        self.read += 1

    def work(self):
        key = f"beside/{self.number % 8}"
        self.number += 1
        entry = self.numbers.setdefault(key, [None, None])
        entry[1] = self.number
        try:
            self.s3.put_object(Bucket="raw", Key=key, Body=self.body(key, self.number))
            entry[0] = self.number
            self.look(key)
        except (BotoCoreError, ClientError) as error:
            answer = (getattr(error, "response", None) or {}).get("Error", {}).get("Code", "")
            assert answer in ("", "SlowDown", "ServiceUnavailable", "InternalError", "503"), error
        time.sleep(0.02)

    def check(self):
        for key, (acknowledged, _) in self.numbers.items():
            if acknowledged:
                self.look(key)


class Side:
    """Something beside the pipeline in a thread of its own, which can pause for a check."""

    def __init__(self, what):
        self.what = what
        self.failed = None
        self.running, self.ended = threading.Event(), threading.Event()
        self.resting = threading.Event()
        self.thread = threading.Thread(target=self._main, daemon=True)
        self.thread.start()

    def _main(self):
        try:
            while not self.ended.is_set():
                if self.running.is_set():
                    self.what.work()
                else:
                    self.resting.set()
                    self.running.wait(1)
        except BaseException as error:
            self.failed = error
        self.resting.set()

    def go(self):
        self.resting.clear()
        self.running.set()

    def check(self):
        self.running.clear()
        assert self.resting.wait(120)
        if self.failed:
            raise self.failed
        self.what.check()

    def end(self):
        self.ended.set()
        self.running.set()
        self.thread.join(120)


class Killer:
    def __init__(self, play, seed, say=lambda words: None):
        self.play = play
        self.choose = random.Random(seed)
        self.say = say
        self.strikes = []
        self.sides = []
        self.ledger = outside.Ledger(play)

    def begin(self, count):
        self.play.haus("up")
        self.play.haus("seed", "--count", str(count), "--batch-size", "100", "--seed", "7")
        self.play.haus("connector", "apply")
        self.play.settle()
        self.records, self.objects = SideRecords(self.play), SideObjects(self.play)
        self.sides = [Side(self.records), Side(self.objects)]

    def end(self):
        for side in self.sides:
            side.end()

    def keep(self):
        """For who looks for the cause: the house as it is, with its log lines, before it is taken down."""
        kept = tempfile.mkdtemp(prefix="haus-kill-kept-")
        subprocess.run(["cp", "-a", self.play.home, kept], check=False)  # files may go while they are copied
        self.say(f"failed after {len(self.strikes)} kills, the last {self.strikes[-5:]}; its files: {kept}")

    # ------------------------------------------------------------- victims

    def strike(self, victim):
        self.strikes.append(victim)
        if victim == "supervisor":
            kill(self.play.json("status")["supervisor"]["pid"])
            self.insist("up")
        elif victim == "backend":
            backends = children(self.play.pid("postgres") or -1)
            if backends:
                kill(self.choose.choice(backends))
        elif victim == "build":
            self.kill_a_build()
        elif victim == "connector":
            self.make_connector_anew()
        elif victim == "told":
            self.tell_a_connector()
        else:
            kill(self.play.pid(victim))

    def kill_a_build(self):
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with subprocess.Popen([BINARY, "build"], env=self.play.env, **quiet) as build:
            time.sleep(self.choose.uniform(0, 0.6))
            build.kill()

    def make_connector_anew(self):
        """The connector is made new with its offsets, so nothing is read twice; connect dies while it starts."""
        self.play.run("connector", "delete", "postgres-source-storefront")
        self.insist("connector", "apply")
        time.sleep(self.choose.uniform(0, 0.5))
        kill(self.play.pid("connect"))

    def tell_a_connector(self):
        name = self.choose.choice(CONNECTORS)
        for what in self.choose.choice(TOLD):
            way, _, query = what.partition("?")
            method = requests.post if way == "restart" else requests.put
            url = f"{self.play.url('connect')}/connectors/{name}/{way}?{query}"
            self.play.wait_for(f"{name} to {way}", lambda method=method, url=url: takes(method, url), 60)
            time.sleep(self.choose.uniform(0, 0.3))

    def insist(self, *args):
        deadline = time.monotonic() + 60
        while True:
            done = self.play.run(*args)
            if done.returncode == 0:
                return
            assert time.monotonic() < deadline, f"haus {args}: {done.stderr}\n{self.play.logs()}"
            time.sleep(0.3)

    # --------------------------------------------------------------- rounds

    def round(self, number, stage=True):
        play, first = self.play, len(self.strikes)
        for side in self.sides:
            side.go()
        self.insist("seed", "start", "--rate", "2", "--updates", "4", "--deletes", "2")
        for _ in range(self.choose.randint(*STRIKES)):
            time.sleep(self.choose.uniform(*PAUSE_S))
            self.strike(self.choose.choices(VICTIMS, WEIGHTS)[0])
        play.wait_ready(timeout=120)
        self.insist("seed", "stop")
        events = self.settle(stage)
        kills = ", ".join(self.strikes[first:])
        self.say(
            f"round {number}: {kills}: {events} events, {self.records.sent} records, {self.objects.number} objects"
        )

    def settle(self, stage):
        for side in self.sides:
            side.check()
        self.play.wait_for("the raw files", self.ledger.has_all, 180)
        self.insist("build")
        rows = self.play.json("verify")
        assert all(row["equal"] for row in rows), rows
        assert all(row["repeated"] == 0 for row in rows), rows
        events = self.ledger.check(stage)
        assert events == sum(row["log_events"] for row in rows)
        self.check_nothing_is_held()
        return events

    def are_running(self):
        answer = requests.get(f"{self.play.url('connect')}/connectors?expand=status", timeout=10).json()
        states = [task["state"] for each in answer.values() for task in each["status"]["tasks"]]
        return len(answer) == 2 and set(states) == {"RUNNING"}

    def check_nothing_is_held(self):
        """Connectors run, one slot is left and it is read, no transaction stands open: nothing waits for a person.

        Each is waited for: a task is RUNNING, as in Kafka Connect, before its stream has begun.
        """
        slots = "SELECT slot_name, active FROM pg_replication_slots"
        open_ones = "SELECT query FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"
        self.play.wait_for("the connectors", self.are_running, 30)
        with self.play.database() as conn:
            self.play.wait_for(
                "the slot's reader", lambda: conn.execute(slots).fetchall() == [("storefront_slot", True)], 30
            )
            self.play.wait_for("open transactions to end", lambda: not conn.execute(open_ones).fetchall(), 30)


def takes(method, url):
    """Whether the worker does it now; it may be away, starting, or busy with another."""
    try:
        return method(url, timeout=30).ok
    except requests.RequestException:
        return False


def quick_templates(folder):
    """A sink whose files close soon, and whose killed consumers are soon known to be dead."""
    target = fast_templates(folder, schedule_ms=SCHEDULE_MS)
    template = target / "connectors" / "s3-sink-storefront.template.json"
    sink = json.loads(template.read_text())
    sink["config"] |= {
        "consumer.override.session.timeout.ms": str(SESSION_MS),
        "consumer.override.heartbeat.interval.ms": str(SESSION_MS // 4),
    }
    template.write_text(json.dumps(sink, indent=2))
    return target


def run(rounds, seed, count=100, say=lambda words: None):
    env = {"KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS": str(SESSION_MS)}
    with tempfile.TemporaryDirectory(prefix="haus-kill-") as folder:
        with Playground(env=env, folder=quick_templates(folder)) as play:
            killer = Killer(play, seed, say)
            try:
                killer.begin(count)
                for number in range(1, rounds + 1):
                    killer.round(number, stage=number % STAGE_EVERY == 0 or number == rounds)
            except BaseException:
                killer.keep()
                raise
            finally:
                killer.end()
            return killer


def main():
    parser = argparse.ArgumentParser(description="kills services of a house at random and proves that nothing is lost")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--count", type=int, default=100, help="records before the first round")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to stop"))  # so that the house is taken down
    print(f"seed {args.seed}", file=sys.stderr)
    killer = run(args.rounds, args.seed, args.count, lambda words: print(words, file=sys.stderr, flush=True))
    print(f"{args.rounds} rounds, {len(killer.strikes)} kills, all equal", file=sys.stderr)


if __name__ == "__main__":
    main()
