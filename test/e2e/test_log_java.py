"""Apache Kafka's own tools against the log, and on its files.  Fetches them from Maven Central; needs java and mvn."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from house import House

VERSION = "4.1.0"
CACHE = Path(os.environ.get("HAUS_TEST_CACHE", Path.home() / ".cache" / "haus-test")) / f"kafka-{VERSION}"
POM = """<project><modelVersion>4.0.0</modelVersion><groupId>t</groupId><artifactId>t</artifactId><version>1</version>
<dependencies>{}</dependencies></project>"""
DEPENDENCY = "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>"
PARTS = [
    ("org.apache.kafka", "kafka_2.13", VERSION),
    ("org.apache.kafka", "kafka-server", VERSION),
    ("org.apache.kafka", "kafka-tools", VERSION),
]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (shutil.which("java") and shutil.which("mvn")), reason="needs java and mvn"),
]


@pytest.fixture(scope="module")
def tools():
    if not (CACHE / "done").exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        (CACHE / "pom.xml").write_text(POM.format("".join(DEPENDENCY.format(*p) for p in PARTS)))
        subprocess.run(
            ["mvn", "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={CACHE}"], cwd=CACHE, check=True
        )
        (CACHE / "done").touch()

    def run(main, *args, stdin=None):
        out = subprocess.run(
            ["java", "-cp", f"{CACHE}/*", main, *map(str, args)],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert out.returncode == 0, out.stdout + out.stderr
        return out.stdout

    return run


@pytest.fixture(scope="module")
def house():
    with House("log") as house:
        yield house


TOPICS = "org.apache.kafka.tools.TopicCommand"
GROUPS = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"


def server(house):
    return ["--bootstrap-server", house.address("log")]


def test_topics_messages_groups_and_files_with_kafkas_own_tools(house, tools):
    tools(TOPICS, *server(house), "--create", "--topic", "j", "--partitions", 2, "--config", "segment.bytes=1048576")
    described = tools(TOPICS, *server(house), "--describe", "--topic", "j")
    assert re.search(r"PartitionCount: 2\s+ReplicationFactor: 1\s+Configs: .*segment.bytes=1048576", described)
    lines = "".join(f"{i % 7}:value {i}\n" for i in range(20000))
    tools(
        "org.apache.kafka.tools.ConsoleProducer",
        *server(house),
        *("--topic", "j", "--property", "parse.key=true", "--property", "key.separator=:"),
        stdin=lines,
    )
    offsets = tools("org.apache.kafka.tools.GetOffsetShell", *server(house), "--topic", "j")
    assert sum(int(line.rsplit(":", 1)[1]) for line in offsets.split()) == 20000
    out = tools(
        "org.apache.kafka.tools.consumer.ConsoleConsumer",
        *server(house),
        *("--topic", "j", "--group", "jg", "--from-beginning", "--max-messages", 20000, "--timeout-ms", 30000),
    )
    assert sorted(out.split("\n")[:-1]) == sorted(f"value {i}" for i in range(20000))
    described = tools(GROUPS, *server(house), "--describe", "--group", "jg")
    lags = [line.split()[5] for line in described.split("\n") if line.startswith("jg")]
    assert lags == ["0", "0"]
    tools(GROUPS, *server(house), "--group", "jg", "--topic", "j", "--reset-offsets", "--to-earliest", "--execute")
    described = tools(GROUPS, *server(house), "--describe", "--group", "jg")
    assert sum(int(line.split()[5]) for line in described.split("\n") if line.startswith("jg")) == 20000
    assert house.stop("log") == 0
    counted = 0
    for partition in (0, 1):
        for file in sorted((house.home / "log" / f"j-{partition}").iterdir()):
            if file.suffix not in (".log", ".index", ".timeindex", ".snapshot") or not file.stat().st_size:
                continue
            dump = tools("kafka.tools.DumpLogSegments", "--deep-iteration", "--files", file)
            assert "isvalid: false" not in dump and "mismatch" not in dump.lower()
            counted += len(re.findall(r"(?m)^\| offset: ", dump))
    assert counted == 20000


def test_settings_and_offsets_with_kafkas_own_tools(tools):
    configs = "kafka.admin.ConfigCommand"
    with House("log") as house:
        entity = ["--entity-type", "topics", "--entity-name", "c"]
        tools(TOPICS, *server(house), "--create", "--topic", "c", "--partitions", 1)
        described = tools(configs, *server(house), "--describe", "--all", *entity)
        assert "retention.ms=604800000 sensitive=false synonyms={}" in described
        assert "segment.bytes=1073741824 sensitive=false synonyms={DEFAULT_CONFIG:log.segment.bytes=" in described
        tools(configs, *server(house), "--alter", *entity, "--add-config", "cleanup.policy=[compact,delete]")
        tools(configs, *server(house), "--alter", *entity, "--add-config", "retention.ms=5")
        tools(configs, *server(house), "--alter", *entity, "--delete-config", "retention.ms")
        described = tools(configs, *server(house), "--describe", *entity)
        assert "cleanup.policy=compact,delete" in described and "retention.ms" not in described
        tools(configs, *server(house), "--alter", *entity, "--delete-config", "cleanup.policy")
        everywhere = ["--entity-type", "brokers", "--entity-default"]
        tools(configs, *server(house), "--alter", *everywhere, "--add-config", "log.retention.ms=77000000")
        assert "log.retention.ms=77000000" in tools(configs, *server(house), "--describe", *everywhere)
        assert "node.id=1" in tools(configs, *server(house), "--describe", "--all", "--entity-type", "brokers")
        tools("org.apache.kafka.tools.ConsoleProducer", *server(house), "--topic", "c", stdin="a\nb\n")
        consume = ["--topic", "c", "--group", "cg", "--from-beginning", "--max-messages", 2, "--timeout-ms", 30000]
        tools("org.apache.kafka.tools.consumer.ConsoleConsumer", *server(house), *consume)
        told = tools(
            "org.apache.kafka.tools.consumer.ConsoleConsumer",
            *server(house),
            *("--topic", "__consumer_offsets", "--from-beginning", "--timeout-ms", 10000),
            *("--formatter", "org.apache.kafka.tools.consumer.OffsetsMessageFormatter"),
        )
        assert '"group":"cg","topic":"c","partition":0' in told and '"offset":2' in told
        assert "Empty" in tools(GROUPS, *server(house), "--describe", "--group", "cg", "--state")
        assert "Successful" in tools(GROUPS, *server(house), "--delete-offsets", "--group", "cg", "--topic", "c")
        assert "successful" in tools(GROUPS, *server(house), "--delete", "--group", "cg")
        assert "cg" not in tools(GROUPS, *server(house), "--list").split()
