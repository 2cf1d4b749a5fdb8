"""aiokafka: producers, consumers, groups and its admin client, in asyncio."""

import asyncio
import time

import aiokafka
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from house import House
from kafka_habits import AN_HOUR_AGO, create, fresh

CLIENT = "aiokafka"


@pytest.fixture(scope="module")
def address():
    with House("log", env={"KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS": "1000"}) as house:
        yield house.address("log")


def consumer(address, *topics, **more):
    settings = {"auto_offset_reset": "earliest", "enable_auto_commit": False, "heartbeat_interval_ms": 200}
    return aiokafka.AIOKafkaConsumer(*topics, bootstrap_servers=address, **{**settings, **more})


async def until(what, done):
    async with asyncio.timeout(30):
        while not done():
            await asyncio.sleep(0.05)


async def take(one, count):
    return [await asyncio.wait_for(one.getone(), 20) for _ in range(count)]


@pytest.mark.client("Kafka", CLIENT, "produces in every codec with keys, headers and timestamps, and consumes")
@pytest.mark.parametrize("codec", [None, "gzip", "snappy", "lz4", "zstd"])
def test_what_was_sent_is_read_in_every_codec(address, codec):
    topic = create(address, fresh())

    async def main():
        async with aiokafka.AIOKafkaProducer(
            bootstrap_servers=address, compression_type=codec, linger_ms=20, enable_idempotence=True
        ) as producer:
            sent = [
                await producer.send(
                    topic, b"v%d" % i * 5, key=b"k%d" % i, headers=[("h", b"%d" % i)], timestamp_ms=AN_HOUR_AGO + i
                )
                for i in range(1000)
            ]
            assert [(await one).offset for one in sent] == list(range(1000))
        async with consumer(address, topic, isolation_level="read_committed") as one:
            got = await take(one, 1000)
        assert [r.offset for r in got] == list(range(1000))
        assert (got[77].key, got[77].value) == (b"k77", b"v77" * 5)
        assert got[77].timestamp == AN_HOUR_AGO + 77 and got[77].headers == (("h", b"77"),)

    asyncio.run(main())


@pytest.mark.client("Kafka", CLIENT, "two members share a topic, one leaves, the other and a successor go on")
def test_two_members_share_leave_and_resume(address):
    topic, group = create(address, fresh(), 4), fresh("g")

    async def send(producer, values):
        for i in values:
            await producer.send_and_wait(topic, b"%d" % i, partition=i % 4)

    async def main():
        async with aiokafka.AIOKafkaProducer(bootstrap_servers=address) as producer:
            await send(producer, range(40))
            one, two = consumer(address, topic, group_id=group), consumer(address, topic, group_id=group)
            await one.start()
            assert sorted(int(r.value) for r in await take(one, 40)) == list(range(40))
            await one.commit()
            await two.start()
            await until("a share each", lambda: len(one.assignment()) == len(two.assignment()) == 2)
            await send(producer, range(40, 80))
            halves = await asyncio.gather(take(one, 20), take(two, 20))
            assert sorted(int(r.value) for half in halves for r in half) == list(range(40, 80))
            await one.commit()
            await two.commit()
            await two.stop()
            await until("all partitions", lambda: len(one.assignment()) == 4)
            await send(producer, range(80, 88))
            assert sorted(int(r.value) for r in await take(one, 8)) == list(range(80, 88))
            await one.commit()
            await one.stop()
            await send(producer, range(88, 92))
            async with consumer(address, topic, group_id=group) as again:
                assert sorted(int(r.value) for r in await take(again, 4)) == list(range(88, 92))

    asyncio.run(main())


@pytest.mark.client("Kafka", CLIENT, "pauses, seeks, finds offsets by time; a pattern finds a topic created later")
def test_a_consumer_pauses_seeks_and_looks_up_times(address):
    prefix = fresh("p")
    topic = create(address, prefix + "-a")

    async def main():
        async with aiokafka.AIOKafkaProducer(bootstrap_servers=address) as producer:
            for i in range(100):
                await producer.send(topic, b"%d" % i, timestamp_ms=AN_HOUR_AGO + i * 10)
        async with consumer(address, group_id=fresh("g"), metadata_max_age_ms=300) as one:
            one.subscribe(pattern=f"^{prefix}-.*")
            await take(one, 100)
            part = aiokafka.TopicPartition(topic, 0)
            found = (await one.offsets_for_times({part: AN_HOUR_AGO + 501}))[part]
            assert found.offset == 51
            assert await one.end_offsets([part]) == {part: 100}
            one.seek(part, 51)
            assert (await take(one, 49))[0].value == b"51"
            one.pause(part)
            one.seek(part, 0)
            assert await one.getmany(timeout_ms=400) == {}
            one.resume(part)
            assert (await take(one, 100))[99].offset == 99
            create(address, prefix + "-b")
            await until("the new topic", lambda: len(one.assignment()) == 2)

    asyncio.run(main())


@pytest.mark.client("Kafka", CLIENT, "admin: topics, partitions, settings, groups and their offsets")
def test_the_admin_client_changes_and_describes(address):
    topic, group = fresh(), fresh("g")

    async def main():
        admin = AIOKafkaAdminClient(bootstrap_servers=address)
        await admin.start()
        await admin.create_topics([NewTopic(topic, 2, 1, topic_configs={"retention.ms": "7200000"})])
        assert topic in await admin.list_topics()
        await admin.create_partitions({topic: NewPartitions(3)})
        assert len((await admin.describe_topics([topic]))[0]["partitions"]) == 3
        resource = ConfigResource(ConfigResourceType.TOPIC, topic, {"cleanup.policy": "compact"})
        await admin.alter_configs([resource])
        answer = (await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)]))[0]
        values = {entry[0]: entry[1] for entry in answer.resources[0][4]}
        assert values["cleanup.policy"] == "compact" and values["retention.ms"] == "604800000"
        part = aiokafka.TopicPartition(topic, 0)
        async with consumer(address, group_id=group) as one:
            one.assign([part])
            await one.commit({part: 6})
        offsets = await admin.list_consumer_group_offsets(group)
        assert offsets[part].offset == 6
        assert group in {g[0] for g in await admin.list_consumer_groups()}
        await admin.delete_topics([topic])
        assert topic not in await admin.list_topics()
        assert (await admin.describe_cluster())["controller_id"] == 1
        await admin.close()

    asyncio.run(main())


@pytest.mark.client("Kafka", CLIENT, "a transactional producer is refused at once, in words")
def test_a_transactional_producer_is_refused_at_once(address):
    async def main():
        producer = aiokafka.AIOKafkaProducer(bootstrap_servers=address, transactional_id="t")
        begun = time.monotonic()
        with pytest.raises(aiokafka.errors.KafkaError) as refused:
            await asyncio.wait_for(producer.start(), 30)
        assert time.monotonic() - begun < 10, refused.value
        await asyncio.wait_for(producer.stop(), 10)

    asyncio.run(main())
