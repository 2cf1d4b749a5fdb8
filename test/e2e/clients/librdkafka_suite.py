"""librdkafka's own tests: the source package of the distribution, fetched and built once in the cache, run against a broker.

    suite = built()
    told = suite.run("0030", "127.0.0.1:9092")      told["0030_offset_commit"].state == "PASSED"

Run as a program it is how the table beside it (librdkafka_suite.tsv) was found: the same tests, the same settings, against
any broker (a real Apache Kafka 4.1.1), one line a test.

    librdkafka_suite.py BROKER [-Q] [-j N] [-s SCENARIO] [NUMBER...]

Nothing of librdkafka is kept in this repository.  Its tests of its own mock broker ("local") are left out: they meet no broker.
"""

import argparse
import fcntl
import json
import os
import re
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

CACHE = Path(os.environ.get("HAUS_TEST_CACHE", Path.home() / ".cache" / "haus-test"))
BROKER_VERSION = "4.1.0"
NOT_OURS = ("TEST_F_LOCAL", "TEST_F_MANUAL")
LONGEST = 600  # seconds for one test; the runner has its own, shorter limits
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Unavailable(OSError):
    """The source package cannot be had or built here."""


@dataclass
class Told:
    state: str
    seconds: float
    reason: str


def _call(*command, cwd, what):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unavailable(f"cannot {what}: {' '.join(map(str, command))}: {(done.stderr or done.stdout)[-300:]}")
    return done.stdout


def _stanzas(file):
    """The sources of one file of /etc/apt as deb822 stanzas (dictionaries)."""
    text = file.read_text(errors="replace")
    if file.suffix == ".sources":
        for block in re.split(r"\n\s*\n", text):
            fields = re.findall(r"(?m)^([A-Za-z-]+):\s*(.*(?:\n[ \t].*)*)", block)
            yield dict(fields)
        return
    line = r"(?m)^deb(?:-src)?\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+(.*)$"
    for options, uri, suite, components in re.findall(line, text):
        signed = re.search(r"signed-by=(\S+)", options)
        yield {
            "URIs": uri,
            "Suites": suite,
            "Components": components,
            **({"Signed-By": signed.group(1)} if signed else {}),
        }


def _source_lists(into):
    """The machine's own sources of its own distribution, as deb-src lines."""
    release = re.search(r"(?m)^VERSION_CODENAME=\"?(\w+)", Path("/etc/os-release").read_text())
    if not release or not shutil.which("apt-get"):
        raise Unavailable("source packages come by apt-get, on Debian and its like")
    files = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    blocks = []
    for stanza in (s for file in files if file.is_file() for s in _stanzas(file)):
        suites = stanza.get("Suites", "").split()
        if any(suite.startswith(release.group(1)) for suite in suites) and "main" in stanza.get("Components", ""):
            blocks.append("\n".join(f"{k}: {v}" for k, v in {**stanza, "Types": "deb-src"}.items()))
    (into / "own.sources").write_text("\n\n".join(blocks) + "\n")


def _fetch(folder):
    for name in ("parts", "lists/partial", "archives/partial"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    _source_lists(folder / "parts")
    own = [
        *("-o", "Dir::Etc::SourceList=/dev/null", "-o", f"Dir::Etc::SourceParts={folder}/parts"),
        *("-o", f"Dir::State::Lists={folder}/lists", "-o", f"Dir::Cache={folder}", "-o", "APT::Sandbox::User="),
    ]
    _call("apt-get", *own, "-qq", "update", cwd=folder, what="read the list of source packages")
    _call(
        "apt-get", *own, "-qq", "source", "--download-only", "librdkafka", cwd=folder, what="fetch librdkafka's source"
    )


def _unpack(folder):
    """The upstream tree with the distribution's patches: what dpkg-source does, which not every machine has."""
    original = next(folder.glob("librdkafka_*.orig.tar.*"))
    _call("tar", "xf", original, cwd=folder, what="unpack librdkafka")
    tree = next(path for path in folder.glob("librdkafka-*") if path.is_dir())
    _call("tar", "xf", next(folder.glob("librdkafka_*.debian.tar.*")), cwd=tree, what="unpack the distribution's part")
    for name in (tree / "debian/patches/series").read_text().split():
        _call("patch", "-s", "-p1", "-i", f"debian/patches/{name}", cwd=tree, what="patch librdkafka")
    return tree


def _compile(tree):
    _call("./configure", "--disable-optimization", cwd=tree, what="configure librdkafka")
    jobs = f"-j{os.cpu_count()}"
    for target in (("-C", "src", "librdkafka.a"), ("-C", "src-cpp", "librdkafka++.a"), ("-C", "tests", "build")):
        _call("make", "-s", jobs, *target, cwd=tree, what="build librdkafka's tests")


def _kafka_path(folder, jars):
    """What the tests expect at $KAFKA_PATH: Kafka's own scripts and jars."""
    (folder / "bin").mkdir(parents=True, exist_ok=True)
    (folder / "libs").unlink(missing_ok=True)
    (folder / "libs").symlink_to(jars)
    run = f'exec java -Xmx128m -XX:TieredStopAtLevel=1 -cp "$CLASSPATH:{jars}/*"'
    scripts = {
        "kafka-topics.sh": "org.apache.kafka.tools.TopicCommand",
        "kafka-acls.sh": "kafka.admin.AclCommand",
        "kafka-run-class.sh": "",
    }
    for name, main in scripts.items():
        (folder / "bin" / name).write_text(f'#!/bin/sh\n{run} {main} "$@"\n')
        (folder / "bin" / name).chmod(0o755)
    return folder


def built(jars=None):
    """The suite, built; jars is a folder with Kafka's, for the tests that call Kafka's own scripts."""
    folder = CACHE / "librdkafka-source"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            scratch = Path(tempfile.mkdtemp(dir=folder))
            try:
                _fetch(scratch)
                tree = _unpack(scratch)
                _compile(tree)
                description = next(scratch.glob("*.dsc")).read_text()
                version = re.search(r"(?m)^Version: (\S+)", description).group(1)
                shutil.rmtree(folder / "tree", ignore_errors=True)
                tree.rename(folder / "tree")
                (folder / "done").write_text(version)
            finally:
                shutil.rmtree(scratch)
        path = _kafka_path(folder / "kafka", jars) if jars else None
    return Suite(folder / "tree" / "tests", (folder / "done").read_text(), path)


def version():
    return built().version


class Suite:
    def __init__(self, tests, version, kafka_path=None):
        self.tests = tests
        self.version = version
        self.kafka_path = kafka_path

    def broker_tests(self):
        """Names of the tests that want a broker, with the scenario each is for."""
        table = (self.tests / "test.c").read_text().split("struct test tests[] = {")[1].split("{NULL}")[0]
        for row in re.split(r"\b_TEST\(", table)[1:]:
            name = re.match(r"\w+", row).group()
            scenario = re.search(r'\.scenario = "([\w,]+)"', row)
            if not any(flag in row for flag in NOT_OURS):
                yield name, scenario.group(1) if scenario else "default"

    def run(self, number, broker, quick=False, scenario="default", version=BROKER_VERSION, only=None, patience=2.0):
        """Runs the broker tests of one number in a process of their own: what each did, by name, and what it printed."""
        with tempfile.TemporaryDirectory(prefix="haus-rdkafka-") as scratch:
            config, report = Path(scratch, "test.conf"), Path(scratch, "report.json")
            config.write_text(
                f"bootstrap.servers={broker}\ntest.topic.random=true\ntest.timeout.multiplier={patience}\n"
            )
            env = {name: value for name, value in os.environ.items() if name != "CI"}  # it leaves tests out
            env |= {"TESTS": number, "RDKAFKA_TEST_CONF": str(config), "TEST_REPORT": str(report), "BROKERS": broker}
            env |= {"SUBTESTS": only} if only else {}
            env |= {"KAFKA_PATH": str(self.kafka_path)} if self.kafka_path else {}
            command = ["./test-runner", "-L", "-p1", "-V", version, "-s", scenario, *(["-Q"] if quick else [])]
            output = Path(scratch, "output")
            with open(output, "wb") as out:
                try:
                    subprocess.run(
                        command, cwd=self.tests, env=env, stdout=out, stderr=out, timeout=LONGEST, check=False
                    )
                except subprocess.TimeoutExpired:
                    pass
            text = COLOUR.sub("", output.read_text(errors="replace"))
            return self._told(number, report, text), text

    def run_row(self, row, broker):
        """Runs one row of the table as it says; with `only=` each of these parts must run and pass."""
        word, _, value = row.how.partition("=")
        parts, seconds, texts = value.split("|") if word == "only" else [""], 0, []
        for part in parts:
            told, text = self.run(
                row.name[:4],
                broker,
                quick=word == "quick",
                scenario=row.scenario,
                version=value if word == "version" else BROKER_VERSION,
                only=part,
            )
            mine = told.get(row.name) or Told("FAILED", 0, "the runner does not tell of this test")
            seconds += mine.seconds
            texts.append(text)
            if mine.state == "PASSED" and part and ": PASS (" not in text:
                mine = Told("FAILED", 0, f"there is no part '{part}'")
            if mine.state != "PASSED":
                break
        return Told(mine.state, seconds, mine.reason), "".join(texts)

    @staticmethod
    def _told(number, report, text):
        if not report.exists():
            return {number: Told("FAILED", 0, text.strip()[-300:] or "the runner ended without a word")}
        failure = re.search(r"(?m)^.*?### Test \"[^\"]*\" failed.*?\n(?:### )?(.*)", text)
        skipped = re.search(r"(?m)SKIP(?:PING|PED)?[^:]*: ?(.*)", text)
        told = {}
        for row in json.loads(report.read_text(), strict=False)["tests"].values():
            if row["name"].startswith(number + "_"):
                word = failure if row["state"] == "FAILED" else skipped if row["state"] == "SKIPPED" else None
                told[row["name"]] = Told(row["state"], row["duration"], word.group(1).strip() if word else "")
        return told


@dataclass(frozen=True)
class Row:
    """A test of the table: how it is run, the seconds it takes, what is expected (pass, not here, not applicable) and why."""

    name: str
    scenario: str
    how: str
    seconds: int
    expected: str
    reason: str


def table():
    lines = (Path(__file__).parent / "librdkafka_suite.tsv").read_text().splitlines()
    for line in lines[1:]:
        name, scenario, how, seconds, expected, reason = line.split("\t")
        yield Row(name, scenario, how, int(seconds), expected, reason)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("broker")
    options.add_argument("-Q", dest="quick", action="store_true")
    options.add_argument("-j", dest="jobs", type=int, default=4)
    options.add_argument("-s", dest="scenario", default="default")
    options.add_argument("-k", dest="jars", help="a folder with Kafka's jars")
    options.add_argument("-o", dest="outputs", help="a folder for what each test printed")
    options.add_argument("number", nargs="*")
    args = options.parse_intermixed_args()
    suite = built(args.jars)
    wanted = {name[:4] for name, scenario in suite.broker_tests() if args.scenario in scenario}
    numbers = args.number or sorted(wanted)

    def one(number):
        told, text = suite.run(number, args.broker, args.quick, args.scenario)
        if args.outputs:
            Path(args.outputs, f"{number}.txt").write_text(text)
        return told

    with ThreadPoolExecutor(args.jobs) as pool:
        for told in pool.map(one, numbers):
            for name, row in told.items():
                print(f"{name}\t{row.state}\t{row.seconds:.1f}\t{row.reason}", flush=True)


if __name__ == "__main__":
    main()
