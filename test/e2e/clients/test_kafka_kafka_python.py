"""kafka-python: producers, consumers, groups and KafkaAdminClient."""

import time

import kafka
import pytest
from house import House
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, NewPartitions, NewTopic
from kafka_habits import AN_HOUR_AGO, NEVER, create, fresh, until

CLIENT = "kafka-python"
POLL_MS = 2000  # a poll that ends while the group is being joined makes this client forget what it was assigned


@pytest.fixture(scope="module")
def address():
    with House("log", env={"KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS": "1000"}) as house:
        yield house.address("log")


def consumer(address, *topics, **more):
    settings = {"auto_offset_reset": "earliest", "enable_auto_commit": False, "heartbeat_interval_ms": 200}
    return kafka.KafkaConsumer(*topics, bootstrap_servers=address, **{**settings, **more})


def read(one, count):
    got = []

    def step():
        for records in one.poll(POLL_MS).values():
            got.extend(records)

    until(f"{count} records", lambda: len(got) >= count, step)
    return got


@pytest.mark.client("Kafka", CLIENT, "produces in every codec with keys, headers and timestamps, and consumes")
@pytest.mark.parametrize("codec", [None, "gzip", "snappy", "lz4", "zstd"])
def test_what_was_sent_is_read_in_every_codec(address, codec):
    topic = create(address, fresh())
    producer = kafka.KafkaProducer(bootstrap_servers=address, compression_type=codec, linger_ms=20)
    for i in range(1000):
        producer.send(topic, b"v%d" % i * 5, key=b"k%d" % i, headers=[("h", b"%d" % i)], timestamp_ms=AN_HOUR_AGO + i)
    producer.flush(20)
    producer.close()
    one = consumer(address, topic, group_id=fresh("g"))
    got = read(one, 1000)
    assert [r.offset for r in got] == list(range(1000))
    assert (got[77].key, got[77].value) == (b"k77", b"v77" * 5)
    assert got[77].timestamp == AN_HOUR_AGO + 77 and [tuple(h) for h in got[77].headers] == [("h", b"77")]
    one.close()


@pytest.mark.client("Kafka", CLIENT, "pauses, seeks, finds offsets by time, reads committed")
def test_a_consumer_pauses_seeks_and_looks_up_times(address):
    topic = create(address, fresh())
    producer = kafka.KafkaProducer(bootstrap_servers=address)
    for i in range(100):
        producer.send(topic, b"%d" % i, timestamp_ms=AN_HOUR_AGO + i * 10)
    producer.close()
    one, part = consumer(address, isolation_level="read_committed"), kafka.TopicPartition(topic, 0)
    one.assign([part])
    found = one.offsets_for_times({part: AN_HOUR_AGO + 501})[part]
    assert found.offset == 51
    assert one.offsets_for_times({part: NEVER})[part] is None
    assert one.beginning_offsets([part]) == {part: 0} and one.end_offsets([part]) == {part: 100}
    one.seek(part, found.offset)
    assert read(one, 49)[0].value == b"51"
    one.seek(part, 0)
    one.pause(part)
    assert one.poll(300) == {}
    one.resume(part)
    assert read(one, 100)[99].offset == 99
    one.close()


@pytest.mark.client("Kafka", CLIENT, "resumes a group where it committed; a pattern finds a topic created later")
def test_a_group_resumes_and_a_pattern_finds_new_topics(address):
    prefix, group = fresh("p"), fresh("g")
    create(address, prefix + "-a", 2)
    producer = kafka.KafkaProducer(bootstrap_servers=address)
    producer.send(prefix + "-a", b"first").get(10)
    one = consumer(address, group_id=group, metadata_max_age_ms=300)
    one.subscribe(pattern=prefix + "-.*")
    assert [r.value for r in read(one, 1)] == [b"first"]
    one.commit()
    create(address, prefix + "-b")
    until("the new topic", lambda: len(one.assignment()) == 3, lambda: one.poll(POLL_MS))
    one.close()
    producer.send(prefix + "-b", b"second").get(10)
    again = consumer(address, group_id=group)
    again.subscribe(pattern=prefix + "-.*")
    assert [r.value for r in read(again, 1)] == [b"second"]
    again.close()
    producer.close()


@pytest.mark.client("Kafka", CLIENT, "admin: topics, partitions, settings, records, groups and their offsets")
def test_the_admin_client_changes_and_describes(address):
    topic, group = fresh(), fresh("g")
    admin = KafkaAdminClient(bootstrap_servers=address)
    admin.create_topics([NewTopic(topic, 2, 1, topic_configs={"retention.ms": "7200000"})])
    assert topic in admin.list_topics()
    with pytest.raises(kafka.errors.TopicAlreadyExistsError):
        admin.create_topics([NewTopic(topic, 2, 1)])
    admin.create_partitions({topic: NewPartitions(4)})
    assert len(admin.describe_topics([topic])[0]["partitions"]) == 4
    resource = ConfigResource(ConfigResourceType.TOPIC, topic, {"cleanup.policy": "compact"})
    admin.alter_configs([resource])
    producer = kafka.KafkaProducer(bootstrap_servers=address)
    for i in range(10):
        producer.send(topic, b"v", key=b"k", partition=0).get(10)
    producer.close()
    part = kafka.TopicPartition(topic, 0)
    one = consumer(address, group_id=group)
    one.assign([part])
    one.commit({part: kafka.structs.OffsetAndMetadata(6, "here", -1)})
    one.close()
    assert admin.list_group_offsets(group)[group][part].offset == 6
    assert group in {g["group_id"] for g in admin.list_groups()}
    admin.delete_groups([group])
    admin.delete_topics([topic])
    until("it is gone", lambda: topic not in admin.list_topics())
    admin.close()


@pytest.mark.client("Kafka", CLIENT, "a transactional producer is refused at once, in words")
def test_a_transactional_producer_is_refused_at_once(address):
    producer = kafka.KafkaProducer(bootstrap_servers=address, transactional_id="t", max_block_ms=20000)
    begun = time.monotonic()
    with pytest.raises(kafka.errors.KafkaError) as refused:
        producer.init_transactions()
    assert time.monotonic() - begun < 10, refused.value
    producer.close(timeout=1)
