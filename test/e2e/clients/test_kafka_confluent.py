"""confluent-kafka for Python: producers, consumers, groups and the admin client, as its users write them."""

import time

import pytest
from confluent_kafka import (
    Consumer,
    ConsumerGroupState,
    ConsumerGroupTopicPartitions,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Producer,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec
from house import House
from kafka_habits import AN_HOUR_AGO, create, fresh, until

CLIENT = "confluent-kafka"


@pytest.fixture(scope="module")
def address():
    with House("log", env={"KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS": "1000"}) as house:
        yield house.address("log")


@pytest.fixture
def admin(address):
    return AdminClient({"bootstrap.servers": address})


def produce(address, topic, values, partitions=1, **config):
    producer = Producer({"bootstrap.servers": address, **config})
    for value in values:
        producer.produce(topic, value=str(value), key=f"k{value}", partition=value % partitions)
    assert producer.flush(20) == 0


def consumer(address, group, **more):
    settings = {"auto.offset.reset": "earliest", "enable.auto.commit": False, "heartbeat.interval.ms": 200}
    return Consumer({"bootstrap.servers": address, "group.id": group, **settings, **more})


def take(seen, *members):
    for one in members:
        message = one.poll(0.05)
        if message is not None:
            assert message.error() is None, message.error()
            seen.append(int(message.value()))


@pytest.mark.client("Kafka", CLIENT, "a cooperative group moves only what must move, is paused, resumed and sought")
def test_a_cooperative_group_moves_only_what_must_move(address):
    topic, group, seen, revoked = create(address, fresh(), 4), fresh("g"), [], []
    sticky = {"partition.assignment.strategy": "cooperative-sticky"}
    produce(address, topic, range(40), 4)
    one, two = consumer(address, group, **sticky), consumer(address, group, **sticky)
    one.subscribe([topic], on_revoke=lambda _, parts: revoked.extend(parts))
    until("everything", lambda: len(seen) == 40, lambda: take(seen, one))
    one.commit(asynchronous=False)
    two.subscribe([topic])
    until("a share each", lambda: len(one.assignment()) == len(two.assignment()) == 2, lambda: take(seen, one, two))
    assert len(revoked) == 2
    two.pause(two.assignment())
    produce(address, topic, range(40, 80), 4)
    until("one's share", lambda: len(seen) == 60, lambda: take(seen, one, two))
    two.resume(two.assignment())
    until("two's share", lambda: len(seen) == 80, lambda: take(seen, one, two))
    assert sorted(seen) == list(range(80))
    part = two.assignment()[0].partition
    two.seek(TopicPartition(topic, part, 5))
    again = []
    until("the partition from 5", lambda: len(again) == 15, lambda: take(again, two))
    assert again == list(range(part, 80, 4))[5:]
    one.close()
    two.close()


@pytest.mark.client("Kafka", CLIENT, "subscribes by regex: new topics and new partitions are found")
def test_a_regex_finds_new_topics_and_partitions(address, admin):
    from confluent_kafka.admin import NewPartitions

    prefix = fresh("re")
    create(address, prefix + "-a", 2)
    one = consumer(address, fresh("g"), **{"topic.metadata.refresh.interval.ms": 300})
    one.subscribe([f"^{prefix}-.*"])
    until("the first", lambda: len(one.assignment()) == 2, lambda: one.poll(0.05))
    create(address, prefix + "-b", 1)
    until("the second", lambda: len(one.assignment()) == 3, lambda: one.poll(0.05))
    admin.create_partitions([NewPartitions(prefix + "-a", 4)])[prefix + "-a"].result(10)
    until("two more", lambda: len(one.assignment()) == 5, lambda: one.poll(0.05))
    one.close()


@pytest.mark.client("Kafka", CLIENT, "reads committed, by offsets_for_times, with watermarks; stores offsets itself")
def test_a_consumer_finds_its_place_by_time(address):
    topic, group = create(address, fresh()), fresh("g")
    producer = Producer({"bootstrap.servers": address})
    for i in range(1000):
        producer.produce(topic, value=str(i), timestamp=AN_HOUR_AGO + i * 10)
    assert producer.flush(20) == 0
    one = consumer(
        address,
        group,
        **{"isolation.level": "read_committed", "enable.auto.offset.store": False, "enable.auto.commit": True},
    )
    found = one.offsets_for_times([TopicPartition(topic, 0, AN_HOUR_AGO + 5001)], timeout=10)
    assert found[0].offset == 501
    assert one.get_watermark_offsets(TopicPartition(topic, 0), timeout=10) == (0, 1000)
    one.assign(found)
    messages = one.consume(20, timeout=10)
    assert int(messages[0].value()) == 501
    one.store_offsets(message=messages[9])
    one.close()
    after = consumer(address, group)
    assert after.committed([TopicPartition(topic, 0)], timeout=10)[0].offset == 511
    after.close()


@pytest.mark.client("Kafka", CLIENT, "sends messages of 8 MB where the topic allows them")
def test_large_messages_pass(address):
    topic = create(address, fresh(), 1, max_message_bytes=10000000)
    produce_large = Producer({"bootstrap.servers": address, "message.max.bytes": 10000000, "compression.type": "none"})
    body = bytes(range(256)) * (8 << 12)
    for _ in range(3):
        produce_large.produce(topic, value=body)
    assert produce_large.flush(30) == 0
    one = consumer(address, fresh("g"), **{"fetch.message.max.bytes": 1000000})
    one.subscribe([topic])
    got = []
    until("three", lambda: len(got) == 3, lambda: got.extend(m for m in one.consume(1, 0.5) if not m.error()))
    assert all(m.value() == body for m in got)
    one.close()


@pytest.mark.client("Kafka", CLIENT, "a transactional producer is refused at once, in words")
def test_a_transactional_producer_is_refused_at_once(address):
    producer = Producer({"bootstrap.servers": address, "transactional.id": "t"})
    begun = time.monotonic()
    with pytest.raises(KafkaException) as refused:
        producer.init_transactions(30)
    assert time.monotonic() - begun < 10
    assert not refused.value.args[0].retriable()
    assert refused.value.args[0].code() == KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED


@pytest.mark.client("Kafka", CLIENT, "admin: describes cluster and topics, lists offsets, deletes records and topics")
def test_the_admin_client_describes_and_cuts(address, admin):
    topic = create(address, fresh(), 2)
    produce(address, topic, range(100), 2)
    cluster = admin.describe_cluster().result(10)
    assert cluster.controller.id == 1 and len(cluster.nodes) == 1 and cluster.cluster_id
    described = admin.describe_topics(TopicCollection([topic]))[topic].result(10)
    assert len(described.partitions) == 2 and described.partitions[0].leader.id == 1 and not described.is_internal
    parts = [TopicPartition(topic, 0), TopicPartition(topic, 1)]

    def ends(spec):
        asked = admin.list_offsets({p: spec for p in parts}, isolation_level=IsolationLevel.READ_COMMITTED)
        return [asked[p].result(10).offset for p in parts]

    assert ends(OffsetSpec.earliest()) == [0, 0] and ends(OffsetSpec.latest()) == [50, 50]
    cut = admin.delete_records([TopicPartition(topic, 0, 20)])
    assert next(iter(cut.values())).result(10).low_watermark == 20
    assert ends(OffsetSpec.earliest()) == [20, 0]
    admin.delete_topics([topic])[topic].result(10)
    with pytest.raises(KafkaException) as gone:
        admin.describe_topics(TopicCollection([topic]))[topic].result(10)
    assert gone.value.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART


@pytest.mark.client("Kafka", CLIENT, "admin: groups by state, their members and offsets; a busy one's are not altered")
def test_the_admin_client_tells_of_groups(address, admin):
    topic, group = create(address, fresh(), 2), fresh("g")
    produce(address, topic, range(10), 2)
    one = consumer(address, group, **{"group.instance.id": "seat-1"})
    one.subscribe([topic])
    until("its partitions", lambda: len(one.assignment()) == 2, lambda: one.poll(0.05))
    one.commit(offsets=[TopicPartition(topic, 0, 3), TopicPartition(topic, 1, 4)], asynchronous=False)
    stable = admin.list_consumer_groups(states={ConsumerGroupState.STABLE}).result(10).valid
    assert group in {g.group_id for g in stable}
    member = admin.describe_consumer_groups([group])[group].result(10).members[0]
    assert member.group_instance_id == "seat-1" and len(member.assignment.topic_partitions) == 2
    wanted = ConsumerGroupTopicPartitions(group, [TopicPartition(topic, 0, 0)])
    busy = admin.alter_consumer_group_offsets([wanted])[group].result(10).topic_partitions[0].error
    assert busy.code() == KafkaError.UNKNOWN_MEMBER_ID
    asked = ConsumerGroupTopicPartitions(group)
    kept = admin.list_consumer_group_offsets([asked])[group].result(10).topic_partitions
    assert sorted(p.offset for p in kept) == [3, 4]
    one.close()


@pytest.mark.client("Kafka", CLIENT, "admin: users with SCRAM passwords, of whom there are none")
def test_the_admin_client_finds_no_users(admin):
    assert admin.describe_user_scram_credentials().result(10) == {}
    for name, asked in admin.describe_user_scram_credentials(["anna", "bob"]).items():
        with pytest.raises(KafkaException, match=f"does not exist: {name}") as nobody:
            asked.result(10)
        assert nobody.value.args[0].code() == KafkaError.RESOURCE_NOT_FOUND


@pytest.mark.client("Kafka", CLIENT, "a compacted topic takes keys and tombstones, as a table's changelog")
def test_a_changelog_is_read_as_a_table(address):
    topic = create(address, fresh(), 1, cleanup_policy="compact", segment_bytes=20000)
    producer = Producer({"bootstrap.servers": address, "enable.idempotence": True, "compression.type": "zstd"})
    for i in range(2000):
        producer.produce(topic, key=f"k{i % 50}", value=None if i % 50 == 7 else f"{i}")
    assert producer.flush(20) == 0
    one, table = consumer(address, fresh("g"), **{"enable.partition.eof": True}), {}
    one.assign([TopicPartition(topic, 0, 0)])
    while (message := one.poll(10)) is not None and message.error() is None:
        table[message.key()] = message.value()
    assert message is not None and message.error().code() == KafkaError._PARTITION_EOF
    assert len(table) == 50 and table[b"k7"] is None and table[b"k49"] == b"1999"
    one.close()
