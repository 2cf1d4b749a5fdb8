"""Kills things at random under traffic: kill.py --rounds N --seed S [--count RECORDS].

Each round lets the seeder insert, update and delete, builds stage tables, and meanwhile kills (-9) some of the services,
the supervisor (a new `haus up` takes over), PostgreSQL's postmaster or a backend, builds, new connectors.  Then
everything must settle: all stations equal, counted from outside with strangers' clients, and no event said twice.
The same seed makes the same choices; when they strike is the machine's.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

import outside
from house import BINARY
from playground import Playground, fast_templates

SERVICES = ("postgres", "log", "registry", "connect", "store", "seeder", "console")
VICTIMS = SERVICES + ("supervisor", "backend", "build", "connector")
WEIGHTS = (2, 3, 2, 4, 3, 1, 1, 1, 2, 3, 1)
STRIKES = (2, 5)  # in a round
PAUSE_S = (0.05, 1.5)


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


class Killer:
    def __init__(self, play, seed, say=lambda words: None):
        self.play = play
        self.choose = random.Random(seed)
        self.say = say
        self.strikes = []

    def begin(self, count):
        self.play.haus("up")
        self.play.haus("seed", "--count", str(count), "--batch-size", "100", "--seed", "7")
        self.play.haus("connector", "apply")
        self.play.settle()

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

    def insist(self, *args):
        deadline = time.monotonic() + 60
        while True:
            done = self.play.run(*args)
            if done.returncode == 0:
                return
            assert time.monotonic() < deadline, f"haus {args}: {done.stderr}\n{self.play.logs()}"
            time.sleep(0.3)

    # --------------------------------------------------------------- rounds

    def round(self, number):
        play, first = self.play, len(self.strikes)
        self.insist("seed", "start", "--rate", "15", "--updates", "6", "--deletes", "3")
        for _ in range(self.choose.randint(*STRIKES)):
            time.sleep(self.choose.uniform(*PAUSE_S))
            self.strike(self.choose.choices(VICTIMS, WEIGHTS)[0])
        play.wait_ready(timeout=120)
        self.insist("seed", "stop")
        self.wait_raw()
        self.insist("build")
        rows = play.json("verify")
        words = f"round {number}: {self.strikes[first:]}"
        assert all(row["equal"] for row in rows), (words, rows, play.logs())
        assert all(row["repeated"] == 0 for row in rows), (words, rows, play.logs())
        events = outside.check(play)
        assert events == sum(row["log_events"] for row in rows), words
        assert not outside.orphans(play), words
        self.say(f"{words}: {events} events, equal")

    def wait_raw(self):
        def ask():
            try:
                return self.play.raw_has_all()
            except (AssertionError, KeyError):  # verify cannot read while a service is away
                return False

        self.play.wait_for("the raw files", ask, 180)


def run(rounds, seed, count=100, say=lambda words: None):
    with tempfile.TemporaryDirectory(prefix="haus-kill-") as folder:
        with Playground(folder=fast_templates(folder, schedule_ms=1500)) as play:
            killer = Killer(play, seed, say)
            killer.begin(count)
            for number in range(1, rounds + 1):
                killer.round(number)
            return killer


def main():
    parser = argparse.ArgumentParser(description="kills services of a house at random and proves that nothing is lost")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--count", type=int, default=100, help="records before the first round")
    args = parser.parse_args()
    print(f"seed {args.seed}", file=sys.stderr)
    killer = run(args.rounds, args.seed, args.count, lambda words: print(words, file=sys.stderr, flush=True))
    print(f"{args.rounds} rounds, {len(killer.strikes)} kills, all equal", file=sys.stderr)


if __name__ == "__main__":
    main()
