"""Replays the recorded cases of Debezium 2.5.4 and compares record by record.

The connector runs in `recorder` (test/golden/recorder.c) against a PostgreSQL of the test's own.  Where
ours differs on purpose, OURS says how; doc/debezium-differences.md tells users.
"""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
import requests

from golden_compare import differences, normal_records
from house import House
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

BAD_CONFIGS = "20-bad-configs"  # of another form: what validation says of wrong configurations


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
        self.limit = 0

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
        places = {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.server.port),
            "PGUSER": "debezium",
            "PGPASSWORD": "debezium",
        }
        for name, value in config["config"].items():
            config["config"][name] = re.sub(r"\$\{(\w+)\}", lambda m: places[m[1]], value)
        config["config"].update(JSON_CONVERTER, **{"status.update.interval.ms": "200"}, **self.extra)
        path = self.folder / "config.json"
        path.write_text(json.dumps(config))
        if "fresh" in words:
            self.offsets.write_text("")
        self.run += 1
        self.limit = int(options.get("limit", 0))
        self.err_start = self.err.stat().st_size if self.err.exists() else 0
        command = [RECORDER, path, self.offsets, self.out, str(self.run)] + [f"{k}={v}" for k, v in options.items()]
        self.task = subprocess.Popen([str(c) for c in command], stderr=open(self.err, "a"))

    def streaming(self):
        log = self.err.read_text()[self.err_start :]
        return "streaming" in log or "idle, the snapshot is all" in log

    def sent_all(self, lsn):
        if "streaming" not in self.err.read_text()[self.err_start :]:
            return True
        rows = self.server.sql(
            f"SELECT 1 FROM pg_stat_replication WHERE sent_lsn >= '{lsn}' AND application_name LIKE 'Debezium%'"
        )
        return bool(rows)

    def there(self, lsn):
        """Whether the records of this run are written: as many as its limit allows, or all until lsn."""
        if self.limit:
            return self.out.read_text().count(f'"run":{self.run},"topic"') >= self.limit
        return self.streaming() and self.sent_all(lsn)

    def settle(self, quiet=0.25, timeout=30):
        deadline = time.time() + timeout
        lsn = self.server.sql("SELECT pg_current_wal_lsn()")[0][0]
        size, since = -1, time.time()
        while time.time() < deadline:
            if self.task.poll() is not None:
                return
            now = self.out.stat().st_size
            if now != size or not self.there(lsn):
                size, since = now, time.time()
            elif time.time() - since >= quiet:
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
        assert "Sanitizer" not in self.err.read_text(), self.err.read_text()[-4000:]
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
        normal_records(got, now_ms=int(time.time() * 1000) + 1),
    )
    assert not lines, f"{name}: " + "\n".join(lines) + "\n" + run.err.read_text()[-1500:]


# ---------------------------------------------------------------- on purpose otherwise

# Columns whose values differ: left out of the comparison with Debezium's, and held against each other
# instead (a row of the snapshot and the same row of the stream, 100 further, show the same).
TEMPORAL = "c_date c_ts c_ts0 c_ts3 c_ts6 c_tstz c_tstz0 c_tstz3 c_tstz6".split()
COLUMNS = {
    "02-arrays-odd": ["m_int", "m_text", "m_num", "tz_inf"],
    "02-numbers": ["c_money"],
    "02-strings": ["c_name"],
    "02-temporal": TEMPORAL,
    "02-temporal-extremes": TEMPORAL,
    "02-unknown-excluded": ["c_name", "c_null_void"],
    "02-unknown-included": ["c_null_void"],
    "08-toast-binary-base64": ["b"],
    "08-toast-binary-base64-url-safe": ["b"],
}
WARN = {"event.converting.failure.handling.mode": "warn"}
# A value without a form stops the task and is named; with `warn` it is null, as in Debezium.
UNCONVERTIBLE = {
    "02-arrays-odd": "arrays of more than one dimension",
    "02-numeric-nan": "cannot convert column 'c_n10_2' of 'public.nan_null', row id=1",
    "02-numeric-nan-required": "NaN and infinity have no place in a decimal",
    "02-numeric-nan-required-snapshot": "row id=2",
    "08-toast-required": "column 'na' of 'public.tr', row id=1",
}
OWN = {
    "02-enum-domain",
    "02-numeric-nan",
    "02-numeric-nan-required-snapshot",
    "02-timetz-offset-seconds",
    "08-toast-binary-base64-required",
    "09-enum-grows",
    BAD_CONFIGS,
    "15-interrupted-snapshot",
    "15-initial-only-then-initial",
    "15-slot-lost",
    "15-table-without-columns",
    "16-key-change-split",
    "16-mid-transaction-metadata",
    *COLUMNS,
}


def all_cases():
    return sorted(p.name for p in CASES.iterdir() if p.is_dir())


@pytest.mark.parametrize("name", [c for c in all_cases() if c not in OWN])
def test_equal_to_debezium(server, name, tmp_path):
    check(name, replay(server, name, tmp_path))


def without_columns(records, columns):
    for record in records:
        for side in ("before", "after"):
            row = (record["value"] or {}).get(side)
            for column in columns if row else ():
                row.pop(column, None)
    return records


@pytest.mark.parametrize("name", sorted(COLUMNS))
def test_equal_but_for_columns_that_are_right_here(server, name, tmp_path):
    run = replay(server, name, tmp_path, **(WARN if name == "02-arrays-odd" else {}))
    records, schemas = expected(name)
    got = run.records()
    lines = differences(
        normal_records(without_columns(records, COLUMNS[name]), schemas),
        normal_records(without_columns(got, COLUMNS[name]), now_ms=int(time.time() * 1000) + 1),
    )
    assert not lines, "\n".join(lines) + run.err.read_text()[-1500:]


@pytest.mark.parametrize("name", ["02-numbers", "02-strings", "02-temporal", "02-temporal-extremes"])
def test_a_row_is_the_same_from_snapshot_and_stream(server, name, tmp_path):
    rows = {}
    for record in replay(server, name, tmp_path).records():
        if record["value"] and record["value"]["op"] in "rc":
            after = record["value"]["after"]
            rows[record["topic"], after.pop("id")] = after
    pairs = [(row, rows[topic, id + 100]) for (topic, id), row in rows.items() if (topic, id + 100) in rows]
    assert pairs
    for snapshot, stream in pairs:
        assert snapshot == stream


@pytest.mark.parametrize("name", sorted(UNCONVERTIBLE))
def test_a_value_without_a_form_stops_the_task_and_is_named(server, name, tmp_path):
    run = replay(server, name, tmp_path)
    run.records()
    assert run.failures and UNCONVERTIBLE[name] in run.failures[-1]["failure"], run.failures


def test_numeric_nan_is_null_by_choice(server, tmp_path):
    check("02-numeric-nan", replay(server, "02-numeric-nan", tmp_path, **WARN))


def ops(records):
    return [(r["key"]["id"], r["value"] and r["value"]["op"]) for r in records]


def test_a_domain_over_an_enum_does_no_harm(server, tmp_path):
    assert ops(replay(server, "02-enum-domain", tmp_path).records()) == [(1, "r"), (2, "c")]


def test_a_table_without_columns_does_no_harm(server, tmp_path):
    run = replay(server, "15-table-without-columns", tmp_path)
    assert {r["topic"] for r in run.records()} and not run.failures


def test_a_lost_slot_is_not_made_again_in_silence(server, tmp_path):
    run = replay(server, "15-slot-lost", tmp_path)
    theirs = [r for r in expected("15-slot-lost")[0] if r["run"] == 1]
    assert ops(run.records()) == ops(theirs)
    assert "snapshot.mode=always" in run.failures[-1]["failure"]


def test_initial_after_initial_only_loses_nothing(server, tmp_path):
    """There was no slot meanwhile: the tables are read again, as they are now."""
    run = replay(server, "15-initial-only-then-initial", tmp_path)
    again = [op for r, op in zip(run.records(), ops(run.records())) if r["run"] == 2]
    assert not run.failures and [op for _, op in again].count("r") >= 5


def test_changes_between_two_attempts_of_a_snapshot_are_told(server, tmp_path):
    """A row inserted between them comes with the second snapshot and as a change; so would a delete, which Debezium loses."""
    records = replay(server, "15-interrupted-snapshot", tmp_path).records()
    theirs = expected("15-interrupted-snapshot")[0]
    again = [(r["topic"], r["key"], r["value"]["op"], r["value"]["after"]) for r in records]
    told = ("srv.public.b", {"id": 6}, "c", {"id": 6, "v": "while stopped"})
    assert again.count(told) == 1
    again.remove(told)
    assert again == [(r["topic"], r["key"], r["value"]["op"], r["value"]["after"]) for r in theirs]
    read, change = (r for r in records if r["topic"] == "srv.public.b" and r["key"] == {"id": 6})
    assert change["value"]["source"]["lsn"] < read["value"]["source"]["lsn"]


def test_rows_before_one_that_cannot_be_converted_are_sent(server, tmp_path):
    assert ops(replay(server, "02-numeric-nan-required-snapshot", tmp_path).records()) == [(1, "r")]


def test_offsets_with_seconds_are_understood(server, tmp_path):
    run = replay(server, "02-timetz-offset-seconds", tmp_path)
    records = run.records()
    assert not run.failures
    assert all(r["value"]["after"]["c_timetz"] for r in records if r["value"]["after"]["c_timetz"] is not None)
    assert len(records) == 6


def test_an_unchanged_required_bytea_is_the_placeholder(server, tmp_path):
    run = replay(server, "08-toast-binary-base64-required", tmp_path)
    records, schemas = expected("08-toast-binary-base64-required")
    got = run.records()
    assert not run.failures
    assert not differences(normal_records(records, schemas), normal_records(got[: len(records)]))
    assert len(got) == 6


def test_a_key_change_is_all_or_nothing(server, tmp_path):
    """Its three records share one stored position, which moves with the last of them."""
    records = replay(server, "16-key-change-split", tmp_path).records()
    assert [(r["run"], *op) for r, op in zip(records, ops(records)) if r["run"] > 1] == [
        (2, 2, "d"),
        (3, 2, "d"),
        (4, 2, "d"),
        (4, 2, None),
        (4, 20, "c"),
        (4, 3, "d"),
        (4, 3, None),
        (4, 30, "c"),
    ]


def test_a_restart_inside_a_transaction_goes_on_counting(server, tmp_path):
    records = replay(server, "16-mid-transaction-metadata", tmp_path).records()
    boundaries = [r["value"] for r in records if r["topic"] == "srv.transaction"]
    changes = [r for r in records if r["topic"] != "srv.transaction" and r["run"] > 1]
    assert [b["status"] for b in boundaries] == ["BEGIN", "END"] * (len(boundaries) // 2)
    assert boundaries[3]["event_count"] == 61
    assert [r["value"]["transaction"]["total_order"] for r in changes[:61]] == list(range(1, 62))
    theirs = [r for r in expected("16-mid-transaction-metadata")[0] if r["topic"] != "srv.transaction"]
    assert ops(r for r in records if r["topic"] != "srv.transaction") == ops(theirs)


def labels(record):
    """What a record's schema says of the columns that are enums."""
    found = {}

    def walk(schema):
        for field in schema.get("fields") or ():
            if field.get("name") == "io.debezium.data.Enum":
                found[field["field"]] = field["parameters"]["allowed"].split(",")
            walk(field)

    walk(record["valueSchema"])
    return found


def test_labels_of_an_enum_are_as_new_as_its_table(server, tmp_path):
    records = replay(server, "09-enum-grows", tmp_path).records()
    theirs, _ = expected("09-enum-grows")
    rows = [[(r["key"], r["value"]["op"], r["value"]["after"]) for r in side] for side in (records, theirs)]
    assert rows[0] == rows[1]
    allowed = [labels(r).get("m") for r in records]
    assert allowed[:3] == [["sad", "ok"]] * 3 and allowed[3] == allowed[4] == ["sad", "ok", "happy"]
    assert [sorted(a) for a in allowed[5:]] == [["blue", "happy", "ok"]] * 2
    assert labels(records[5])["l"] == ["x", "y"]


# ------------------------------------------------------------ wrong configurations

# Words of the libraries below: JDBC and Java's Pattern there, libpq and PCRE2 here; ours name the same option.
OTHER_WORDS = {
    "without database.password": "no password supplied",
    "port closed": "Connection refused",
    "database.sslmode = require": "server does not support SSL",
    "host not known": "could not translate host name",
    "table.include.list = public.(": "missing closing parenthesis near index 8",
    "table.exclude.list = *": "quantifier does not follow a repeatable item near index 0",
    "schema.include.list = [": "missing terminating ] for character class",
    **{
        f"{name} = (": "missing closing parenthesis near index 1"
        for name in (
            "schema.exclude.list",
            "column.include.list",
            "column.exclude.list",
            "datatype.propagate.source.type",
            "column.propagate.source.type",
            "message.prefix.include.list",
            "snapshot.include.collection.list",
        )
    },
}
# Refused here, and only when the task starts there (or by Connect, which the recording left out).
REFUSED_EARLIER = {
    "without name": ("name", "Missing required configuration"),
    "money.fraction.digits = x": ("money.fraction.digits", "A short value is expected"),
    "database.initial.statements = SELECT broken": ("database.hostname", 'column "broken" does not exist'),
}


def bad_configs():
    lines = [json.loads(line) for line in (CASES / BAD_CONFIGS / "expected.jsonl").read_text().splitlines()]
    return {line["case"]: line for line in lines}


def ready(house):
    """The address of connect once its worker has read its topics."""
    url, deadline = house.url("connect"), time.time() + 60
    while requests.get(f"{url}/connectors", timeout=60).status_code != 200:
        assert time.time() < deadline, house.log_text("connect")
        time.sleep(0.1)
    return url


@pytest.fixture(scope="module")
def validated(server):
    """Of each case what PUT …/config/validate says, an option at a time, and what POST /connectors answers."""
    base = {
        "name": "golden",
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "database.hostname": "127.0.0.1",
        "database.port": str(server.port),
        "database.user": "debezium",
        "database.password": "debezium",
        "database.dbname": "golden",
        "topic.prefix": "srv",
        "plugin.name": "pgoutput",
        "slot.name": "golden_slot",
        "publication.name": "golden_pub",
    }
    server.sql("DROP DATABASE IF EXISTS golden WITH (FORCE);\nCREATE DATABASE golden;")
    server.sql((CASES / BAD_CONFIGS / "setup.sql").read_text(), "golden")
    answers = {}
    with House("log", "connect") as house:
        url = ready(house)
        for name, case in bad_configs().items():
            config = {k: v for k, v in {**base, **case["set"]}.items() if k not in case["unset"]}
            answer = requests.put(f"{url}/connector-plugins/PostgresConnector/config/validate", json=config, timeout=60)
            found = {}
            if answer.ok:
                values = [row["value"] for row in answer.json()["configs"]]
                found = {value["name"]: value["errors"] for value in values if value["errors"]}
            posted = None
            if found:
                posted = requests.post(f"{url}/connectors", json={"name": "golden", "config": config}, timeout=60)
            answers[name] = (answer.status_code, found, posted)
    return answers


# the last needs a server without logical replication; a class that is not there is not the connector's to say
SAYS_CONNECT = {"connector.class = wrong.Class", "wal_level = replica"}


@pytest.mark.parametrize("name", sorted(set(bad_configs()) - SAYS_CONNECT - set(REFUSED_EARLIER)))
def test_a_wrong_configuration_is_refused_in_debeziums_words(validated, name):
    status, found, posted = validated[name]
    theirs = {error["name"]: error["messages"] for error in bad_configs()[name]["errors"]}
    assert status == 200 and set(found) == set(theirs)
    if name in OTHER_WORDS:
        assert all(OTHER_WORDS[name] in word for words in found.values() for word in words)
    else:  # a sentence that two of its checks say comes twice there
        assert {k: sorted(v) for k, v in found.items()} == {k: sorted(set(v)) for k, v in theirs.items()}
    if theirs:
        message = posted.json()["message"]
        count = sum(map(len, found.values()))
        assert posted.status_code == 400
        assert f"Connector configuration is invalid and contains the following {count} error(s):" in message
        assert all(word in message for words in found.values() for word in words)


@pytest.mark.parametrize("name", sorted(REFUSED_EARLIER))
def test_what_debezium_finds_at_the_start_is_found_before(validated, name):
    option, words = REFUSED_EARLIER[name]
    status, found, _ = validated[name]
    assert status == 200 and list(found) == [option] and words in found[option][0]


def test_a_class_that_is_not_there_is_named(validated):
    assert validated["connector.class = wrong.Class"][0] == 500


def test_a_server_without_logical_replication_is_refused_with_the_cure(server):
    with House("log", "connect") as house:
        plain = ScratchPostgres(wal_level="replica")
        try:
            config = {"connector.class": "io.debezium.connector.postgresql.PostgresConnector", "topic.prefix": "srv"}
            config |= {"name": "golden", "database.hostname": "127.0.0.1", "database.port": str(plain.port)}
            config |= {"database.user": "debezium", "database.password": "debezium", "database.dbname": "postgres"}
            answer = requests.put(
                f"{ready(house)}/connector-plugins/PostgresConnector/config/validate",
                json=config | {"plugin.name": "pgoutput"},
                timeout=60,
            )
        finally:
            plain.close()
    found = {r["value"]["name"]: r["value"]["errors"] for r in answer.json()["configs"] if r["value"]["errors"]}
    (theirs,) = bad_configs()["wal_level = replica"]["errors"]
    assert list(found) == [theirs["name"]]
    assert "wal_level is 'replica', not 'logical'; set wal_level = logical" in found[theirs["name"]][0]
