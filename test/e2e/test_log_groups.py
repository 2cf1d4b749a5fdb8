"""Consumer groups, committed offsets and configuration of the log, with the field's own clients.

KAFKA_BOOTSTRAP=host:port runs the same tests against another broker, say a real Kafka; those that need to kill it are
then left out.
"""

import os
import struct
import time
import uuid

import pytest
from confluent_kafka import Consumer, ConsumerGroupState, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ConfigSource,
    NewPartitions,
    NewTopic,
    ResourceType,
)
from confluent_kafka import ConsumerGroupTopicPartitions
from house import House

FOREIGN = os.environ.get("KAFKA_BOOTSTRAP")
needs_own_house = pytest.mark.skipif(bool(FOREIGN), reason="kills the broker")


@pytest.fixture(scope="module")
def house():
    if FOREIGN:
        yield None
        return
    with House("log", env={"KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS": "1000"}) as house:
        yield house


@pytest.fixture
def bootstrap(house):
    return FOREIGN or house.address("log")


@pytest.fixture
def admin(bootstrap):
    return AdminClient({"bootstrap.servers": bootstrap})


@pytest.fixture
def topic(admin):
    name = f"t-{uuid.uuid4().hex[:8]}"
    admin.create_topics([NewTopic(name, 4, 1)])[name].result(10)
    return name


@pytest.fixture
def group():
    return f"g-{uuid.uuid4().hex[:8]}"


def produce(bootstrap, topic, count, first=0):
    producer = Producer({"bootstrap.servers": bootstrap})
    for n in range(first, first + count):
        producer.produce(topic, key=str(n), value=str(n), partition=n % 4)
    assert producer.flush(20) == 0


def consumer(bootstrap, group, **more):
    return Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "session.timeout.ms": 6000,
            "heartbeat.interval.ms": 300,
            **more,
        }
    )


def poll_all(consumers, enough, seconds=20):
    """Polls in turn until enough(values) is true; returns the values seen, per consumer."""
    seen = [[] for _ in consumers]
    deadline = time.monotonic() + seconds
    while not enough(seen):
        assert time.monotonic() < deadline, f"timed out with {[len(s) for s in seen]}"
        for values, one in zip(seen, consumers):
            message = one.poll(0.05)
            if message is None:
                continue
            if message.error():
                raise KafkaException(message.error())
            values.append(int(message.value()))
    return seen


@pytest.mark.client(
    "Kafka", "confluent-kafka", "two members join, leave and resume: range, roundrobin, cooperative-sticky"
)
@pytest.mark.parametrize("strategy", ["range", "roundrobin", "cooperative-sticky"])
def test_two_members_share_and_each_resumes(bootstrap, topic, group, strategy):
    produce(bootstrap, topic, 40)
    options = {"partition.assignment.strategy": strategy}
    one = consumer(bootstrap, group, **options)
    one.subscribe([topic])
    seen = poll_all([one], lambda s: len(s[0]) == 40)
    assert sorted(seen[0]) == list(range(40))
    one.commit(asynchronous=False)
    two = consumer(bootstrap, group, **options)
    two.subscribe([topic])
    deadline = time.monotonic() + 20
    while not (len(one.assignment()) == 2 and len(two.assignment()) == 2):
        assert time.monotonic() < deadline
        assert one.poll(0.05) is None
        assert two.poll(0.05) is None
    produce(bootstrap, topic, 40, 40)
    seen = poll_all([one, two], lambda s: len(s[0]) + len(s[1]) == 40)
    assert len(seen[0]) == len(seen[1]) == 20
    assert sorted(seen[0] + seen[1]) == list(range(40, 80))
    one.commit(asynchronous=False)
    two.commit(asynchronous=False)
    two.close()
    deadline = time.monotonic() + 20
    while len(one.assignment()) != 4:
        assert time.monotonic() < deadline
        assert one.poll(0.05) is None
    produce(bootstrap, topic, 40, 80)
    seen = poll_all([one], lambda s: len(s[0]) == 40)
    assert sorted(seen[0]) == list(range(80, 120))
    one.commit(asynchronous=False)
    one.close()
    again = consumer(bootstrap, group, **options)
    again.subscribe([topic])
    produce(bootstrap, topic, 4, 120)
    assert sorted(poll_all([again], lambda s: len(s[0]) == 4)[0]) == list(range(120, 124))
    again.close()


@pytest.mark.client("Kafka", "confluent-kafka", "static members keep their partitions over a restart")
def test_a_static_member_that_restarts_keeps_its_partitions(bootstrap, topic, group):
    produce(bootstrap, topic, 8)
    one = consumer(bootstrap, group, **{"group.instance.id": "one"})
    two = consumer(bootstrap, group, **{"group.instance.id": "two"})
    revoked = []
    one.subscribe([topic], on_revoke=lambda _, parts: revoked.append(parts))
    two.subscribe([topic])
    deadline = time.monotonic() + 20
    while not (len(one.assignment()) == 2 and len(two.assignment()) == 2):
        assert time.monotonic() < deadline
        one.poll(0.05)
        two.poll(0.05)
    before = sorted(p.partition for p in two.assignment())
    revoked.clear()
    two.close()  # static: no leave
    two = consumer(bootstrap, group, **{"group.instance.id": "two"})
    two.subscribe([topic])
    while len(two.assignment()) != 2:
        assert time.monotonic() < deadline
        one.poll(0.05)
        two.poll(0.05)
    assert sorted(p.partition for p in two.assignment()) == before
    assert revoked == []
    one.close()
    two.close()


@pytest.mark.client("Kafka", "confluent-kafka", "a member that stops polling is replaced")
def test_a_member_that_dies_is_replaced(bootstrap, topic, group):
    produce(bootstrap, topic, 8)
    one = consumer(bootstrap, group)
    two = consumer(bootstrap, group, **{"max.poll.interval.ms": 6000, "session.timeout.ms": 6000})
    for member in (one, two):
        member.subscribe([topic])
    deadline = time.monotonic() + 40
    while not (len(one.assignment()) == 2 and len(two.assignment()) == 2):
        assert time.monotonic() < deadline
        one.poll(0.05)
        two.poll(0.05)
    while len(one.assignment()) != 4:  # two polls no more: it leaves by its own clock
        assert time.monotonic() < deadline
        one.poll(0.1)
    one.close()
    two.close()


@pytest.mark.client("Kafka", "kafka-python", "two members join, leave and resume")
def test_kafka_python_members_share_a_topic(bootstrap, topic, group):
    kafka = pytest.importorskip("kafka")
    options = {
        "bootstrap_servers": bootstrap,
        "group_id": group,
        "auto_offset_reset": "earliest",
        "enable_auto_commit": False,
        "heartbeat_interval_ms": 300,
        "session_timeout_ms": 6000,
    }
    produce(bootstrap, topic, 40)
    one = kafka.KafkaConsumer(topic, **options)
    seen = set()
    deadline = time.monotonic() + 60

    def poll_until(done, *members):
        while not done():
            assert time.monotonic() < deadline
            for member in members:
                for records in member.poll(100).values():
                    seen.update(int(record.value) for record in records)

    # one after the other: this client gets stuck when its SyncGroup is told of a rebalance, against any broker
    poll_until(lambda: len(one.assignment()) == 4 and len(seen) == 40, one)
    one.commit()
    two = kafka.KafkaConsumer(topic, **options)
    poll_until(lambda: len(one.assignment()) == 2 and len(two.assignment()) == 2, one, two)
    two.commit()
    two.close()
    poll_until(lambda: len(one.assignment()) == 4, one)
    assert seen == set(range(40))
    assert all(one.committed(kafka.TopicPartition(topic, n)) == 10 for n in range(4))
    one.close()


@pytest.mark.client("Kafka", "confluent-kafka", "commits offsets with metadata without a group's help")
def test_offsets_of_a_consumer_that_assigns_itself(bootstrap, topic, group):
    one = consumer(bootstrap, group)
    long_text = "ü" * 4095  # the client adds a zero byte
    parts = [TopicPartition(topic, 0, 7), TopicPartition(topic, 1, 9, long_text)]
    committed = one.commit(offsets=parts, asynchronous=False)
    assert all(p.error is None for p in committed)
    got = one.committed([TopicPartition(topic, n) for n in range(3)], timeout=10)
    assert [p.offset for p in got] == [7, 9, -1001]
    assert got[1].metadata == long_text
    parts[1] = TopicPartition(topic, 1, 9, long_text + "xx")
    with pytest.raises(KafkaException) as error:
        one.commit(offsets=[parts[1]], asynchronous=False)
    assert error.value.args[0].code() == KafkaError.OFFSET_METADATA_TOO_LARGE
    with pytest.raises(KafkaException) as error:
        one.commit(offsets=[TopicPartition("no-such-topic-here", 0, 1)], asynchronous=False)
    assert error.value.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART
    one.close()


@pytest.mark.client(
    "Kafka", "confluent-kafka", "admin: groups are listed, described and deleted, their offsets listed and altered"
)
def test_groups_are_listed_described_altered_and_deleted(bootstrap, admin, topic, group):
    one = consumer(bootstrap, group, **{"client.id": "somebody"})
    one.subscribe([topic])
    deadline = time.monotonic() + 20
    while not one.assignment():
        assert time.monotonic() < deadline
        one.poll(0.05)
    one.commit(offsets=[TopicPartition(topic, 0, 5)], asynchronous=False)
    listed = {g.group_id: g for g in admin.list_consumer_groups().result(10).valid}
    assert listed[group].state == ConsumerGroupState.STABLE
    described = admin.describe_consumer_groups([group])[group].result(10)
    assert described.state == ConsumerGroupState.STABLE
    assert described.partition_assignor == "range"
    assert len(described.members) == 1
    assert described.members[0].client_id == "somebody"
    assert described.members[0].host == "/127.0.0.1"
    assert len(described.members[0].assignment.topic_partitions) == 4
    with pytest.raises(KafkaException) as error:
        admin.delete_consumer_groups([group])[group].result(10)
    assert error.value.args[0].code() == KafkaError.NON_EMPTY_GROUP
    one.close()
    assert admin.describe_consumer_groups([group])[group].result(10).state == ConsumerGroupState.EMPTY
    wanted = ConsumerGroupTopicPartitions(group, [TopicPartition(topic, 0, 3)])
    admin.alter_consumer_group_offsets([wanted])[group].result(10)
    got = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])[group].result(10)
    assert [(p.topic, p.partition, p.offset) for p in got.topic_partitions] == [(topic, 0, 3)]
    admin.delete_consumer_groups([group])[group].result(10)
    assert group not in {g.group_id for g in admin.list_consumer_groups().result(10).valid}
    with pytest.raises(KafkaException) as error:
        admin.delete_consumer_groups([group])[group].result(10)
    assert error.value.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND


def test_offsets_go_with_their_topic(bootstrap, admin, topic, group):
    one = consumer(bootstrap, group)
    one.commit(offsets=[TopicPartition(topic, 0, 5)], asynchronous=False)
    admin.delete_topics([topic])[topic].result(10)
    deadline = time.monotonic() + 10
    while True:
        got = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])[group].result(10)
        if got.topic_partitions == []:
            break
        assert time.monotonic() < deadline
        time.sleep(0.1)
    one.close()


@pytest.mark.client("Kafka", "confluent-kafka", "a group goes on over a kill -9 of the log")
@needs_own_house
def test_groups_outlive_a_killed_broker(group):
    with House("log") as house:
        bootstrap = house.address("log")
        admin = AdminClient({"bootstrap.servers": bootstrap})
        admin.create_topics([NewTopic("t", 4, 1)])["t"].result(10)
        produce(bootstrap, "t", 40)
        one = consumer(bootstrap, group)
        one.subscribe(["t"])
        poll_all([one], lambda s: len(s[0]) == 40)
        parts = [TopicPartition("t", n, 10) for n in range(4)]
        parts[0] = TopicPartition("t", 0, 10, "kept")
        one.commit(offsets=parts, asynchronous=False)
        members = [m.member_id for m in admin.describe_consumer_groups([group])[group].result(10).members]
        house.restart("log")
        admin = AdminClient({"bootstrap.servers": bootstrap})
        described = admin.describe_consumer_groups([group])[group].result(20)
        assert described.state == ConsumerGroupState.STABLE
        assert [m.member_id for m in described.members] == members
        produce(bootstrap, "t", 4, 40)
        assert sorted(poll_all([one], lambda s: len(s[0]) == 4)[0]) == [40, 41, 42, 43]
        got = one.committed([TopicPartition("t", 0)], timeout=10)
        assert (got[0].offset, got[0].metadata) == (10, "kept")
        one.close()


def offset_records(bootstrap):
    """What a monitor that reads __consumer_offsets sees: {(group, topic, partition): offset}"""
    reader = Consumer({"bootstrap.servers": bootstrap, "group.id": "reader", "enable.auto.commit": False})
    metadata = reader.list_topics("__consumer_offsets", timeout=10).topics["__consumer_offsets"]
    ends, seen = {}, {}
    for n in metadata.partitions:
        low, high = reader.get_watermark_offsets(TopicPartition("__consumer_offsets", n), timeout=10)
        if high > low:
            ends[n] = high
    reader.assign([TopicPartition("__consumer_offsets", n, 0) for n in ends])
    deadline = time.monotonic() + 20
    while ends and time.monotonic() < deadline:
        message = reader.poll(0.5)
        if message is None or message.error():
            continue
        if message.offset() + 1 >= ends.get(message.partition(), 0):
            ends.pop(message.partition(), None)
        key, value = message.key(), message.value()
        if struct.unpack(">h", key[:2])[0] != 1:
            continue
        group_len = struct.unpack(">h", key[2:4])[0]
        group_name = key[4 : 4 + group_len].decode()
        topic_len = struct.unpack(">h", key[4 + group_len : 6 + group_len])[0]
        topic_name = key[6 + group_len : 6 + group_len + topic_len].decode()
        partition = struct.unpack(">i", key[-4:])[0]
        seen[group_name, topic_name, partition] = None if value is None else struct.unpack(">q", value[2:10])[0]
    reader.close()
    return seen


@pytest.mark.client("Kafka", "confluent-kafka", "reads __consumer_offsets as monitors do")
def test_the_offsets_topic_can_be_read(bootstrap, topic, group):
    one = consumer(bootstrap, group)
    one.commit(offsets=[TopicPartition(topic, 2, 77)], asynchronous=False)
    assert offset_records(bootstrap)[group, topic, 2] == 77
    one.close()


# ---- configuration


def describe(admin, kind, name):
    resource = ConfigResource(kind, name)
    return admin.describe_configs([resource])[resource].result(10)


@pytest.mark.client("Kafka", "confluent-kafka", "admin: settings of topics and broker are described")
def test_a_topic_shows_every_property_with_its_source(admin, topic):
    config = describe(admin, ResourceType.TOPIC, topic)
    assert len(config) >= 30
    assert config["retention.ms"].value == "604800000"
    assert config["retention.ms"].is_default
    assert config["cleanup.policy"].value == "delete"
    assert config["segment.bytes"].value == "1073741824"
    assert config["min.insync.replicas"].value == "1"
    assert not any(entry.is_sensitive or entry.is_read_only for entry in config.values())
    names = [s for s in config["segment.bytes"].synonyms]
    assert names == ["log.segment.bytes"]


@pytest.mark.client("Kafka", "confluent-kafka", "admin: settings of topics and broker are described")
def test_a_broker_shows_every_property(admin):
    config = describe(admin, ResourceType.BROKER, "1")
    assert len(config) > 200
    assert config["node.id"].value == "1"
    assert config["node.id"].is_read_only
    assert config["auto.create.topics.enable"].value == "true"
    assert config["ssl.keystore.password"].is_sensitive
    assert config["default.replication.factor"].value == "1"
    assert not config["log.retention.ms"].is_read_only
    with pytest.raises(KafkaException) as error:
        describe(admin, ResourceType.TOPIC, "no-such-topic")
    assert error.value.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART


def change(admin, kind, name, *entries):
    resource = ConfigResource(kind, name)
    for key, operation, value in entries:
        resource.add_incremental_config(ConfigEntry(key, value, incremental_operation=operation))
    admin.incremental_alter_configs([resource])[resource].result(10)


@pytest.mark.client("Kafka", "confluent-kafka", "admin: settings are altered: set, delete, append, subtract")
def test_properties_of_a_topic_are_altered(admin, topic):
    set_, delete = AlterConfigOpType.SET, AlterConfigOpType.DELETE
    append, subtract = AlterConfigOpType.APPEND, AlterConfigOpType.SUBTRACT
    change(admin, ResourceType.TOPIC, topic, ("retention.ms", set_, "1000"), ("cleanup.policy", append, "compact"))
    config = describe(admin, ResourceType.TOPIC, topic)
    assert config["retention.ms"].value == "1000"
    assert config["retention.ms"].source == ConfigSource.DYNAMIC_TOPIC_CONFIG.value
    assert config["cleanup.policy"].value == "delete,compact"
    change(admin, ResourceType.TOPIC, topic, ("retention.ms", delete, ""), ("cleanup.policy", subtract, "delete"))
    config = describe(admin, ResourceType.TOPIC, topic)
    assert config["retention.ms"].value == "604800000"
    assert config["cleanup.policy"].value == "compact"
    for key, value in [("retention.ms", "soon"), ("cleanup.policy", "burn"), ("no.such", "1"), ("segment.bytes", "-1")]:
        with pytest.raises(KafkaException) as error:
            change(admin, ResourceType.TOPIC, topic, (key, set_, value))
        assert error.value.args[0].code() == KafkaError.INVALID_CONFIG
    with pytest.raises(KafkaException) as error:
        change(admin, ResourceType.TOPIC, topic, ("retention.ms", append, "1"))
    assert error.value.args[0].code() == KafkaError.INVALID_CONFIG
    with pytest.raises(KafkaException) as error:
        change(admin, ResourceType.TOPIC, "no-such-topic", ("retention.ms", set_, "1"))
    assert error.value.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART


def test_a_smaller_message_limit_holds_at_once(bootstrap, admin, topic):
    change(admin, ResourceType.TOPIC, topic, ("max.message.bytes", AlterConfigOpType.SET, "1000"))
    producer = Producer({"bootstrap.servers": bootstrap, "retries": 0})
    errors = []
    producer.produce(topic, os.urandom(5000), on_delivery=lambda e, _: errors.append(e))
    producer.flush(20)
    assert errors[0].code() == KafkaError.MSG_SIZE_TOO_LARGE


def test_a_brokers_default_is_altered_for_all_topics(admin, topic):
    set_, delete = AlterConfigOpType.SET, AlterConfigOpType.DELETE
    change(admin, ResourceType.BROKER, "1", ("log.retention.ms", set_, "123456789"))
    try:
        deadline = time.monotonic() + 10
        while describe(admin, ResourceType.TOPIC, topic)["retention.ms"].value != "123456789":
            assert time.monotonic() < deadline
            time.sleep(0.1)
    finally:
        change(admin, ResourceType.BROKER, "1", ("log.retention.ms", delete, ""))
    with pytest.raises(KafkaException) as error:
        change(admin, ResourceType.BROKER, "1", ("node.id", set_, "2"))
    assert error.value.args[0].code() == KafkaError.INVALID_REQUEST


@needs_own_house
def test_properties_outlive_a_killed_broker():
    with House("log") as house:
        admin = AdminClient({"bootstrap.servers": house.address("log")})
        admin.create_topics([NewTopic("t", 1, 1, config={"retention.ms": "5000"})])["t"].result(10)
        change(admin, ResourceType.TOPIC, "t", ("segment.bytes", AlterConfigOpType.SET, "2000000"))
        change(admin, ResourceType.BROKER, "1", ("log.retention.bytes", AlterConfigOpType.SET, "77"))
        house.restart("log")
        admin = AdminClient({"bootstrap.servers": house.address("log")})
        config = describe(admin, ResourceType.TOPIC, "t")
        assert config["retention.ms"].value == "5000"
        assert config["segment.bytes"].value == "2000000"
        assert config["retention.bytes"].value == "77"
        assert config["retention.bytes"].source == ConfigSource.DYNAMIC_BROKER_CONFIG.value


@pytest.mark.client("Kafka", "confluent-kafka", "admin: partitions are added")
def test_partitions_are_added(admin, topic):
    admin.create_partitions([NewPartitions(topic, 6)])[topic].result(10)
    deadline = time.monotonic() + 10
    while len(admin.list_topics(topic, timeout=10).topics[topic].partitions) != 6:
        assert time.monotonic() < deadline
