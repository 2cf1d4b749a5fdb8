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
"""

import os
import subprocess
import time

import boto3
import botocore.config
import botocore.exceptions
import psycopg
import pytest
import raw_events as raw
import requests
from house import House
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


@pytest.fixture
def small_disk(tmp_path):
    """Mounts a disk of some megabytes."""
    mounted = []

    def mount(megabytes):
        folder = tmp_path / f"disk-{megabytes}"
        folder.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", folder],
            capture_output=True,
            text=True,
        )
        if done.returncode:
            pytest.skip(f"cannot mount a small disk: {done.stderr.strip()}")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "-l", folder], check=False)


def fill(folder, leave=0, name="ballast"):
    """Takes all space but `leave` bytes; the file to remove."""
    ballast = folder / name
    with open(ballast, "wb", buffering=0) as file:
        while True:
            left = os.statvfs(folder)
            size = min(left.f_bavail * left.f_frsize - leave, 1 << 20)
            if size <= 0:
                return ballast
            try:
                file.write(b"\0" * size)
            except OSError:  # others write too
                return ballast


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


def stuff(play, rows=200):
    """One committed transaction of rows that do not compress."""
    with psycopg.connect(
        host="127.0.0.1",
        port=play.port("postgres"),
        user="postgres",
        password="postgres",
        dbname="storefront",
        autocommit=True,
    ) as conn:
        conn.execute(
            "INSERT INTO products (name, price) SELECT string_agg(md5(random()::text), ''), 1 FROM"
            " generate_series(1, %s) row, generate_series(1, 30) part GROUP BY row",
            [rows],
        )


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
