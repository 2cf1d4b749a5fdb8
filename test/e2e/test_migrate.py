"""`haus migrate` as people know Flyway: what is applied, what is refused, and in which words."""

import re
import threading
import time

import pytest

from migrations import HISTORY, Scripts
from playground import Playground

LOCK_KEY = 77433833903597


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    folder = tmp_path_factory.mktemp("playground")
    (folder / "migrations").mkdir()
    with Playground(folder=folder) as play:
        play.haus("up", "postgres")
        yield Scripts(play, folder / "migrations")


@pytest.fixture
def scripts(house):
    house.clean()
    return house


def test_versions_in_order_of_their_numbers_then_repeatables(scripts):
    scripts.write(
        V10__ten="INSERT INTO t VALUES ('10')",
        V2__two="INSERT INTO t VALUES ('2')",
        V1__init="CREATE TABLE t (step text, n serial)",
        V2_1__two_one="INSERT INTO t VALUES ('2.1')",
        R__b="INSERT INTO t VALUES ('b')",
        R__a="INSERT INTO t VALUES ('a')",
    )
    said = scripts.applied()
    assert [step for (step,) in scripts.ask("SELECT step FROM t ORDER BY n")] == ["2", "2.1", "10", "a", "b"]
    assert 'Creating Schema History table "public"."flyway_schema_history" ...' in said
    assert 'Current version of schema "public": << Empty Schema >>' in said
    assert 'Migrating schema "public" to version "2.1 - two one"' in said
    assert 'Migrating schema "public" with repeatable migration "a"' in said
    assert re.search(
        r'Successfully applied 6 migrations to schema "public", now at version v10 \(execution time \d\d:\d\d\.\d{3}s\)',
        said,
    )
    rows = scripts.ask(HISTORY)
    assert [row[1] for row in rows] == ["1", "2", "2.1", "10", None, None]
    assert rows[2][2:5] == ("two one", "SQL", "V2_1__two_one.sql") and all(row[6] for row in rows)
    said = scripts.applied()
    assert 'Schema "public" is up to date. No migration necessary.' in said
    assert 'Current version of schema "public": 10' in said
    assert len(scripts.ask(HISTORY)) == 6


def test_checksums_are_those_of_flyway(scripts):
    scripts.write(V1__a="CREATE TABLE a (\r\n  id int\r\n);\r\n", V2__b="-- héllo 世界\nSELECT 1;\n")
    scripts.applied()
    assert [row[5] for row in scripts.ask(HISTORY)] == [1420201952, 1409245363]
    scripts.write(V1__a="CREATE TABLE a (\n  id int\n);\n")
    assert "Successfully validated 2 migrations" in scripts.migrate("validate").stderr


def test_a_repeatable_runs_again_when_its_text_changes(scripts):
    scripts.write(V1__t="CREATE TABLE t (n int)", R__view="CREATE OR REPLACE VIEW v AS SELECT 1 AS n")
    assert scripts.states() == [("1", "Pending"), ("view", "Pending")]
    scripts.applied()
    assert scripts.states() == [("1", "Success"), ("view", "Success")]
    scripts.write(R__view="CREATE OR REPLACE VIEW v AS SELECT 2 AS n")
    assert scripts.states() == [("1", "Success"), ("view", "Outdated"), ("view", "Pending")]
    assert "should be re-applied to database: view" in scripts.refused("validate")
    scripts.applied()
    assert scripts.ask("SELECT n FROM v") == [(2,)]
    assert scripts.states() == [("1", "Success"), ("view", "Superseded"), ("view", "Success")]
    assert "up to date" in scripts.applied()


def test_a_repeatable_runs_again_when_a_placeholder_changes(scripts):
    scripts.write(R__v="CREATE OR REPLACE VIEW v AS SELECT '${colour}' AS c")
    scripts.play.env["FLYWAY_PLACEHOLDERS_COLOUR"] = "red"
    try:
        scripts.applied()
        assert "up to date" in scripts.applied()
        scripts.play.env["FLYWAY_PLACEHOLDERS_COLOUR"] = "blue"
        assert "repeatable" in scripts.applied()
        assert scripts.ask("SELECT c FROM v") == [("blue",)]
    finally:
        del scripts.play.env["FLYWAY_PLACEHOLDERS_COLOUR"]


def test_a_missing_placeholder_is_named(scripts):
    scripts.write(V1__t="CREATE TABLE t (n int)", V2__p="INSERT INTO t VALUES (${Nobody})")
    assert "No value provided for placeholder: ${Nobody}.  Check your configuration!" in scripts.refused()


def test_placeholders_of_flyway_itself(scripts):
    scripts.write(
        V1__p="CREATE TABLE p AS SELECT '${flyway:defaultSchema}' AS a, '${flyway:user}' AS b, '${flyway:database}' AS c,"
        " '${flyway:filename}' AS d, '${flyway:table}' AS e, '${DEBEZIUM_USER}' AS f"
    )
    scripts.applied()
    assert scripts.ask("SELECT * FROM p") == [
        ("public", "postgres", "storefront", "V1__p.sql", "flyway_schema_history", "debezium_user")
    ]


def test_a_failing_script_is_rolled_back_and_located(scripts):
    scripts.write(
        V1__ok="CREATE TABLE t (n int)", V2__bad="INSERT INTO t VALUES (1);\n\n\nINSERT INTO t\n  VALUS (2);\n"
    )
    said = scripts.refused()
    assert 'Migration of schema "public" to version "2 - bad" failed! Changes successfully rolled back.' in said
    assert "SQL State  : 42601" in said and "Location   : V2__bad.sql" in said and "Line       : 5" in said
    assert 'syntax error at or near "VALUS"' in said
    assert scripts.ask("SELECT count(*) FROM t") == [(0,)]
    assert [row[1] for row in scripts.ask(HISTORY)] == ["1"]
    scripts.write(V2__bad="INSERT INTO t VALUES (1);")
    scripts.applied()
    assert scripts.states() == [("1", "Success"), ("2", "Success")]


def test_a_changed_migration_is_refused_in_flyways_words(scripts):
    scripts.write(V1__a="CREATE TABLE a (n int)")
    scripts.applied()
    old = scripts.ask(HISTORY)[0][5]
    scripts.write(V1__a="CREATE TABLE a (n bigint)", V2__b="CREATE TABLE b (n int)")
    for said in (scripts.refused(), scripts.refused("validate")):
        assert "Validate failed: Migrations have failed validation" in said
        assert f"Migration checksum mismatch for migration version 1\n-> Applied to database : {old}\n" in said
        assert "Either revert the changes to the migration, or run repair to update the schema history." in said
    assert len(scripts.ask(HISTORY)) == 1


def test_renamed_missing_ignored_and_future(scripts):
    scripts.write(V1__a="CREATE TABLE a (n int)", V3__c="CREATE TABLE c (n int)")
    scripts.applied()
    scripts.write(V2__late="CREATE TABLE late (n int)")
    assert scripts.states() == [("1", "Success"), ("3", "Success"), ("2", "Ignored")]
    assert "Detected resolved migration not applied to database: 2." in scripts.refused("validate")
    assert "Detected resolved migration not applied to database: 2." in scripts.refused()
    scripts.remove("V2__late")
    scripts.remove("V1__a")
    assert scripts.states() == [("1", "Missing"), ("3", "Success")]
    assert "Detected applied migration not resolved locally: 1." in scripts.refused()
    scripts.write(V1__other="CREATE TABLE a (n int)")
    assert "Migration description mismatch for migration version 1" in scripts.refused()
    scripts.remove("V1__other")
    scripts.write(V1__a="CREATE TABLE a (n int)")
    scripts.remove("V3__c")
    assert scripts.states() == [("1", "Success"), ("3", "Future")]
    assert "up to date" in scripts.applied()


def test_the_same_version_twice_is_refused(scripts):
    scripts.write(V1__a="SELECT 1", V1_0__b="SELECT 2")
    said = scripts.refused()
    assert "Found more than one migration with version 1" in said
    assert "-> V1__a.sql (SQL)" in said and "-> V1_0__b.sql (SQL)" in said


def test_misnamed_files_are_told(scripts):
    scripts.write(V1__a="SELECT 1", V2_missing_underscore="SELECT 1")
    assert "Invalid versioned migration name format: V2_missing_underscore.sql" in scripts.applied()
    assert [row[1] for row in scripts.ask(HISTORY)] == ["1"]


def test_a_script_that_cannot_run_in_a_transaction_runs_outside(scripts):
    scripts.write(V1__t="CREATE TABLE t (n int)", V2__index="CREATE INDEX CONCURRENTLY i ON t (n);\nVACUUM t;\n")
    said = scripts.applied()
    assert 'Migrating schema "public" to version "2 - index" [non-transactional]' in said
    assert scripts.ask("SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass") == [(True,)]


def test_a_failure_outside_of_a_transaction_stays_in_the_history(scripts):
    scripts.write(V1__t="CREATE TABLE t (n int)", V2__x="CREATE INDEX CONCURRENTLY i ON t (n);\nVACUUM nowhere;\n")
    said = scripts.refused()
    assert "Please restore backups and roll back database and code!" in said
    assert [(row[1], row[6]) for row in scripts.ask(HISTORY)] == [("1", True), ("2", False)]
    assert scripts.states() == [("1", "Success"), ("2", "Failed")]
    assert "Detected failed migration to version 2 (x)" in scripts.refused()


def test_mixing_both_kinds_is_refused(scripts):
    scripts.write(V1__mix="CREATE TABLE t (n int);\nCREATE INDEX CONCURRENTLY i ON t (n);\n")
    assert "Detected both transactional and non-transactional statements" in scripts.refused()
    assert scripts.ask("SELECT to_regclass('public.t') IS NULL") == [(True,)]


def test_a_schema_with_tables_but_without_history_is_refused(scripts):
    scripts.ask("CREATE TABLE mine (n int)")
    scripts.write(V1__a="SELECT 1")
    assert (
        'Found non-empty schema(s) "public" but no schema history table. Use baseline() or set baselineOnMigrate to true'
        " to initialize the schema history table."
    ) in scripts.refused()
    assert scripts.ask("SELECT to_regclass('public.flyway_schema_history') IS NULL") == [(True,)]


def test_it_waits_for_the_lock_that_flyway_takes(scripts):
    scripts.write(V1__a="CREATE TABLE a (n int)")
    with scripts.connect() as holder:
        holder.execute("SELECT pg_advisory_lock(%s)", (LOCK_KEY,))
        done = []
        thread = threading.Thread(target=lambda: done.append(scripts.migrate()))
        thread.start()
        time.sleep(2.5)
        assert not done
        assert scripts.ask("SELECT to_regclass('public.a') IS NULL") == [(True,)]
        holder.execute("SELECT pg_advisory_unlock(%s)", (LOCK_KEY,))
        thread.join(20)
    assert done[0].returncode == 0, done[0].stderr
    assert "Successfully applied 1 migration to" in done[0].stderr


def test_several_at_once_apply_each_script_once(scripts):
    scripts.write(V1__a="CREATE TABLE a (n int); SELECT pg_sleep(0.3)", V2__b="INSERT INTO a VALUES (1)")
    done = []
    threads = [threading.Thread(target=lambda: done.append(scripts.migrate())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [d.returncode for d in done] == [0, 0, 0], [d.stderr for d in done]
    assert scripts.ask("SELECT count(*) FROM a") == [(1,)]
    assert [row[0:2] for row in scripts.ask(HISTORY)] == [(1, "1"), (2, "2")]


def test_a_script_may_change_its_session(scripts):
    scripts.write(
        V1__s="CREATE SCHEMA IF NOT EXISTS elsewhere; SET search_path = elsewhere; CREATE TABLE IF NOT EXISTS e (n int)",
        V2__t="CREATE TABLE here (n int)",
    )
    scripts.applied()
    assert scripts.ask("SELECT to_regclass('public.here') IS NOT NULL, to_regclass('elsewhere.e') IS NOT NULL") == [
        (True, True)
    ]


def test_info_as_a_box(scripts):
    scripts.write(V1__init="SELECT 1")
    lines = scripts.play.haus("migrate", "info").splitlines()
    assert lines[0] == "Schema version: << Empty Schema >>"
    assert re.fullmatch(r"\+-+(\+-+){6}\+", lines[2])
    assert re.split(r"\s*\|\s*", lines[3].strip("| ")) == [
        "Category",
        "Version",
        "Description",
        "Type",
        "Installed On",
        "State",
        "Undoable",
    ]
    assert re.split(r"\s*\|\s*", lines[5].strip("| ")) == ["Versioned", "1", "init", "SQL", "", "Pending", "No"]
    assert len({len(line) for line in lines[2:]}) == 1
