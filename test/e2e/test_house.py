"""The house as a whole, from the command line."""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from house import BINARY, PORTS, ROOT, House
from playground import Playground

SERVICES = {"postgres", "log", "store", "registry", "connect", "seeder", "console"}


@pytest.fixture(scope="module")
def play():
    with Playground() as play:
        play.haus("up")
        yield play


def is_alive(pid):
    """A process that ended but that nobody has waited for yet does nothing any more."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def listeners(offset):
    found = []
    for port in PORTS.values():
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port + offset)) == 0:
                found.append(port)
    return found


def test_up_starts_migrates_and_makes_buckets_but_neither_seeds_nor_connects(play):
    state = play.json("status")
    assert state["supervisor"]["pid"]
    assert {row["name"] for row in state["services"]} == SERVICES
    pids = [row["pid"] for row in state["services"]]
    assert len(set(pids)) == len(pids)
    for row in state["services"]:
        assert row["state"] == "ready" and row["memory_bytes"] > 0 and row["restarts"] == 0 and row["reason"] is None
        assert row["address"] == play.address(row["name"])
        assert Path(f"/proc/{row['pid']}/comm").read_text().strip() in ("haus", "postgres")
    assert [row["state"] for row in play.json("migrate", "info")["migrations"]] == ["Success", "Success"]
    assert {row["bucket"] for row in play.json("bucket", "ls")} == {"raw", "lakehouse"}
    assert play.json("connector", "list") == []
    assert all(row["source"] == 0 for row in play.json("verify"))


def test_up_on_a_running_house_is_done_at_once(play):
    before = {name: row["pid"] for name, row in play.status().items()}
    play.haus("up")
    assert {name: row["pid"] for name, row in play.status().items()} == before


def test_a_killed_service_comes_back(play):
    for service in sorted(SERVICES):
        pid = play.pid(service)
        os.kill(pid, signal.SIGKILL)
        row = play.wait_for(
            f"{service} to come back",
            lambda: (lambda r: r["state"] == "ready" and r["pid"] != pid and r)(play.status()[service]),
            timeout=30,
        )
        assert row["restarts"] >= 1


def test_the_next_up_takes_over_from_a_killed_supervisor(play):
    old = play.json("status")
    os.kill(old["supervisor"]["pid"], signal.SIGKILL)
    play.haus("up")
    new = play.json("status")
    assert new["supervisor"]["pid"] != old["supervisor"]["pid"]
    assert all(row["state"] == "ready" for row in new["services"])


def test_a_second_house_on_the_same_home_says_who_holds_it(play):
    done = play.run("run", "log")
    assert done.returncode == 1
    assert f"already run by pid {play.pid('log')}" in done.stderr


def test_a_service_run_elsewhere_on_taken_ports_is_told_who_has_them(play):
    other = Playground()
    other.env["HAUS_PORT_OFFSET"] = str(play.offset)
    try:
        done = other.run("up")
        assert done.returncode == 1
        port = PORTS["log"] + play.offset
        assert (
            f"cannot start log: port {port} is taken by 'haus' (pid {play.pid('log')}); stop it or use --port-offset"
            in done.stderr
        )
    finally:
        shutil.rmtree(other.base)


def test_urls_and_config_name_what_is_in_use(play):
    urls = {row["service"]: row for row in play.json("urls")}
    assert urls["log"]["url"] == play.address("log")
    assert urls["store"]["user"] == "minio" and urls["store"]["password"] == "minio123"
    internal = {row["service"]: row["url"] for row in play.json("urls", "--internal")}
    assert internal["log"] == "kafka:29092" and internal["registry"] == "http://schema-registry:8081"
    config = {row["name"]: row for row in play.json("config")}
    assert config["DEBEZIUM_USER"]["value"] == "debezium_user"
    assert config["DEBEZIUM_USER"]["origin"].startswith(".source.env:")
    assert config["POSTGRES_PASSWORD"]["value"] == "********"


def test_exit_codes_are_few_and_named(play):
    assert play.run("nonsense").returncode == 2
    assert play.run("topic").returncode == 2
    assert play.run("status", "--nonsense").returncode == 2
    assert play.run("topic", "tail").returncode == 2
    assert play.run("topic", "tail", "no-such-topic").returncode == 1
    assert play.run("--help").returncode == 0
    nobody = play.run("--home", str(play.base / "nowhere"), "status")
    assert nobody.returncode == 3 and "nothing is running" in nobody.stderr
    assert play.run("--home", str(play.base / "nowhere"), "--port-offset", "30000", "topic", "list").returncode == 3


def test_colour_only_for_terminals(play):
    assert "\x1b[" not in play.run("up").stderr + play.run("status").stdout


def test_doctor_finds_nothing_ill(play):
    done = play.run("doctor", "-o", "json")
    rows = json.loads(done.stdout)
    assert done.returncode == 0, rows
    assert {row["result"] for row in rows} == {"ok"}


def test_the_console_shows_the_house(play):
    import requests

    assert "haus am see" in requests.get(play.url("console"), timeout=10).text
    state = requests.get(play.url("console") + "/api/state", timeout=20).json()
    assert {row["name"] for row in state["services"]} == SERVICES
    assert {row["bucket"] for row in state["buckets"]} == {"raw", "lakehouse"}
    with requests.get(play.url("console") + "/api/events", stream=True, timeout=20) as events:
        line = next(line for line in events.iter_lines() if line)
        assert json.loads(line.removeprefix(b"data: "))["services"]


def test_logs_are_kept_and_merged(play):
    text = play.haus("logs")
    assert " log " in text and "ready" in text
    assert play.haus("logs", "store") != text


def test_init_makes_a_playground(play):
    target = play.base / "mine"
    play.haus("init", str(target))
    for name in (".source.env", ".streaming.env", ".lake.env", "migrations", "connectors", "models"):
        assert (target / name).exists()


def test_idle_services_use_no_processor_time_to_speak_of(play):
    """Clock ticks (10 ms) over five seconds, all our services together: librdkafka's timers may tick, nothing may poll."""

    def ticks():
        total = 0
        for name, row in play.status().items():
            if name != "postgres":
                fields = Path(f"/proc/{row['pid']}/stat").read_text().rsplit(")", 1)[1].split()
                total += int(fields[11]) + int(fields[12])
        return total

    time.sleep(2)
    before = ticks()
    time.sleep(5)
    assert ticks() - before <= 25


def test_down_leaves_no_process_and_no_listener(play):
    state = play.json("status")
    pids = [row["pid"] for row in state["services"]] + [state["supervisor"]["pid"]]
    play.haus("down")
    assert not [pid for pid in pids if is_alive(pid)]
    assert not listeners(play.offset)
    assert {row["state"] for row in play.json("status")["services"]} == {"stopped"}
    assert {row["pid"] for row in play.json("status")["services"]} == {None}


def test_reset_needs_a_yes_and_removes_only_what_haus_made(play):
    assert play.run("reset").returncode == 2
    innocent = play.base / "innocent"
    innocent.mkdir()
    (innocent / "file").write_text("mine")
    refused = play.run("--home", str(innocent), "reset", "--yes")
    assert refused.returncode == 1 and "not a folder that haus made" in refused.stderr
    play.haus("reset", "--yes")
    assert not play.home.exists() and (innocent / "file").exists()


# ------------------------------------------------------------- what is wrong is said


def failing(env=None, args=("up", "postgres"), folder=None):
    with Playground(env, folder) as other:
        done = other.run(*args)
        assert done.returncode == 1
        return done.stderr


def test_a_missing_postgresql_is_named_with_the_cure():
    words = failing({"HAUS_PG_BIN": "/nowhere"})
    assert "'/nowhere/postgres' is not there; correct HAUS_PG_BIN" in words


def test_an_undefined_variable_in_an_env_file_is_named_with_its_line(tmp_path):
    shutil.copytree(ROOT / "playground", tmp_path / "p")
    with open(tmp_path / "p" / ".lake.env", "a") as file:
        file.write("BROKEN=${NOBODY_SET_THIS}\n")
    lines = len((tmp_path / "p" / ".lake.env").read_text().splitlines())
    words = failing(args=("status",), folder=tmp_path / "p")
    assert f"cannot read '.lake.env:{lines}': '${{NOBODY_SET_THIS}}' is not defined" in words


def test_a_changed_migration_is_refused_in_flyways_words(tmp_path):
    shutil.copytree(ROOT / "playground", tmp_path / "p")
    with Playground(folder=tmp_path / "p") as other:
        other.haus("up", "postgres")
        with open(tmp_path / "p" / "migrations" / "V1__create_storefront_tables.sql", "a") as file:
            file.write("-- changed\n")
        done = other.run("migrate")
        assert done.returncode == 1
        assert "Migration checksum mismatch for migration version 1" in done.stderr
        assert "Either revert the changes to the migration, or run repair" in done.stderr


def test_a_failing_migration_rolls_back_and_names_line_and_statement(tmp_path):
    shutil.copytree(ROOT / "playground", tmp_path / "p")
    with Playground(folder=tmp_path / "p") as other:
        (tmp_path / "p" / "migrations" / "V3__bad.sql").write_text("CREATE TABLE kept (id int);\n\nSELEKT 1;\n")
        done = other.run("up", "postgres")
        assert done.returncode == 1
        assert (
            'Migration of schema "public" to version "3 - bad" failed! Changes successfully rolled back.' in done.stderr
        )
        assert "Line       : 3" in done.stderr and "SELEKT 1" in done.stderr
        states = {row["version"]: row["state"] for row in other.json("migrate", "info")["migrations"]}
        assert states == {"1": "Success", "2": "Success", "3": "Pending"}


def test_a_template_with_an_undefined_variable_or_broken_json_is_named(tmp_path):
    with Playground() as other:
        other.haus("up", "stream")
        template = tmp_path / "a.json"
        template.write_text('{"name": "a", "config": {"x": "${NOBODY_SET_THIS}"}}')
        done = other.run("connector", "apply", str(template))
        assert (
            done.returncode == 1
            and "'${NOBODY_SET_THIS}' is not defined" in done.stderr
            and str(template) in done.stderr
        )
        template.write_text('{"name": "a",\n "config": {"x": }}')
        done = other.run("connector", "apply", str(template))
        assert done.returncode == 1 and "line 2" in done.stderr
        template.write_text('{"name": "a", "config": {"connector.class": "org.example.Nothing"}}')
        done = other.run("connector", "apply", str(template))
        assert done.returncode == 1 and "org.example.Nothing" in done.stderr


def test_a_house_that_an_older_build_runs_is_told(tmp_path):
    with Playground() as other:
        older = shutil.copy(BINARY, tmp_path / "haus")
        subprocess.run([older, "up", "log"], env=other.env, capture_output=True, check=True, timeout=60)
        words = "the house runs another build of haus (supervisor pid "
        assert words in other.run("up", "log").stderr and words in other.run("status").stderr
        other.haus("down")
        assert words not in other.run("up", "log").stderr + other.run("status").stderr


def test_an_interrupted_up_leaves_a_house_that_the_next_up_completes():
    with Playground() as other:
        first = subprocess.Popen([BINARY, "up"], env=other.env, stderr=subprocess.PIPE, text=True)
        time.sleep(0.15)
        first.kill()
        first.communicate()
        other.haus("up")
        assert {row["state"] for row in other.json("status")["services"]} == {"ready"}


def test_no_service_keeps_whoever_started_the_house_waiting():
    with Playground() as play:
        (play.home / "run").mkdir(parents=True)
        (play.home / "logs").mkdir()
        (play.home / "run" / "wanted").write_text("postgres\nlog\n")
        waits, told = os.pipe()
        supervisor = subprocess.Popen(
            [BINARY, "supervise"],
            env={**play.env, "HAUS_READY_FD": str(told)},
            pass_fds=[told],
            stderr=subprocess.DEVNULL,
        )
        os.close(told)
        play.wait_ready("postgres", "log")
        os.set_blocking(waits, False)
        assert os.read(waits, 1) == b""  # the end: nobody holds the other side
        os.close(waits)
        supervisor.terminate()
        assert supervisor.wait(30) == 0


def test_a_service_that_crashes_fails_its_test():
    with pytest.raises(AssertionError, match="crashed|Sanitizer"), House("store") as house:
        house.processes["store"].send_signal(signal.SIGSEGV)
        house.processes["store"].wait(20)
