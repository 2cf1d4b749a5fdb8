"""Looking at a log from outside, by Kafka's protocol: where topics end, what a group has committed.

The same eyes for our log and for Apache Kafka's: a record counts from the moment a consumer can have it.
"""

import time

from confluent_kafka import Consumer, KafkaException, TopicPartition

LOOK_EVERY_S = 0.01
REQUEST_S = 10


class Topics:
    def __init__(self, bootstrap, group="bench"):
        self.settings = {"bootstrap.servers": bootstrap, "group.id": group, "enable.auto.commit": False}
        self.client = Consumer(self.settings)

    def partitions(self, topic):
        try:
            known = self.client.list_topics(topic, timeout=REQUEST_S).topics.get(topic)
        except KafkaException:
            return []
        return [] if known is None or known.error else [TopicPartition(topic, p) for p in known.partitions]

    def end(self, topic):
        """The number of records a consumer can have, over all partitions."""
        try:
            ends = [self.client.get_watermark_offsets(p, timeout=REQUEST_S)[1] for p in self.partitions(topic)]
        except KafkaException:
            # librdkafka remembers for a while that a topic was not there
            self.close()
            self.client = Consumer(self.settings)
            return 0
        return sum(ends)

    def wait_ends(self, wanted, timeout=900):
        """Waits until each topic holds that many records: (moment of the first new one, moment of the last)."""
        parts = {}
        before, first = None, None
        deadline = time.monotonic() + timeout
        while True:
            for topic in wanted:
                parts[topic] = parts.get(topic) or self.partitions(topic)
            ends = {topic: self._sum(parts[topic]) for topic in wanted}
            now = time.monotonic()
            before = before or ends
            if first is None and any(ends[topic] > before[topic] for topic in wanted):
                first = now
            if all(ends[topic] >= count for topic, count in wanted.items()):
                return first or now, now
            if now > deadline:
                raise SystemExit(f"bench: waited {timeout} s in vain for {wanted}; there are {ends}")
            time.sleep(LOOK_EVERY_S)

    def _sum(self, partitions):
        try:
            return sum(self.client.get_watermark_offsets(p, timeout=REQUEST_S)[1] for p in partitions)
        except KafkaException:
            return 0

    def wait_committed(self, topic, count, timeout=900):
        """Waits until this group has committed that many records of the topic."""
        parts = self.partitions(topic)
        deadline = time.monotonic() + timeout
        while True:
            done = sum(max(p.offset, 0) for p in self.client.committed(parts, timeout=REQUEST_S))
            if done >= count:
                return
            if time.monotonic() > deadline:
                raise SystemExit(f"bench: waited {timeout} s in vain for {count} of '{topic}'; {done} are committed")
            time.sleep(LOOK_EVERY_S)

    def close(self):
        self.client.close()
