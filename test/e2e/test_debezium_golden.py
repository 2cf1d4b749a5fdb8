"""Replays the recorded cases of Debezium 2.5.4 and compares record by record.

The connector runs in `recorder` (test/golden/recorder.c) against a PostgreSQL of the test's own.  Where
ours differs on purpose, OURS says how; doc/debezium-differences.md tells users.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from golden_compare import differences, normal_records
from scratch_postgres import PsqlSession, ScratchPostgres

ROOT = Path(__file__).resolve().parents[2]
CASES = ROOT / "test" / "golden" / "debezium"
RECORDER = Path(os.environ.get("HAUS_RECORDER", ROOT / "build" / "test" / "golden" / "recorder"))
JSON_CONVERTER = {
    f"{side}.converter{option}": value
    for side in ("key", "value")
    for option, value in {
        "": "org.apache.kafka.connect.json.JsonConverter",
        ".schemas.enable": "true",
        ".decimal.format": "BASE64",
        ".replace.null.with.default": "false",
    }.items()
}

# Areas whose cases are not replayed yet; doc/debezium-differences.md lists them.
NOT_YET = ("04", "05", "06", "09", "11", "13", "14", "15", "17", "18", "19", "20")


@pytest.fixture(scope="module")
def server():
    postgres = ScratchPostgres()
    yield postgres
    postgres.close()


class Replay:
    """One case: its database, its connector's runs, its steps."""

    def __init__(self, server, case, folder, **extra):
        self.server, self.case, self.folder, self.extra = server, case, folder, extra
        self.config = json.loads((case / "connector.json").read_text())
        self.database = self.config["config"]["database.dbname"]
        self.out, self.offsets, self.err = folder / "out.jsonl", folder / "offsets.json", folder / "log.txt"
        self.run, self.task, self.sessions, self.session = 0, None, {}, "main"
        self.failures = []
        self.limited = False

    def prepare(self):
        self.out.touch()
        self.offsets.touch()
        self.server.sql("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active_pid > 0")
        deadline = time.time() + 10
        while self.server.sql("SELECT 1 FROM pg_replication_slots WHERE active") and time.time() < deadline:
            time.sleep(0.02)
        self.server.sql("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")
        self.server.sql(f"DROP DATABASE IF EXISTS {self.database} WITH (FORCE);\nCREATE DATABASE {self.database};")
        self.server.sql((self.case / "setup.sql").read_text(), self.database)

    def start(self, *words):
        options = dict(word.split("=", 1) for word in words if "=" in word)
        config = json.loads((self.case / options.pop("config", "connector.json")).read_text())
        places = {"PGHOST": "127.0.0.1", "PGPORT": str(self.server.port), "PGUSER": "debezium", "PGPASSWORD": "debezium"}
        for name, value in config["config"].items():
            config["config"][name] = re.sub(r"\$\{(\w+)\}", lambda m: places[m[1]], value)
        config["config"].update(JSON_CONVERTER, **{"status.update.interval.ms": "200"}, **self.extra)
        path = self.folder / "config.json"
        path.write_text(json.dumps(config))
        if "fresh" in words:
            self.offsets.write_text("")
        self.run += 1
        self.limited = "limit" in options
        self.err_start = self.err.stat().st_size if self.err.exists() else 0
        command = [RECORDER, path, self.offsets, self.out, str(self.run)] + [f"{k}={v}" for k, v in options.items()]
        self.task = subprocess.Popen([str(c) for c in command], stderr=open(self.err, "a"))

    def streaming(self):
        return "streaming" in self.err.read_text()[self.err_start:]

    def sent_all(self, lsn):
        rows = self.server.sql(
            f"SELECT 1 FROM pg_stat_replication WHERE sent_lsn >= '{lsn}' AND application_name LIKE 'Debezium%'")
        return bool(rows)

    def settle(self, quiet=0.25, timeout=30):
        deadline = time.time() + timeout
        lsn = self.server.sql("SELECT pg_current_wal_lsn()")[0][0]
        size, since = -1, time.time()
        while time.time() < deadline:
            if self.task.poll() is not None:
                return
            now = self.out.stat().st_size
            if now != size:
                size, since = now, time.time()
            elif time.time() - since >= quiet and (self.limited or (self.streaming() and self.sent_all(lsn))):
                return
            time.sleep(0.03)
        raise AssertionError("not settled: " + self.err.read_text()[-2000:])

    def stop(self):
        if self.task and self.task.poll() is None:
            self.task.send_signal(signal.SIGTERM)
        if self.task:
            self.task.wait(20)
        self.task = None

    def step(self, words):
        if words[0] == "settle":
            self.settle()
        elif words[0] == "stop":
            self.settle()
            self.stop()
        elif words[0] == "start":
            self.start(*words[1:])
            self.settle()
        elif words[0] in ("wait", "idle"):
            time.sleep(int(words[1]) / 1000)

    def statements(self, text):
        if not text.strip():
            return
        if self.session not in self.sessions:
            self.sessions[self.session] = PsqlSession(self.server, self.database)
        self.sessions[self.session].run(text)

    def play(self):
        parts = re.split(r"^-- @(step|session) (.*)$", (self.case / "changes.sql").read_text(), flags=re.M)
        late = len(parts) > 1 and parts[1] == "step" and parts[2].startswith("start") and not parts[0].strip()
        if not late:
            self.start()
            self.settle()
        self.statements(parts[0])
        for kind, words, text in zip(parts[1::3], parts[2::3], parts[3::3]):
            if kind == "step":
                self.step(words.split())
            else:
                self.session = words.strip()
            self.statements(text)
        if self.task:
            self.settle()
        self.stop()

    def close(self):
        self.stop()
        for session in self.sessions.values():
            session.close()

    def records(self):
        lines = [json.loads(line) for line in self.out.read_text().splitlines()]
        self.failures = [line for line in lines if "failure" in line]
        return [line for line in lines if "topic" in line]


def replay(server, name, folder, **extra):
    run = Replay(server, CASES / name, folder, **extra)
    run.prepare()
    try:
        run.play()
    finally:
        run.close()
    return run


def expected(name):
    schemas = json.loads((CASES / name / "schemas.json").read_text())
    records = [json.loads(line) for line in (CASES / name / "expected.jsonl").read_text().splitlines()]
    return records, schemas


def check(name, run, wanted=None):
    records, schemas = expected(name)
    got = run.records()
    lines = differences(
        normal_records(wanted(records) if wanted else records, schemas),
        normal_records(got, now_ms=int(time.time() * 1000) + 1))
    assert not lines, f"{name}: " + "\n".join(lines) + "\n" + run.err.read_text()[-1500:]


OURS = {}


def all_cases():
    return sorted(p.name for p in CASES.iterdir() if p.is_dir())


@pytest.mark.parametrize("name", [c for c in all_cases() if c not in OURS])
def test_equal_to_debezium(server, name, tmp_path):
    check(name, replay(server, name, tmp_path))
