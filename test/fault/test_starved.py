"""Services that are away, and sources that lose what they need: work goes on by itself when the cause is gone, or stops
with the cause and the cure in `haus status`, in the trace of Connect's /status, and in connect's log.

AWAY_SECONDS=60 keeps each service away for a minute.  Full disks of the other stations and of the whole house:
test_bad_input, test_log; too few files and slow readers: test_limits.
"""

import contextlib
import os
import signal
import time

import outside
import psycopg
import pytest
import requests
from full_disk import fill, small_disk, stuff  # noqa: F401
from playground import TABLES, Playground, fast_templates

AWAY_S = float(os.environ.get("AWAY_SECONDS", "4"))
SOURCE, SINK = "postgres-source-storefront", "s3-sink-storefront"


@pytest.fixture(scope="module")
def play(tmp_path_factory):
    folder = fast_templates(tmp_path_factory.mktemp("starved"), schedule_ms=1000)
    with Playground(folder=folder) as play:
        play.haus("up")
        play.haus("seed", "--count", "60", "--batch-size", "20", "--seed", "5")
        play.haus("connector", "apply")
        play.settle()
        yield play


def sql(play, *statements):
    with play.database() as conn:
        for statement in statements:
            result = conn.execute(statement)
        return result.fetchall() if result.description else None


def seed(play):
    play.haus("seed", "--count", "20", "--batch-size", "10")


def task(play, name=SOURCE):
    answer = requests.get(f"{play.url('connect')}/connectors/{name}/status", timeout=10).json()
    return (answer.get("tasks") or [{}])[0]


def stops_saying(play, *words):
    """The task fails with these words, and `haus status` has them, and the log.

    A task that tries again is RUNNING for a moment each time, so all of it is waited for.
    """

    def says():
        one, told = task(play), play.run("status")
        if one.get("state") != "FAILED" or told.returncode != 0:
            return False
        row = next((row for row in play.json("status")["connectors"] or [] if row["name"] == SOURCE), {})
        places = [one["trace"], told.stdout, row.get("reason") or ""]
        return row.get("state") == "FAILED" and all(word in place for word in words for place in places)

    play.wait_for(f"the task to fail with {words}", says, 60)
    log = (play.home / "logs" / "connect.log").read_text()
    for word in words:
        assert any(word in line and "cause" in line for line in log.splitlines()), (word, log[-3000:])


def goes_on(play):
    """Rows of now come through; nobody had to restart anything."""
    seed(play)
    rows = play.settle()
    play.wait_for("the tasks", lambda: are_well(play), 30)
    return rows


def are_well(play):
    running = [task(play, name).get("state") == "RUNNING" for name in (SOURCE, SINK)]
    rows = play.json("status")["connectors"] or []
    return all(running) and len(rows) == 2 and all(row["reason"] is None for row in rows)


# ------------------------------------------------------------------------------------------- services


def keep_away(play, service):
    """It hangs for half of the time, and is killed again and again for the other half."""
    os.kill(play.pid(service), signal.SIGSTOP)
    time.sleep(AWAY_S / 2)
    end, last = time.monotonic() + AWAY_S / 2, None
    while time.monotonic() < end:
        pid = play.pid(service)
        if pid:
            last = pid
            with contextlib.suppress(ProcessLookupError):  # it may end by itself meanwhile
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
    play.wait_for("the last end to be seen", lambda: play.pid(service) != last, 30)


@pytest.mark.parametrize("service", ["registry", "store", "log", "postgres"])
def test_a_service_that_is_away_is_waited_for_and_nothing_is_said_twice(play, service):
    play.haus("seed", "start", "--rate", "3", "--updates", "4", "--deletes", "2")
    time.sleep(0.5)
    keep_away(play, service)
    play.wait_ready(timeout=60)
    play.wait_for("the seeder", lambda: play.run("seed", "stop").returncode == 0, 30)
    rows = goes_on(play)
    assert all(rows[table]["repeated"] == 0 for table in TABLES), rows
    assert outside.check(play) == sum(row["log_events"] for row in rows.values())


def test_a_server_whose_disk_is_full_says_the_cure_and_goes_on_when_there_is_space(small_disk, tmp_path):  # noqa: F811
    disk = small_disk(200, "home/postgres")
    play = Playground(folder=fast_templates(tmp_path, schedule_ms=1000))
    play.home = tmp_path / "home"
    play.env["HAUS_HOME"] = str(play.home)

    def has_failed():
        """Rows that do not fit are an error, and all else goes on; without place for its WAL the server ends."""
        with contextlib.suppress(psycopg.Error):
            sql(play, "SELECT pg_logical_emit_message(false, 'full', 'disk')", "SELECT pg_switch_wal()")
        return play.status()["postgres"]["state"] == "failed"

    with play:
        play.haus("up")
        play.haus("seed", "--count", "60", "--batch-size", "20")
        play.haus("connector", "apply")
        play.settle()
        ballast = [fill(disk, leave=8 << 20)]
        stuff(play)
        ballast.append(fill(disk, name="rest"))
        with pytest.raises(psycopg.Error):
            stuff(play, 20_000)
        play.wait_for("the server to fail", has_failed, 60)
        status = play.status()
        for word in ("No space left on device", "free some space"):
            assert word in status["postgres"]["reason"] and word in play.run("status").stdout, status["postgres"]
        assert all(row["state"] == "ready" for name, row in status.items() if name != "postgres"), status
        assert "PostgreSQL" in play.run("seed", "--count", "5").stderr
        for file in ballast:
            file.unlink()
        play.wait_ready(timeout=60)
        stuff(play, 1)
        rows = play.settle()
        assert rows["products"]["source"] == 60 + 200 + 1
        assert all(rows[table]["repeated"] == 0 for table in TABLES), rows
        assert outside.check(play) == sum(row["log_events"] for row in rows.values())
        assert play.status()["postgres"]["reason"] is None


# --------------------------------------------------------------------------------------------- source


def test_a_table_altered_mid_stream_is_followed(play):
    sql(play, "ALTER TABLE customers ADD COLUMN nick text DEFAULT 'none'")
    seed(play)
    sql(play, "UPDATE customers SET nick = 'n' || id WHERE id <= 5")
    sql(play, "ALTER TABLE products ALTER COLUMN stock_quantity TYPE bigint")
    sql(play, "UPDATE products SET stock_quantity = 5000 WHERE id = 1")
    goes_on(play)
    events = outside.pipeline.events(play, "customers")
    nicks = [v["after"]["nick"] for k, v in events if v["op"] == "u" and "nick" in v["after"]]
    assert sorted(nicks[:5]) == [f"n{i}" for i in range(1, 6)]
    folded = outside.pipeline.fold(outside.pipeline.events(play, "products"))
    assert folded[1]["stock_quantity"] == 5000
    sql(play, "ALTER TABLE customers DROP COLUMN nick")
    goes_on(play)
    assert "nick" not in outside.pipeline.events(play, "customers")[-1][1]["after"]
    outside.check(play)


def begin_anew(play):
    """The cure that the words name: no slot, tables read once more, then as before."""
    sql(play, "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active")
    url = f"{play.url('connect')}/connectors/{SOURCE}/config"
    config = requests.get(url, timeout=10).json()
    assert requests.put(url, json={**config, "snapshot.mode": "always"}, timeout=10).status_code == 200
    reads = "SELECT 1 FROM pg_replication_slots WHERE slot_name = 'storefront_slot' AND active"
    play.wait_for("the new snapshot", lambda: play.raw_has_all() and sql(play, reads), 60)
    assert requests.put(url, json=config, timeout=10).status_code == 200
    goes_on(play)


def stop_reading(play):
    url = f"{play.url('connect')}/connectors/{SOURCE}"
    assert requests.put(f"{url}/stop", timeout=10).status_code == 204
    idle = "SELECT 1 FROM pg_replication_slots WHERE active"
    play.wait_for("the slot to be free", lambda: not sql(play, idle), 30)


def read_again(play):
    assert requests.put(f"{play.url('connect')}/connectors/{SOURCE}/resume", timeout=10).status_code == 202


def test_a_slot_that_was_dropped_stops_the_source_with_the_cure(play):
    stop_reading(play)
    sql(play, "SELECT pg_drop_replication_slot('storefront_slot')")
    read_again(play)
    stops_saying(play, "slot 'storefront_slot' does not exist any more", "snapshot.mode=always")
    begin_anew(play)


def test_a_slot_whose_wal_is_gone_stops_the_source_with_the_cure(play):
    stop_reading(play)
    sql(play, "ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'", "SELECT pg_reload_conf()")
    try:
        sql(play, "CREATE TABLE waste (x text)")
        for _ in range(8):
            sql(
                play,
                "INSERT INTO waste SELECT repeat('w', 2000) FROM generate_series(1, 3000)",
                "SELECT pg_switch_wal()",
            )
        sql(play, "CHECKPOINT")
        lost = "SELECT 1 FROM pg_replication_slots WHERE wal_status = 'lost'"
        play.wait_for("the slot to be lost", lambda: sql(play, lost), 30)
        read_again(play)
        stops_saying(play, "slot 'storefront_slot' is lost", "max_slot_wal_keep_size", "snapshot.mode=always")
    finally:
        sql(play, "ALTER SYSTEM RESET max_slot_wal_keep_size", "SELECT pg_reload_conf()", "DROP TABLE IF EXISTS waste")
    begin_anew(play)


def test_a_publication_that_was_dropped_stops_the_source_with_the_cure(play):
    tables = ", ".join(TABLES)
    sql(play, "DROP PUBLICATION storefront_pub")
    seed(play)
    stops_saying(play, "publication", "storefront_pub", "create it")
    sql(play, f"CREATE PUBLICATION storefront_pub FOR TABLE {tables}")
    try:
        play.wait_for("the source", lambda: play.raw_has_all() and task(play)["state"] == "RUNNING", 15)
    except AssertionError:  # the server decodes changes of a time when the publication was not there
        stops_saying(play, "publication", "storefront_pub", "snapshot.mode=always")
        begin_anew(play)
    goes_on(play)
