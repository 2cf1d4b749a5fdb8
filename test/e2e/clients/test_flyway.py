"""Real Flyways, of three major versions, taking turns with `haus migrate` on one history."""

import os
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from house import ROOT
from migrations import HISTORY, Scripts
from playground import Playground

CACHE = Path(os.environ.get("HAUS_TEST_CACHE", Path.home() / ".cache" / "haus-test"))
VERSIONS = {"Flyway 9": "9.22.3", "Flyway 10": "10.22.0", "Flyway 11": "11.8.2"}
POM = """<project><modelVersion>4.0.0</modelVersion><groupId>t</groupId><artifactId>t</artifactId><version>1</version>
<dependencies>{}</dependencies></project>"""
DEPENDENCY = "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (shutil.which("javac") and shutil.which("mvn")), reason="needs a JDK and mvn"),
]


def parts(version):
    yield "org.flywaydb", "flyway-core", version
    if not version.startswith("9."):  # a module of its own since 10
        yield "org.flywaydb", "flyway-database-postgresql", version
    yield "org.postgresql", "postgresql", "42.7.5"


def fetched(version):
    folder = CACHE / f"flyway-{version}"
    if not (folder / "done").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "pom.xml").write_text(POM.format("".join(DEPENDENCY.format(*p) for p in parts(version))))
        subprocess.run(
            ["mvn", "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={folder}"],
            cwd=folder,
            check=True,
            timeout=300,
        )
        (folder / "done").touch()
    return folder


class Flyway:
    """One JVM that runs a verb when asked; a verb answers its rows as (version or description, state)."""

    def __init__(self, version, play, folder, classes):
        jars = fetched(version)
        source = Path(__file__).parent / "flyway" / "RunFlyway.java"
        subprocess.run(["javac", "-cp", f"{jars}/*", "-d", classes, source], check=True, timeout=120)
        url = f"jdbc:postgresql://127.0.0.1:{play.port('postgres')}/storefront"
        self.process = subprocess.Popen(
            ["java", "-XX:TieredStopAtLevel=1", "-cp", f"{jars}/*:{classes}", "RunFlyway", url, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.said = ""

    def run(self, verb, fails=False):
        self.process.stdin.write(verb + "\n")
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            if line == "END\n":
                break
            lines.append(line.rstrip("\n"))
        else:
            raise RuntimeError(f"Flyway ended: {lines}")
        self.said = "\n".join(lines)
        assert ("FAILED " in self.said) == fails, self.said
        rows = [line[4:].rsplit("=", 1) for line in lines if line.startswith("ROW ")]
        return [(name, state) for name, state in rows]

    def close(self):
        self.process.stdin.close()
        self.process.wait(20)


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    folder = tmp_path_factory.mktemp("playground")
    (folder / "migrations").mkdir()
    with Playground(folder=folder) as play:
        play.haus("up", "postgres")
        yield Scripts(play, folder / "migrations")


@pytest.fixture(scope="module", params=[pytest.param(v, id=n) for n, v in VERSIONS.items()])
def flyway(request, house, tmp_path_factory):
    flyway = Flyway(request.param, house.play, house.folder, tmp_path_factory.mktemp("classes"))
    yield flyway
    flyway.close()


@pytest.fixture
def scripts(house):
    house.clean()
    return house


def storefront(scripts):
    for file in (ROOT / "playground" / "migrations").glob("*.sql"):
        (scripts.folder / file.name).write_bytes(file.read_bytes())


def client(what):
    return pytest.mark.client("Flyway", "Flyway", what)


@client("info, validate and migrate go on where `haus migrate` stopped")
def test_a_real_flyway_goes_on_where_we_stopped(scripts, flyway):
    storefront(scripts)
    scripts.write(
        R__view="CREATE OR REPLACE VIEW v AS SELECT '${debezium_user}' AS n;\n",
        V3__index="CREATE INDEX CONCURRENTLY i ON orders (status);",
    )
    scripts.applied()
    flyway.run("validate")
    assert flyway.run("info") == [("1", "Success"), ("2", "Success"), ("3", "Success"), ("view", "Success")]
    flyway.run("migrate")
    assert "APPLIED 0" in flyway.said
    scripts.write(V4__more="CREATE TABLE more (n int);", R__view="CREATE OR REPLACE VIEW v AS SELECT 'x' AS n;\n")
    assert flyway.run("info") == scripts.states()
    flyway.run("migrate")
    assert "APPLIED 2" in flyway.said
    assert flyway.run("info") == scripts.states()
    assert "up to date" in scripts.applied()


@client("its history is gone on with by `haus migrate`")
def test_we_go_on_where_a_real_flyway_stopped(scripts, flyway):
    storefront(scripts)
    scripts.write(R__view="CREATE OR REPLACE VIEW v AS SELECT '${debezium_user}' AS n;\r\n")
    flyway.run("migrate")
    assert "APPLIED 3" in flyway.said
    assert scripts.states() == [("1", "Success"), ("2", "Success"), ("view", "Success")]
    assert "Successfully validated 3 migrations" in scripts.migrate("validate").stderr
    assert "up to date" in scripts.applied()
    scripts.write(V3__more="CREATE TABLE more (n int);")
    assert flyway.run("info") == scripts.states()
    scripts.applied()
    assert flyway.run("validate") == scripts.states()


@client("info names the same states: pending, missing, future, ignored, outdated")
def test_both_name_the_same_states(scripts, flyway):
    scripts.write(V1__a="CREATE TABLE a (n int)", V3__c="SELECT 1", R__r="SELECT 1", R__gone="SELECT 1")
    scripts.applied()
    scripts.write(V2__late="SELECT 1", V4__next="SELECT 1", R__r="SELECT 2")
    assert flyway.run("info") == scripts.states()
    words = "Detected resolved migration not applied to database: 2."
    flyway.run("migrate", fails=True)
    assert words in flyway.said and words in scripts.refused()
    scripts.remove("V1__a")
    scripts.remove("R__gone")
    assert flyway.run("info") == scripts.states()
    assert "Detected applied migration not resolved locally: gone." in scripts.refused()
    scripts.remove("V3__c")
    scripts.remove("V4__next")
    assert flyway.run("info") == scripts.states()


@client("baseline of a schema that was there: `haus migrate` goes on above it")
def test_we_go_on_above_a_baseline(scripts, flyway):
    scripts.ask("CREATE TABLE a (n int)")
    scripts.write(V1__a="CREATE TABLE a (n int)", V2__b="CREATE TABLE b (n int)", V3__c="CREATE TABLE c (n int)")
    assert "Found non-empty schema" in scripts.refused()
    flyway.run("baseline 2")
    assert flyway.run("info") == scripts.states()
    flyway.run("validate", fails=True)
    assert "not applied to database: 3." in flyway.said and "not applied to database: 3." in scripts.refused("validate")
    scripts.applied()
    assert scripts.ask("SELECT to_regclass('public.b') IS NULL, to_regclass('public.c') IS NULL") == [(True, False)]
    assert flyway.run("validate") == scripts.states()
    scripts.write(V4__d="CREATE TABLE d (n int)")
    flyway.run("migrate")
    assert "APPLIED 1" in flyway.said
    assert "up to date" in scripts.applied()
    assert flyway.run("info") == scripts.states()


@client("repair of what failed, was changed or is gone in our history; `haus migrate` goes on")
def test_we_go_on_after_a_repair(scripts, flyway):
    scripts.write(V1__a="CREATE TABLE a (n int)", V2__b="CREATE TABLE b (n int)", R__gone="SELECT 1")
    scripts.write(V3__x="CREATE INDEX CONCURRENTLY i ON a (n);\nVACUUM nowhere;\n")
    scripts.refused()
    assert flyway.run("info") == scripts.states()
    scripts.write(V1__a="CREATE TABLE a (n integer)", V3__x="CREATE TABLE c (n int)")
    assert "Detected failed migration to version 3 (x)" in scripts.refused()
    scripts.ask("DROP INDEX i")
    flyway.run("repair")
    assert flyway.run("info") == scripts.states()
    scripts.applied()
    assert flyway.run("validate") == scripts.states()
    scripts.remove("V2__b")
    scripts.remove("R__gone")
    assert "Detected applied migration not resolved locally: 2." in scripts.refused()
    flyway.run("repair")
    assert flyway.run("info") == scripts.states()
    assert "up to date" in scripts.applied()
    assert flyway.run("validate") == scripts.states()
    scripts.write(V4__d="CREATE TABLE d (n int)", R__gone="SELECT 2")
    assert flyway.run("info") == scripts.states()
    scripts.applied()
    assert flyway.run("info") == scripts.states()
    flyway.run("migrate")
    assert "APPLIED 0" in flyway.said


@client("migrate at the same time as `haus migrate`: each script once")
def test_both_at_once_apply_each_script_once(scripts, flyway):
    scripts.write(V1__a="CREATE TABLE a (n int); SELECT pg_sleep(0.5)", V2__b="INSERT INTO a VALUES (1)")
    done = []
    ours = [threading.Thread(target=lambda: done.append(scripts.migrate())) for _ in range(2)]
    for thread in ours:
        thread.start()
    flyway.run("migrate")
    for thread in ours:
        thread.join(60)
    assert [d.returncode for d in done] == [0, 0], [d.stderr for d in done]
    assert scripts.ask("SELECT count(*) FROM a") == [(1,)]
    assert [row[0:2] for row in scripts.ask(HISTORY)] == [(1, "1"), (2, "2")]
    assert flyway.run("validate") == scripts.states()


@client("a failing migration leaves the same history and schema as `haus migrate` leaves")
@pytest.mark.parametrize("kind", ["inside", "outside"])
def test_a_failing_migration_leaves_the_same_state(scripts, flyway, kind):
    texts = {
        "inside": "INSERT INTO t VALUES (1);\nCREATE TABLE half (n int);\nINSERT INTO nowhere VALUES (2);\n",
        "outside": "CREATE INDEX CONCURRENTLY i ON t (n);\nVACUUM nowhere;\n",
    }
    left = []
    for run in (lambda: flyway.run("migrate", fails=True), scripts.refused):
        scripts.clean()
        scripts.write(V1__t="CREATE TABLE t (n int)", V2__bad=texts[kind], V3__c="SELECT 1")
        run()
        relations = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1"
        left.append((scripts.ask(HISTORY), scripts.ask(relations), scripts.ask("SELECT * FROM t"), scripts.states()))
        assert flyway.run("info") == scripts.states()
    assert left[0] == left[1]
