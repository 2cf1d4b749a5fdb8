"""Bad input and a bad world: each is said in words where the user looks, and nothing acknowledged is lost.

Who covers what:
    port taken                    test_house: a_service_run_elsewhere_on_taken_ports_is_told_who_has_them
    PostgreSQL missing            test_house: a_missing_postgresql_is_named_with_the_cure
    second haus on one home       test_house: a_second_house_on_the_same_home_says_who_holds_it
    wrong password                test_postgres_connector: wrong_passwords_and_ports_are_named_before_anything_starts;
                                  here: changed under a running connector
    wal_level not logical         here
    slot or publication missing   test_postgres_connector: a_lost_slot_is_said_and_always_begins_anew;
                                  here: snapshot.mode=never, slot held by another reader, publication gone
    malformed connector JSON      test_connect: bad_bodies_are_told_apart; test_house: a_template_with_…_broken_json_is_named
    unknown connector class       test_connect: bad_bodies_are_told_apart; test_house: the same template test
    undefined ${VAR}              test_house: the same template test, an_undefined_variable_in_an_env_file_…
    incompatible schema           test_registry: the_client_registers_looks_up_checks_and_deletes (409);
                                  here: what the connector says
    broken stage YAML             test_stage: a_broken_configuration_is_told_with_line_and_column
    raw file truncated            test_stage: a_truncated_raw_file_is_named_and_nothing_is_committed; here: every cut
    bucket missing                test_connect: a_missing_bucket_is_told_and_recovered_from (sink); here: build
    disk full                     test_log: a_full_disk_refuses_writes_… (log); here: store, and the whole house
    flags, settings, .env lines,
    commands, connector settings  here: the tables WORDS, ENV_LINES, SERVICE_WORDS, LIVE_WORDS, CONNECTOR_WORDS
    migrations                    test_migrate: misnamed files, failing scripts, missing placeholders, …
    stage YAML                    test_stage: a_broken_configuration_is_told_with_line_and_column; its unit test has each text
"""

import os
import re
import subprocess
import time

import boto3
import botocore.config
import botocore.exceptions
import psycopg
import pytest
import raw_events as raw
import requests
from full_disk import fill, small_disk, stuff  # noqa: F401
from house import BINARY, House, free_offset
from playground import TABLES, Playground, fast_templates
from scratch_postgres import ScratchPostgres
from test_postgres_connector import (  # noqa: F401
    NAME,
    config,
    create,
    end_of,
    house,
    postgres,
    rest,
    values,
    read,
    wait_for,
    wait_running,
)
from test_stage import lake, orders  # noqa: F401


# ------------------------------------------------- what is typed, and the words that answer

# words, environment, exit code, the whole answer; {tmp} is a folder of the test's
WORDS = [
    ("nosuch", {}, 2, "there is no command 'nosuch'; 'haus --help' lists them"),
    ("up nozone", {}, 2, "there is no zone or service 'nozone'; zones: source, stream, lake, face"),
    ("up --nosuch", {}, 2, "there is no option '--nosuch'; see 'haus up --help'"),
    ("--nosuch up", {}, 2, "there is no option '--nosuch'; see 'haus --help'"),
    ("status extra", {}, 2, "'extra' is one word too many; usage: haus status"),
    ("topic tail a b", {}, 2, "'b' is one word too many; usage: haus topic tail [-f] [-n N] <topic>"),
    ("topic tail", {}, 2, "usage: haus topic tail [-f] [-n N] <topic>"),
    ("run", {}, 2, "usage: haus run <service>"),
    ("run nosuch", {}, 2, "there is no service 'nosuch'; 'haus --help' lists them"),
    ("logs nosuch", {}, 2, "there is no service 'nosuch'; 'haus status' lists them"),
    ("build gold", {}, 2, "there is no layer 'gold' to build; 'stage' is"),
    ("bucket cat raw", {}, 2, "'raw' does not name an object; write bucket/key"),
    ("up --port-offset", {}, 2, "'--port-offset' needs a value: --port-offset N"),
    ("up --port-offset x", {}, 2, "cannot use 'x' for '--port-offset': it must be a whole number, 0 or more"),
    ("up --port-offset -5", {}, 2, "cannot use '-5' for '--port-offset': it must be a whole number, 0 or more"),
    (
        "up --port-offset 70000",
        {},
        1,
        "cannot use '70000' for 'HAUS_PORT_OFFSET' (flag --port-offset): it must be a whole number from 0 to 50000",
    ),
    (
        "status",
        {"HAUS_PORT_OFFSET": "x"},
        1,
        "cannot use 'x' for 'HAUS_PORT_OFFSET' (environment): it must be a whole number from 0 to 50000",
    ),
    ("status -o yaml", {}, 2, "'yaml' is not an output format; write -o json or -o text"),
    (
        "status --log-format xml",
        {},
        1,
        "cannot use 'xml' for 'HAUS_LOG_FORMAT' (flag --log-format): it must be text or json",
    ),
    (
        "status",
        {"HAUS_LOG_FORMAT": "xml"},
        1,
        "cannot use 'xml' for 'HAUS_LOG_FORMAT' (environment): it must be text or json",
    ),
    ("seed --count x", {}, 2, "cannot use 'x' for '--count': it must be a whole number, 0 or more"),
    (
        "seed --count 99999999999999999999",
        {},
        2,
        "cannot use '99999999999999999999' for '--count': it must be a whole number, 0 or more",
    ),
    ("reset --yes=no", {}, 2, "'--yes' takes no value; write '--yes' alone"),
    ("seed", {}, 3, "'seeder' is not running; start it with 'haus up'"),
    ("topic list", {}, 3, "'log' is not running; start it with 'haus up'"),
    ("connector apply", {}, 3, "'connect' is not running; start it with 'haus up'"),
    ("build", {}, 3, "'store' is not running; start it with 'haus up'"),
    ("sql select", {}, 3, "'store' is not running; start it with 'haus up'"),
    ("--home {tmp}/strange reset --yes", {}, 1, "cannot reset '{tmp}/strange': it is not a folder that haus made"),
    (
        "--home {tmp}/file/home up",
        {},
        1,
        "cannot use '{tmp}/file/home' as the home; name another with --home or HAUS_HOME: cannot make directory"
        " '{tmp}/file': Not a directory",
    ),
    (
        "--playground {tmp}/nosuch up",
        {},
        1,
        "cannot use '{tmp}/nosuch' as the playground (flag --playground): there is no such folder; 'haus init {tmp}/nosuch'"
        " makes one",
    ),
    (
        "up",
        {"HAUS_PLAYGROUND": "{tmp}/nosuch"},
        1,
        "cannot use '{tmp}/nosuch' as the playground (HAUS_PLAYGROUND): there is no such folder; 'haus init {tmp}/nosuch'"
        " makes one",
    ),
    ("init {tmp}/file/play", {}, 1, "cannot make directory '{tmp}/file': Not a directory"),
    (
        "up",
        {"HAUS_EXTERNAL": "console"},
        1,
        "'console' cannot be external; HAUS_EXTERNAL takes postgres, log, registry, connect, store",
    ),
    (
        "up",
        {"HAUS_EXTERNAL": "log"},
        1,
        "'log' is external (HAUS_EXTERNAL) but 'BOOTSTRAP_SERVER' does not say where; e.g."
        " BOOTSTRAP_SERVER=broker.example.com:9092",
    ),
    (
        "up",
        {"HAUS_EXTERNAL": "log", "BOOTSTRAP_SERVER": "a:9092,b:x"},
        1,
        "cannot use 'a:9092,b:x' for 'BOOTSTRAP_SERVER' (environment): 'b:x' is not an address: its port must be a number"
        " from 1 to 65535; e.g. BOOTSTRAP_SERVER=broker.example.com:9092",
    ),
    (
        "up",
        {"HAUS_EXTERNAL": "store", "MINIO_ENDPOINT": "ftp://x"},
        1,
        "cannot use 'ftp://x' for 'MINIO_ENDPOINT' (environment): only http is spoken; e.g."
        " MINIO_ENDPOINT=http://s3.example.com:9000",
    ),
    (
        "up",
        {"HAUS_EXTERNAL": "postgres", "POSTGRES_HOST": "db", "POSTGRES_PORT": "x"},
        1,
        "cannot use 'db' for 'POSTGRES_HOST' (environment): 'db:x' is not an address: its port must be a number from 1 to"
        " 65535; e.g. POSTGRES_HOST=db.example.com:5432",
    ),
    (
        "up store",
        {"HAUS_EXTERNAL": "store", "MINIO_ENDPOINT": "http://127.0.0.1:1"},
        1,
        "the external store '127.0.0.1:1' does not answer: Connection refused; start it, or correct MINIO_ENDPOINT",
    ),
    (
        "up postgres",
        {"HAUS_PG_BIN": "{tmp}/nosuch"},
        1,
        "cannot start postgres: cannot find PostgreSQL: '{tmp}/nosuch/postgres' is not there; correct HAUS_PG_BIN",
    ),
]


@pytest.fixture
def place(tmp_path):
    """A folder with a file, a folder that is not ours, and room for a home."""
    (tmp_path / "file").write_text("x")
    (tmp_path / "strange").mkdir()
    (tmp_path / "strange" / "thing").write_text("x")
    yield tmp_path
    run_words(tmp_path, ["down"], {})  # a house that could not start whole goes on trying


def run_words(place, args, env):
    hidden = ("HAUS_", "MINIO_", "POSTGRES_", "BOOTSTRAP_", "KAFKA_", "CONNECT_", "SCHEMA_REGISTRY_")
    clean = {k: v for k, v in os.environ.items() if not k.startswith(hidden)}
    clean.update({"HAUS_HOME": str(place / "home"), "HAUS_PORT_OFFSET": str(free_offset())})
    clean.update({k: v.replace("{tmp}", str(place)) for k, v in env.items()})
    args = [a.replace("{tmp}", str(place)) for a in args]
    return subprocess.run(
        [BINARY, *args], env=clean, capture_output=True, text=True, timeout=60, cwd=place, check=False
    )


@pytest.mark.parametrize("words,env,code,answer", WORDS, ids=[f"{n}-{w[0]}" for n, w in enumerate(WORDS)])
def test_what_is_typed_wrong_is_answered_in_one_line(place, words, env, code, answer):
    done = run_words(place, words.split(), env)
    assert done.stderr.splitlines()[-1] == "haus: " + answer.replace("{tmp}", str(place)), done.stderr
    assert done.returncode == code


def test_a_word_that_begins_several_commands_is_answered_with_them(place):
    done = run_words(place, ["connector", "nosuch"], {})
    assert done.stderr.startswith(
        "haus: there is no command 'connector nosuch'; 'connector' is one of:\n  haus connector"
    )
    assert done.returncode == 2


ENV_LINES = [
    ("A", "'A' is not NAME=value"),
    ("=x", "'' is not a variable name"),
    ("1A=x", "'1A' is not a variable name"),
    ("A B=x", "'A B' is not a variable name"),
    ("export", "'export' is not NAME=value"),
    ('A="x', "the value's double quote is not closed"),
    ("A='x", "the value's single quote is not closed"),
    ("A=${B", "'${' has no closing '}'"),
    ("A=${NOSUCH}", "'${NOSUCH}' is not defined; set it in the environment or in a .env file"),
    ("A=${NOSUCH:?say which}", "'${NOSUCH}' is not defined: say which"),
    ("A=${!}", "'${!}' is not a variable; write ${NAME} or ${NAME:-default}"),
]


@pytest.mark.parametrize("line,cause", ENV_LINES)
def test_a_wrong_line_of_an_env_file_is_named(place, line, cause):
    (place / ".streaming.env").write_text(f"# a comment\nOK=1\n{line}\n")
    done = run_words(place, ["--playground", str(place), "status"], {})
    assert done.stderr == f"haus: cannot read '.streaming.env:3': {cause}\n"
    assert done.returncode == 1


SERVICE_WORDS = [
    (
        "log",
        {"KAFKA_NUM_PARTITIONS": "x"},
        "cannot use 'KAFKA_NUM_PARTITIONS' (from environment): Invalid value x for configuration num.partitions: Not a"
        " number of type INT",
    ),
    (
        "log",
        {"KAFKA_NUM_PARTITIONS": "0"},
        "cannot use 'KAFKA_NUM_PARTITIONS' (from environment): Invalid value 0 for configuration num.partitions: Value must"
        " be at least 1",
    ),
    ("log", {"HAUS_HOST": "no.such.host.invalid"}, "cannot listen on 'no.such.host.invalid': {why}; correct HAUS_HOST"),
    ("store", {"HAUS_HOST": "192.0.2.1"}, "cannot listen on '192.0.2.1:{port}' (HAUS_HOST): {why}"),
    (
        "store",
        {"MINIO_ROOT_USER": "ab"},
        "cannot use 'ab' for 'MINIO_ROOT_USER' (environment): it needs at least 3 characters",
    ),
    (
        "store",
        {"MINIO_ROOT_PASSWORD": "short"},
        "cannot use 'MINIO_ROOT_PASSWORD' (environment): it needs at least 8 characters",
    ),
    (
        "connect",
        {"CONNECT_OFFSET_FLUSH_INTERVAL_MS": "x"},
        "cannot use 'x' for 'CONNECT_OFFSET_FLUSH_INTERVAL_MS' (environment): it must be milliseconds, 1 or more",
    ),
    (
        "registry",
        {"SCHEMA_REGISTRY_SCHEMA_COMPATIBILITY_LEVEL": "NICE"},
        "setting 'SCHEMA_REGISTRY_SCHEMA_COMPATIBILITY_LEVEL' is 'NICE'; it must be none, backward, forward, full, or one of"
        " the last three with _transitive",
    ),
]


@pytest.mark.parametrize("service,env,cause", SERVICE_WORDS)
def test_a_service_names_the_setting_that_it_cannot_use(place, service, env, cause):
    done = run_words(place, ["run", service], env)
    pattern = re.escape(cause).replace(re.escape("{why}"), "[A-Z][a-z ]+").replace(re.escape("{port}"), "[0-9]+")
    assert re.search(f'failed cause="{pattern}"\n$', done.stderr), done.stderr
    assert done.returncode == 1


@pytest.fixture(scope="module")
def live():
    with Playground() as play:
        play.haus("up")
        play.haus("seed", "--count", "20")
        play.haus("connector", "apply")
        play.settle()
        yield play


LIVE_WORDS = [
    (["sql", "SELEC 1"], 'Parser Error: syntax error at or near "SELEC" (line 1, column 1)'),
    (
        ["sql", "SELECT *\nFROM nosuch_at_all"],
        "Catalog Error: Table with name nosuch_at_all does not exist! {hint} (line 2, column 6)",
    ),
    (
        ["sql", "SELECT nocol FROM orders"],
        'Binder Error: Referenced column "nocol" not found in FROM clause! Candidate bindings: {hint} (line 1, column 8)',
    ),
    (["sql", "SELECT error('x')"], "Invalid Input Error: x"),
    (["sql", ""], "there is no SQL to run"),
    (["table", "describe", "nosuch"], "there is no table 'nosuch' in 's3a://lakehouse/'"),
    (["topic", "tail", "nosuch"], "there is no topic 'nosuch'; 'haus topic list' shows them"),
    (["bucket", "ls", "nosuch"], "cannot list 'nosuch': NoSuchBucket (The specified bucket does not exist.)"),
    (["bucket", "cat", "raw/nosuch"], "cannot get 'raw/nosuch': NoSuchKey (The specified key does not exist.)"),
    (["build", "--table", "nosuch"], "'{play}/models/stage/stage_tables.yaml' has no table 'nosuch'"),
    (["build", "--config", "/nosuch.yaml"], "cannot open '/nosuch.yaml': No such file or directory"),
    (["seed", "--count", "0"], "cannot use '0' for '--count': Input should be greater than or equal to 1"),
    (["seed", "--batch-size", "0"], "cannot use '0' for '--batch-size': Input should be greater than or equal to 1"),
    (
        ["seed", "start", "--rate", "a b"],
        "cannot use 'a b' for '--rate': Input should be a valid number, unable to parse string as a number",
    ),
    (["connector", "status", "nosuch"], "No status found for connector nosuch"),
    (["connector", "delete", "nosuch"], "connect refused 'nosuch' (404): Connector nosuch not found"),
    (["connector", "apply", "nosuch"], "cannot use template 'nosuch': cannot open 'nosuch': No such file or directory"),
]


@pytest.mark.parametrize("words,answer", LIVE_WORDS, ids=[" ".join(w[0])[:40] for w in LIVE_WORDS])
def test_what_a_running_house_cannot_do_is_answered_in_one_line(live, words, answer):
    done = live.run(*words)
    answer = re.escape("haus: " + answer.replace("{play}", live.env["HAUS_PLAYGROUND"])).replace(
        re.escape("{hint}"), ".+"
    )
    assert re.fullmatch(answer + "\n", done.stderr), done.stderr
    assert done.returncode in (1, 2)


SINK = {
    "connector.class": "io.confluent.connect.s3.S3SinkConnector",
    "topics": "t",
    "s3.bucket.name": "raw",
    "storage.class": "io.confluent.connect.s3.storage.S3Storage",
    "format.class": "io.confluent.connect.s3.format.avro.AvroFormat",
    "flush.size": "1",
}
EITHER = "Must configure one of topics or topics.regex"
CONNECTOR_WORDS = [  # changes (None: left out), the errors
    ("sink", {"topics": None}, [EITHER, EITHER]),
    (
        "sink",
        {"topics": None, "topics.regex": "["},
        ["Invalid value [ for configuration topics.regex: Invalid regex: Unmatched [, [^, [:, [., or [="],
    ),
    ("sink", {"flush.size": "x"}, ["Invalid value x for configuration flush.size: Not a number of type INT"]),
    ("sink", {"flush.size": "0"}, ["Invalid value 0 for configuration flush.size: Value must be at least 1"]),
    ("sink", {"tasks.max": "0"}, ["Invalid value 0 for configuration tasks.max: Value must be at least 1"]),
    ("sink", {"s3.bucket.name": None}, ['Missing required configuration "s3.bucket.name" which has no default value.']),
    (
        "sink",
        {"format.class": "nosuch"},
        [
            "Invalid value nosuch for configuration format.class: only"
            " 'io.confluent.connect.s3.format.avro.AvroFormat' is supported here"
        ],
    ),
    (
        "sink",
        {"value.converter": "nosuch"},
        ["Invalid value nosuch for configuration value.converter: Class nosuch could not be found."],
    ),
    (
        "sink",
        {"store.url": "nonsense"},
        [
            "Invalid value nonsense for configuration store.url: String must be a URL that begins with http:// or"
            " https://"
        ],
    ),
    ("source", {"database.hostname": None}, ["The 'database.hostname' value is invalid: A value is required"]),
    ("source", {"database.port": "x"}, ["The 'database.port' value is invalid: An integer is expected"]),
    (
        "source",
        {"database.dbname": "nosuch"},
        ['Error while validating connector config: FATAL: database "nosuch" does not exist'],
    ),
    (
        "source",
        {"database.password": "wrong-one"},
        ['Error while validating connector config: FATAL: password authentication failed for user "debezium_user"'],
    ),
    (
        "source",
        {"table.include.list": "["},
        [
            "The 'table.include.list' value is invalid: A comma-separated list of valid regular expressions is expected,"
            " but missing terminating ] for character class near index 1: ["
        ],
    ),
    (
        "source",
        {"snapshot.mode": "sometimes"},
        ["The 'snapshot.mode' value is invalid: Value must be one of always, never, initial_only, initial, custom"],
    ),
    (
        "source",
        {"slot.name": "Bad-Name"},
        [
            "The 'slot.name' value is invalid: Valid replication slot name must contain only digits, lowercase"
            " characters and underscores with length <= 63"
        ],
    ),
    (
        "source",
        {"topic.prefix": "bad prefix!"},
        [
            "The 'topic.prefix' value is invalid: bad prefix! has invalid format (only the underscore, hyphen, dot and"
            " alphanumeric characters are allowed)"
        ],
    ),
    ("source", {"transforms": "x"}, ["The 'transforms' value is invalid: not supported here; leave it empty"]),
]


@pytest.mark.parametrize("kind,changes,errors", CONNECTOR_WORDS, ids=[str(w[1]) for w in CONNECTOR_WORDS])
def test_a_connector_with_a_wrong_setting_is_refused_with_its_name(live, kind, changes, errors):
    base = SINK
    if kind == "source":
        base = requests.get(f"{live.url('connect')}/connectors/postgres-source-storefront/config", timeout=10).json()
        base.pop("name")
    body = {k: v for k, v in {**base, **changes}.items() if v is not None}
    answer = requests.put(f"{live.url('connect')}/connectors/wrong/config", json=body, timeout=30)
    assert answer.status_code == 400, answer.text
    assert answer.json()["message"] == (
        f"Connector configuration is invalid and contains the following {len(errors)} error(s):\n"
        + "\n".join(errors)
        + "\nYou can also find the above list of errors at the endpoint"
        " `/connector-plugins/{connectorType}/config/validate`"
    )


def failure(house):
    """The trace of the failed task, once it has failed."""

    def failed():
        tasks = rest(house, "GET", f"/connectors/{NAME}/status").get("tasks") or [{}]
        return tasks[0].get("state") == "FAILED" and tasks[0].get("trace")

    return wait_for(failed, "the task to fail", 60)


def put(house, postgres, **changes):
    return rest(house, "PUT", f"/connectors/{NAME}/config", config(postgres, house, **changes))


# ----------------------------------------------------------- the source connector


def test_a_password_changed_under_a_running_connector_is_told_and_recovered_from(house, postgres):
    postgres.sql("CREATE TABLE t (id int PRIMARY KEY);\nINSERT INTO t VALUES (1);", "shop")
    create(house, postgres)
    wait_for(lambda: end_of(house, "shop.public.t") == 1, "the snapshot")
    postgres.sql("ALTER ROLE debezium PASSWORD 'another'")
    try:
        postgres.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'debezium'")
        postgres.sql("INSERT INTO t VALUES (2);", "shop")
        told = 'password authentication failed for user "debezium"'
        wait_for(lambda: told in failure(house), "the trace to tell, once the restart is refused")
    finally:
        postgres.sql("ALTER ROLE debezium PASSWORD 'debezium'")
    wait_for(lambda: end_of(house, "shop.public.t") == 2, "the change", 60)
    wait_running(house)
    assert [v["after"]["id"] for v in values(read(house, "shop.public.t"))] == [1, 2]


def test_a_server_without_logical_wal_is_told_with_the_cure():
    server = ScratchPostgres(wal_level="replica")
    try:
        server.sql("CREATE DATABASE shop")
        server.sql("CREATE TABLE t (id int PRIMARY KEY);\nINSERT INTO t VALUES (1);", "shop")
        with House("log", "registry", "connect") as house:
            answer = put(house, server)
            words = answer["message"] if "error_code" in answer else failure(house)
            assert "wal_level is 'replica'" in words and "set wal_level = logical" in words, words
            server.stop()
            server.settings["wal_level"] = "logical"
            server.start()
            if "error_code" in answer:
                create(house, server)
            wait_for(lambda: end_of(house, "shop.public.t") == 1, "the snapshot", 60)
    finally:
        server.close()


def test_a_dropped_slot_with_snapshot_never_is_told_and_not_made_anew(house, postgres):
    postgres.sql("CREATE TABLE t (id int PRIMARY KEY);", "shop")
    create(house, postgres, **{"snapshot.mode": "never"})
    wait_for(
        lambda: postgres.sql("SELECT 1 FROM pg_replication_slots WHERE slot_name = 'shop_slot' AND active"), "the slot"
    )
    postgres.sql("INSERT INTO t VALUES (1);", "shop")
    wait_for(lambda: end_of(house, "shop.public.t") == 1, "the change")
    house.stop("connect")
    wait_for(lambda: not postgres.sql("SELECT 1 FROM pg_replication_slots WHERE active"), "the slot to be free")
    postgres.sql("SELECT pg_drop_replication_slot('shop_slot')")
    postgres.sql("INSERT INTO t VALUES (2);", "shop")
    house.start("connect")
    trace = failure(house)
    assert "slot 'shop_slot' does not exist any more" in trace and "snapshot.mode=always" in trace, trace
    assert not postgres.sql("SELECT 1 FROM pg_replication_slots")  # a new slot would hide that (2) is missing
    create(house, postgres, **{"snapshot.mode": "always"})
    wait_for(lambda: end_of(house, "shop.public.t") == 3, "the new snapshot")


def test_a_slot_that_another_reader_holds_is_named_with_its_process(house, postgres):
    postgres.sql("CREATE TABLE t (id int PRIMARY KEY);", "shop")
    postgres.sql("CREATE PUBLICATION shop_pub FOR ALL TABLES", "shop")
    postgres.sql("SELECT pg_create_logical_replication_slot('shop_slot', 'pgoutput')", "shop")
    reader = subprocess.Popen(
        [
            "pg_recvlogical",
            "-h",
            "127.0.0.1",
            "-p",
            str(postgres.port),
            "-U",
            "debezium",
            "-d",
            "shop",
            "-S",
            "shop_slot",
            "--start",
            "-f",
            "/dev/null",
            "-o",
            "proto_version=1",
            "-o",
            "publication_names=shop_pub",
        ],
        env={**os.environ, "PGPASSWORD": "debezium"},
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: postgres.sql("SELECT 1 FROM pg_replication_slots WHERE active"), "the other reader")
        pid = postgres.sql("SELECT active_pid FROM pg_replication_slots")[0][0]
        put(house, postgres)
        trace = failure(house)
        assert f"slot 'shop_slot' is in use by server process {pid}" in trace, trace
    finally:
        reader.kill()
        reader.wait()
    wait_for(
        lambda: end_of(house, "shop.public.t") == 0 and postgres.sql("SELECT 1 FROM pg_replication_slots WHERE active"),
        "the connector to take the slot",
        60,
    )
    postgres.sql("INSERT INTO t VALUES (1);", "shop")
    wait_for(lambda: end_of(house, "shop.public.t") == 1, "the change")


def test_a_missing_publication_is_told_and_used_once_it_is_there(house, postgres):
    postgres.sql("CREATE TABLE t (id int PRIMARY KEY);\nINSERT INTO t VALUES (1);", "shop")
    put(house, postgres, **{"publication.autocreate.mode": "disabled"})
    trace = failure(house)
    assert (
        "publication 'shop_pub' does not exist and 'publication.autocreate.mode' is 'disabled'; create it" in trace
    ), trace
    assert not postgres.sql("SELECT 1 FROM pg_replication_slots WHERE slot_name = 'shop_slot'")
    postgres.sql("CREATE PUBLICATION shop_pub FOR ALL TABLES", "shop")
    rest(house, "POST", f"/connectors/{NAME}/restart?includeTasks=true")
    wait_for(lambda: end_of(house, "shop.public.t") == 1, "the snapshot", 60)


def test_a_publication_dropped_under_a_running_connector_is_told(house, postgres):
    postgres.sql("CREATE TABLE t (id int PRIMARY KEY);\nINSERT INTO t VALUES (1);", "shop")
    create(house, postgres)
    wait_for(lambda: end_of(house, "shop.public.t") == 1, "the snapshot")
    postgres.sql("DROP PUBLICATION shop_pub;\nINSERT INTO t VALUES (2);", "shop")
    assert 'publication "shop_pub" does not exist' in failure(house)


def test_a_schema_the_registry_refuses_is_told_with_subject_and_reason(house, postgres):
    subject = "shop.public.t-value"
    other = '{"type":"record","name":"Envelope","namespace":"shop.public.t","fields":[{"name":"must","type":"int"}]}'
    answer = requests.post(f"{house.url('registry')}/subjects/{subject}/versions", json={"schema": other}, timeout=10)
    assert answer.status_code == 200
    requests.put(f"{house.url('registry')}/config/{subject}", json={"compatibility": "FULL"}, timeout=10)
    postgres.sql("CREATE TABLE t (id int PRIMARY KEY);\nINSERT INTO t VALUES (1);", "shop")
    put(house, postgres, avro=True)
    trace = failure(house)
    assert subject in trace and "incompatible" in trace.lower(), trace
    assert end_of(house, "shop.public.t") == 0
    requests.put(f"{house.url('registry')}/config/{subject}", json={"compatibility": "NONE"}, timeout=10)
    wait_for(lambda: end_of(house, "shop.public.t") >= 1, "the snapshot", 60)


# ------------------------------------------------------------------------- build


def test_a_raw_file_cut_anywhere_is_named_with_its_place(lake):  # noqa: F811
    whole = raw.encode("orders", orders(0, 300))
    key = raw.key("orders", 0, 0)
    for size in (0, 3, 20, len(whole) // 2, len(whole) - 1):
        lake.s3.put_object(Bucket="raw", Key=key, Body=whole[:size])
        done = lake.haus("build", check=False)
        assert done.returncode == 1 and key in done.stderr, (size, done.stderr)
        assert ("is not an avro container" if size < 4 else "cut") in done.stderr, done.stderr
        assert size < 4 or f"byte {size}" in done.stderr, done.stderr
        assert not lake.keys("stage/storefront/orders/")
    lake.s3.put_object(Bucket="raw", Key=key, Body=whole)
    lake.build()
    assert len(lake.rows("orders")) == 300


@pytest.mark.parametrize("bucket", ["raw", "lakehouse"])
def test_a_missing_bucket_stops_a_build_with_its_name(lake, bucket):  # noqa: F811
    if bucket == "lakehouse":
        raw.put(lake.s3, "orders", 0, orders(0, 5))
    lake.s3.delete_bucket(Bucket=bucket)
    done = lake.haus("build", check=False)
    assert done.returncode == 1 and f"'{bucket}'" in done.stderr, done.stderr
    lake.s3.create_bucket(Bucket=bucket)
    if bucket == "raw":
        raw.put(lake.s3, "orders", 0, orders(0, 5))
    lake.build()
    assert len(lake.rows("orders")) == 5


# --------------------------------------------------------------------- full disks


def test_a_store_on_a_full_disk_refuses_keeps_what_it_took_and_goes_on(small_disk):
    disk = small_disk(24)
    (disk / "home").mkdir()
    with House("store", home=disk / "home") as house:
        s3 = boto3.client(
            "s3",
            endpoint_url=house.url("store"),
            aws_access_key_id="minio",
            aws_secret_access_key="minio123",
            region_name="us-east-1",
            config=botocore.config.Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}),
        )
        s3.create_bucket(Bucket="box")
        kept, refused = {}, []
        for number in range(60):
            body = os.urandom(1 << 20)
            try:
                s3.put_object(Bucket="box", Key=f"k{number}", Body=body)
                kept[f"k{number}"] = body
            except botocore.exceptions.ClientError as error:
                refused.append(error.response)
        assert len(kept) > 5 and refused
        for answer in refused:
            assert (
                answer["ResponseMetadata"]["HTTPStatusCode"] == 507 and answer["Error"]["Code"] == "XMinioStorageFull"
            ), answer
        ballast = fill(disk)
        listed = {o["Key"] for o in s3.list_objects_v2(Bucket="box")["Contents"]}
        assert listed == set(kept)
        for key, body in kept.items():
            assert s3.get_object(Bucket="box", Key=key)["Body"].read() == body
        house.restart("store")
        assert {o["Key"] for o in s3.list_objects_v2(Bucket="box")["Contents"]} == set(kept)
        ballast.unlink()
        gone = sorted(kept)[:5]
        s3.delete_objects(Bucket="box", Delete={"Objects": [{"Key": key} for key in gone]})
        s3.put_object(Bucket="box", Key="again", Body=b"x" * (1 << 20))
        for key in set(kept) - set(gone):
            assert s3.get_object(Bucket="box", Key=key)["Body"].read() == kept[key]


def test_a_house_on_a_full_disk_stands_and_goes_on_when_there_is_space(small_disk, tmp_path):
    disk = small_disk(700)
    play = Playground(folder=fast_templates(tmp_path, schedule_ms=1500))
    play.home = disk / "home"
    play.env["HAUS_HOME"] = str(play.home)
    with play:
        play.haus("up")
        play.haus("seed", "--count", "60", "--batch-size", "20")
        play.haus("connector", "apply")
        play.settle()
        ballast = fill(disk, leave=8 << 20)
        committed = 0
        for _ in range(60):
            try:
                stuff(play)
                committed += 200
            except psycopg.Error as error:
                assert "No space left" in str(error) or isinstance(error, psycopg.OperationalError), error
                break
            time.sleep(0.1)
        assert committed
        rest_file = fill(disk, name="rest")
        time.sleep(3)
        play.run("build")
        status = play.status()
        assert all(status[name]["pid"] for name in ("log", "store", "registry", "connect")), status
        rest_file.unlink()
        ballast.unlink()
        play.wait_ready()
        stuff(play, 1)
        rows = play.settle()
        assert rows["products"]["source"] == 60 + committed + 1
        assert all(rows[table]["repeated"] == 0 for table in TABLES), rows
