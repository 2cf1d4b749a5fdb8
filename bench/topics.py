"""Looking at a log from outside, by Kafka's protocol: where topics end, what a group has committed.

The same eyes for our log and for Apache Kafka's: a record counts from the moment a consumer can have it.
"""

import time
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaException, TopicPartition

LOOK_EVERY_S = 0.01
REQUEST_S = 10
CHECK_EVERY_S = 2
GIVE_UP_S = 300


def nothing_fails():
    pass


@dataclass
class Arrival:
    """Looks at a topic that fills: the first that saw something new, and how many that were; the one that saw all."""

    first: float
    already: int
    last: float


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

    def wait_ends(self, wanted, since=None, check=nothing_fails, timeout=GIVE_UP_S):
        """Waits until each topic holds that many records; new is what is beyond `since`. `check` ends a hopeless wait."""
        parts = {}
        before = sum((since or {}).values())
        first, already = None, 0
        deadline, next_check = time.monotonic() + timeout, time.monotonic() + CHECK_EVERY_S
        while True:
            for topic in wanted:
                parts[topic] = parts.get(topic) or self.partitions(topic)
            ends = {topic: self._sum(parts[topic]) for topic in wanted}
            now = time.monotonic()
            if first is None and sum(ends.values()) > before:
                first, already = now, sum(ends.values()) - before
            if all(ends[topic] >= count for topic, count in wanted.items()):
                return Arrival(first or now, already, now)
            if now > next_check:
                check()
                next_check = now + CHECK_EVERY_S
            if now > deadline:
                raise SystemExit(f"bench: waited {timeout} s in vain for {wanted}; there are {ends}")
            time.sleep(LOOK_EVERY_S)

    def _sum(self, partitions):
        try:
            return sum(self.client.get_watermark_offsets(p, timeout=REQUEST_S)[1] for p in partitions)
        except KafkaException:
            return 0

    def wait_committed(self, topic, count, check=nothing_fails, timeout=GIVE_UP_S):
        """Waits until this group has committed that many records of the topic."""
        parts = self.partitions(topic)
        deadline, next_check = time.monotonic() + timeout, time.monotonic() + CHECK_EVERY_S
        while True:
            done = self._committed(parts)
            now = time.monotonic()
            if done >= count:
                return
            if now > next_check:
                check()
                next_check = now + CHECK_EVERY_S
            if now > deadline:
                raise SystemExit(f"bench: waited {timeout} s in vain for {count} of '{topic}'; {done} are committed")
            time.sleep(LOOK_EVERY_S)

    def _committed(self, partitions):
        try:
            return sum(max(p.offset, 0) for p in self.client.committed(partitions, timeout=REQUEST_S))
        except KafkaException:
            return 0

    def close(self):
        self.client.close()
