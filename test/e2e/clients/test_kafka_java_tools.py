"""Apache Kafka's own command line tools, two releases of them, and its Java client, against the log and on its files."""

import json
import re
import time
from datetime import UTC, datetime

import pytest
from confluent_kafka import Consumer, TopicPartition
from house import House
from kafka_habits import create, fresh
from kafka_java import V39, V41, Tools, needs_java

pytestmark = [pytest.mark.slow, needs_java]

TOOLS = "org.apache.kafka.tools."
GROUPS = TOOLS + "consumer.group.ConsumerGroupCommand"
CONSUMER = TOOLS + "consumer.ConsoleConsumer"
CONFIGS = "kafka.admin.ConfigCommand"
DUMP = "kafka.tools.DumpLogSegments"
# where a tool's class was in 3.9, when elsewhere
BEFORE = {
    TOOLS + "ConsoleProducer": "kafka.tools.ConsoleProducer",
    TOOLS + "BrokerApiVersionsCommand": "kafka.admin.BrokerApiVersionsCommand",
}


class Kafka:
    """A log of its own, and one release's tools."""

    def __init__(self, house, tools):
        self.house, self.tools, self.version = house, tools, tools.version
        self.address = house.address("log")
        self.server = ["--bootstrap-server", self.address]

    def name(self, main):
        return BEFORE.get(main, main) if self.version == V39 else main

    def run(self, main, *args, **more):
        return self.tools.run(self.name(main), *args, **more)

    def __call__(self, main, *args, **more):
        patient = ["--timeout", 30000] if main == GROUPS else []
        return self.tools(self.name(main), *self.server, *patient, *args, **more)

    def produce(self, topic, lines):
        self(TOOLS + "ConsoleProducer", "--topic", topic, stdin="".join(f"{line}\n" for line in lines))

    def offsets(self, topic, *more):
        told = self(TOOLS + "GetOffsetShell", "--topic", topic, *more)
        return {int(line.split(":")[1]): int(line.split(":")[2]) for line in told.split()}

    def group(self, name):
        """{(topic, partition): (current offset, lag)} as --describe prints them."""
        told = self(GROUPS, "--describe", "--group", name)
        rows = [line.split() for line in told.splitlines() if line.startswith(name)]
        return {(row[1], int(row[2])): (int(row[3]), int(row[5])) for row in rows}


@pytest.fixture(scope="module", params=[V39, V41], ids=["3.9", "4.1"])
def kafka(request):
    with Tools(request.param) as tools, House("log") as house:
        yield Kafka(house, tools)


@pytest.fixture(autouse=True)
def release(request, kafka):
    """The row's client is told by the release that the test ran with."""
    for property in request.node.user_properties:
        if property[0] == "client":
            property[1][1:3] = [f"{property[1][1]} {kafka.version.rsplit('.', 1)[0]}", kafka.version]


def tools(what):
    return pytest.mark.client("Kafka", "Kafka's tools", what)


@tools("kafka-topics: create, list, describe, alter, delete")
def test_topics(kafka):
    topic, command = fresh(), TOOLS + "TopicCommand"
    kafka(command, "--create", "--topic", topic, "--partitions", 2, "--config", "retention.ms=7200000")
    assert topic in kafka(command, "--list").split()
    described = kafka(command, "--describe", "--topic", topic)
    assert re.search(r"PartitionCount: 2\s+ReplicationFactor: 1\s+Configs: .*retention.ms=7200000", described)
    assert re.search(r"Partition: 1\s+Leader: 1\s+Replicas: 1\s+Isr: 1", described)
    kafka(command, "--alter", "--topic", topic, "--partitions", 5)
    assert "PartitionCount: 5" in kafka(command, "--describe", "--topic", topic)
    code, out, err = kafka.run(command, *kafka.server, "--create", "--topic", topic)
    assert code == 1 and "already exists" in out + err
    kafka(command, "--create", "--if-not-exists", "--topic", topic)
    code, out, err = kafka.run(command, *kafka.server, "--create", "--topic", fresh(), "--replication-factor", 3)
    assert code == 1 and "eplication factor" in out + err
    assert not kafka(command, "--describe", "--under-replicated-partitions").strip()
    kafka(command, "--delete", "--topic", topic)
    assert topic not in kafka(command, "--list").split()


@tools("kafka-console-producer and -consumer: keys, headers, codecs, formatting, a group, read_committed")
@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_console_producer_and_consumer(kafka, codec):
    topic = create(kafka.address, fresh())
    properties = [f"{k}={v}" for k, v in {"parse.key": "true", "key.separator": "|", "parse.headers": "true"}.items()]
    lines = "".join(f"h:{i}\tk{i}|v{i}\n" for i in range(300))
    kafka(
        TOOLS + "ConsoleProducer",
        *("--topic", topic, "--compression-codec", codec),
        *(word for p in properties for word in ("--property", p)),
        stdin=lines,
    )
    shown = ["print.key", "print.headers", "print.offset", "print.partition", "print.timestamp"]
    out = kafka(
        CONSUMER,
        *("--topic", topic, "--group", fresh("g"), "--from-beginning", "--max-messages", 300, "--timeout-ms", 20000),
        *("--consumer-property", "isolation.level=read_committed"),
        *(word for p in shown for word in ("--property", f"{p}=true")),
    )
    rows = [line.split("\t") for line in out.splitlines()]
    assert [row[1:] for row in rows] == [["Partition:0", f"Offset:{i}", f"h:{i}", f"k{i}", f"v{i}"] for i in range(300)]
    assert kafka(CONSUMER, "--topic", topic, "--partition", 0, "--offset", 299, "--max-messages", 1) == "v299\n"


@tools("kafka-consumer-groups: list, describe (offsets, members, state)")
def test_groups_are_listed_and_described(kafka):
    topic, group = create(kafka.address, fresh(), 2), fresh("g")
    member = Consumer({"bootstrap.servers": kafka.address, "group.id": group, "client.id": "somebody"})
    member.subscribe([topic])
    while len(member.assignment()) < 2:
        member.poll(0.1)
    member.commit(offsets=[TopicPartition(topic, p, 0) for p in (0, 1)], asynchronous=False)
    assert group in kafka(GROUPS, "--list").split()
    assert re.search(rf"{group}\s+(classic\s+|Classic\s+)?Stable", kafka(GROUPS, "--list", "--state"))
    assert re.search(rf"(?m)^{group}.*somebody.*\s2\s", kafka(GROUPS, "--describe", "--group", group, "--members"))
    verbose = kafka(GROUPS, "--describe", "--group", group, "--members", "--verbose")
    assert re.search(r"\(0,1\)|:0,1", verbose)
    state = kafka(GROUPS, "--describe", "--group", group, "--state")
    assert re.search(rf"{group}\s+127.0.0.1:\d+\s+\(1\)\s+range\s+Stable\s+1", state)
    assert re.search(
        rf"{topic}\s+0\s+0\s+0\s+0\s+\S+\s+/127.0.0.1\s+somebody", kafka(GROUPS, "--describe", "--all-groups")
    )
    code, out, err = kafka.run(
        GROUPS, *kafka.server, "--group", group, "--topic", topic, "--reset-offsets", "--to-earliest", "--execute"
    )
    assert "inactive" in out + err
    member.close()
    assert re.search(r"\sEmpty\s+0", kafka(GROUPS, "--describe", "--group", group, "--state"))


@tools("kafka-consumer-groups: reset-offsets in its variants, delete-offsets, delete")
def test_offsets_are_reset_and_deleted(kafka, tmp_path):
    from confluent_kafka import Producer

    topic, group = create(kafka.address, fresh(), 2), fresh("g")
    begin = int(time.time()) * 1000 - 7_200_000
    half_an_hour_on = datetime.fromtimestamp(begin / 1000 + 1800, UTC).strftime("%Y-%m-%dT%H:%M:%S.000")
    producer = Producer({"bootstrap.servers": kafka.address})
    for i in range(100):
        producer.produce(topic, value=str(i), partition=i % 2, timestamp=begin + (i // 2) * 60000)
    assert producer.flush(20) == 0

    def reset(*how, execute=True):
        kafka(GROUPS, "--group", group, "--reset-offsets", *how, "--execute" if execute else "--dry-run")
        return [kafka.group(group).get((topic, p), (None,))[0] for p in (0, 1)]

    assert reset("--topic", topic, "--to-latest") == [50, 50]
    assert reset("--topic", topic, "--to-earliest") == [0, 0]
    assert reset("--topic", topic, "--to-offset", 20) == [20, 20]
    assert reset("--topic", topic, "--shift-by", -5) == [15, 15]
    assert reset("--topic", topic, "--to-datetime", half_an_hour_on) == [30, 30]
    assert reset("--topic", topic, "--by-duration", "PT1M") == [50, 50]
    assert reset("--topic", f"{topic}:1", "--to-offset", 7) == [50, 7]
    assert reset("--topic", topic, "--to-current") == [50, 7]
    assert reset("--all-topics", "--to-earliest", execute=False) == [50, 7]
    exported = kafka(
        GROUPS, "--group", group, "--reset-offsets", "--to-offset", 3, "--topic", topic, "--export", "--dry-run"
    )
    file = tmp_path / "offsets.csv"
    file.write_text("".join(line + "\n" for line in exported.splitlines() if line.count(",") >= 2))
    assert reset("--from-file", file) == [3, 3]
    assert reset("--all-topics", "--to-earliest") == [0, 0]
    assert "Successful" in kafka(GROUPS, "--delete-offsets", "--group", group, "--topic", f"{topic}:0")
    assert set(kafka.group(group)) == {(topic, 1)}
    assert "successful" in kafka(GROUPS, "--delete", "--group", group)
    assert group not in kafka(GROUPS, "--list").split()


@tools("kafka-configs: topics and brokers, describe and alter")
def test_configs(kafka):
    topic = create(kafka.address, fresh())
    entity = ["--entity-type", "topics", "--entity-name", topic]
    assert "retention.ms=604800000" in kafka(CONFIGS, "--describe", "--all", *entity)
    kafka(CONFIGS, "--alter", *entity, "--add-config", "cleanup.policy=[compact,delete],retention.ms=5000")
    described = kafka(CONFIGS, "--describe", *entity)
    assert "cleanup.policy=compact,delete" in described and "retention.ms=5000" in described
    kafka(CONFIGS, "--alter", *entity, "--delete-config", "cleanup.policy,retention.ms")
    assert "retention.ms" not in kafka(CONFIGS, "--describe", *entity)
    code, out, err = kafka.run(CONFIGS, *kafka.server, "--alter", *entity, "--add-config", "retention.ms=soon")
    assert code == 1 and "retention.ms" in out + err
    broker = ["--entity-type", "brokers", "--entity-name", 1]
    assert "log.retention.hours=168" in kafka(CONFIGS, "--describe", "--all", *broker)
    kafka(CONFIGS, "--alter", *broker, "--add-config", "log.retention.ms=77000000")
    assert "log.retention.ms=77000000" in kafka(CONFIGS, "--describe", *broker)
    assert "retention.ms=77000000" in kafka(CONFIGS, "--describe", "--all", *entity)
    kafka(CONFIGS, "--alter", *broker, "--delete-config", "log.retention.ms")
    assert "log.retention.ms=77000000" not in kafka(CONFIGS, "--describe", *broker)


@tools("kafka-configs: users, of whom there are none")
def test_users(kafka):
    """A Kafka without users prints nothing either."""
    for more in ([], ["--all"], ["--entity-name", "anna"]):
        assert kafka(CONFIGS, "--describe", "--entity-type", "users", *more).strip() == ""


@tools("kafka-configs: the default of all brokers; kafka-console-consumer decodes __consumer_offsets")
def test_defaults_of_all_brokers_and_decoded_offsets(kafka):
    everywhere = ["--entity-type", "brokers", "--entity-default"]
    kafka(CONFIGS, "--alter", *everywhere, "--add-config", "log.retention.bytes=77000000")
    assert "log.retention.bytes=77000000" in kafka(CONFIGS, "--describe", *everywhere)
    kafka(CONFIGS, "--alter", *everywhere, "--delete-config", "log.retention.bytes")
    topic, group = create(kafka.address, fresh()), fresh("g")
    kafka.produce(topic, "ab")
    kafka(CONSUMER, "--topic", topic, "--group", group, "--from-beginning", "--max-messages", 2, "--timeout-ms", 20000)
    told = kafka(
        CONSUMER,
        *("--topic", "__consumer_offsets", "--from-beginning", "--timeout-ms", 10000),
        *("--formatter", TOOLS + "consumer.OffsetsMessageFormatter"),
    )
    assert re.search(rf'"group":"{group}","topic":"{topic}","partition":0.*"offset":2', told)


@tools("kafka-get-offsets and kafka-delete-records")
def test_offsets_are_told_and_records_deleted(kafka, tmp_path):
    topic = create(kafka.address, fresh())
    kafka.produce(topic, range(50))
    assert kafka.offsets(topic) == {0: 50}
    assert kafka.offsets(topic, "--time", "earliest") == {0: 0}
    assert kafka.offsets(topic, "--time", "max-timestamp")[0] in range(50)
    cut = tmp_path / "cut.json"
    cut.write_text(json.dumps({"partitions": [{"topic": topic, "partition": 0, "offset": 30}], "version": 1}))
    assert "low_watermark: 30" in kafka(TOOLS + "DeleteRecordsCommand", "--offset-json-file", cut)
    assert kafka.offsets(topic, "--time", -2) == {0: 30}


@tools("kafka-broker-api-versions, kafka-cluster, kafka-log-dirs, kafka-features, kafka-metadata-quorum")
def test_the_broker_is_described(kafka):
    topic = create(kafka.address, fresh())
    kafka.produce(topic, ["x" * 1000] * 10)
    assert re.search(r"Produce\(0\): 0 to 13 \[usable: 1[13]\]", kafka(TOOLS + "BrokerApiVersionsCommand"))
    assert "Cluster ID: " in kafka.tools(TOOLS + "ClusterTool", "cluster-id", *kafka.server)
    told = kafka(TOOLS + "LogDirsCommand", "--describe", "--topic-list", topic)
    folder = json.loads(told.splitlines()[-1])["brokers"][0]["logDirs"][0]
    assert folder["error"] is None and folder["partitions"][0]["size"] > 10000
    assert "Feature: metadata.version" in kafka(TOOLS + "FeatureCommand", "describe")
    assert re.search(r"LeaderId:\s+1", kafka(TOOLS + "MetadataQuorumCommand", "describe", "--status"))


@tools("kafka-leader-election and kafka-reassign-partitions say that there is nothing to move")
def test_nothing_is_elected_or_moved(kafka, tmp_path):
    topic = create(kafka.address, fresh())
    file = tmp_path / "partitions.json"
    file.write_text(json.dumps({"partitions": [{"topic": topic, "partition": 0}]}))
    told = kafka(TOOLS + "LeaderElectionCommand", "--election-type", "preferred", "--path-to-json-file", file)
    assert "is already the leader" in told or "Valid replica already elected" in told
    assert "No partition reassignments" in kafka(TOOLS + "reassign.ReassignPartitionsCommand", "--list")


@tools("kafka-producer-perf-test, kafka-consumer-perf-test, kafka-e2e-latency")
def test_performance_tools(kafka):
    topic = create(kafka.address, fresh())
    told = kafka.tools(
        TOOLS + "ProducerPerformance",
        *("--topic", topic, "--num-records", 50000, "--record-size", 100, "--throughput", -1),
        *("--producer-props", f"bootstrap.servers={kafka.address}", "acks=all", "compression.type=lz4"),
    )
    assert "50000 records sent" in told
    told = kafka(TOOLS + "ConsumerPerformance", "--topic", topic, "--messages", 50000, "--timeout", 30000)
    assert int(told.splitlines()[-1].split(", ")[4]) == 50000
    told = kafka.tools(TOOLS + "EndToEndLatency", kafka.address, topic, 200, "all", 100)
    assert "99.9th" in told


@tools("kafka-verifiable-producer and -consumer")
def test_verifiable_producer_and_consumer(kafka):
    topic, group = create(kafka.address, fresh(), 3), fresh("g")
    told = kafka.tools.alone(TOOLS + "VerifiableProducer", *kafka.server, "--topic", topic, "--max-messages", 3000)
    lines = [json.loads(line) for line in told.splitlines()]
    assert sum(line["name"] == "producer_send_success" for line in lines) == 3000
    assert lines[-1]["name"] == "tool_data" and lines[-1]["acked"] == 3000
    wanted = ["--topic", topic, "--max-messages", 3000, "--group-id", group]
    told = kafka.tools.alone(TOOLS + "VerifiableConsumer", *kafka.server, *wanted)
    lines = [json.loads(line) for line in told.splitlines()]
    assert sum(line["count"] for line in lines if line["name"] == "records_consumed") == 3000
    assert all(line["success"] for line in lines if line["name"] == "offsets_committed")


@tools("kafka-transactions: producers of a partition; hanging transactions cannot be asked for and it says so")
def test_transactions_are_not_there(kafka):
    topic = create(kafka.address, fresh())
    kafka.produce(topic, range(10))
    told = kafka.tools(
        TOOLS + "TransactionsCommand", *kafka.server, "describe-producers", "--topic", topic, "--partition", 0
    )
    assert re.search(r"(?m)^\d+\s+0\s+-1\s+9\s+\d+\s+None", told)
    code, out, err = kafka.run(TOOLS + "TransactionsCommand", *kafka.server, "list")
    assert code == 1 and "does not support LIST_TRANSACTIONS" in out + err


@tools("kafka-dump-log on the log's files: segments, indexes, snapshots, __consumer_offsets decoded")
def test_dump_log(kafka):
    topic, group = create(kafka.address, fresh(), 1, segment_bytes=100000), fresh("g")
    kafka.produce(topic, [f"value {i}" for i in range(20000)])
    kafka(
        CONSUMER, "--topic", topic, "--group", group, "--from-beginning", "--max-messages", 20000, "--timeout-ms", 20000
    )
    assert kafka.group(group) == {(topic, 0): (20000, 0)}
    assert kafka.house.stop("log") == 0
    try:
        counted, kinds, folder = 0, set(), kafka.house.home / "log"
        for file in sorted((folder / f"{topic}-0").iterdir()):
            if file.suffix not in (".log", ".index", ".timeindex", ".snapshot") or not file.stat().st_size:
                continue
            dump = kafka.tools(DUMP, "--deep-iteration", "--files", file)
            assert "isvalid: false" not in dump and "mismatch" not in dump.lower(), file
            counted += len(re.findall(r"(?m)^\| offset: ", dump))
            kinds.add(file.suffix)
        assert counted == 20000 and kinds == {".log", ".index", ".timeindex", ".snapshot"}
        dumps = [
            kafka.tools(DUMP, "--offsets-decoder", "--files", file)
            for file in folder.glob("__consumer_offsets-*/*.log")
            if group.encode() in file.read_bytes()
        ]
        assert len(dumps) == 1 and re.search(rf'"group":"{group}".*"offset":20000', dumps[0])
    finally:
        kafka.house.start("log")


def client(scenario, what):
    mark = pytest.mark.client("Kafka", "Kafka's Java client", what)
    return pytest.param(scenario, id=scenario, marks=mark)


@pytest.mark.parametrize(
    "scenario",
    [
        client("codecs", "produces in every codec, idempotently; seeks, pauses, offsetsForTimes, read_committed"),
        client("big", "sends and reads a message of 3 MB"),
        client("cooperative", "a cooperative-sticky group: two members join, leave and resume"),
        client("statics", "static members keep their partitions over a restart"),
        client("regex", "subscribes by pattern: new topics and partitions are found"),
        client("transactions", "a transactional producer is refused at once, in words"),
    ],
)
def test_java_client(kafka, scenario):
    kafka.tools("Clients", kafka.address, scenario)


@pytest.mark.client("Kafka", "AKHQ's calls (kafka-clients)", "nodes, log dirs, topics, settings, groups, offsets, ACLs")
def test_what_akhq_asks_of_a_cluster(kafka):
    kafka.tools("Akhq", kafka.address)
