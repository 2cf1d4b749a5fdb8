"""What a run has: its options, and the stands and peers that paths ask for. A peer is started when it is measured and
stopped right after, so that none stands beside another's figure."""

from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property

from stand import Stand


@dataclass
class Bench:
    rows: int = 1_000_000
    runs: int = 1
    peers: bool = False

    def stand(self, **more):
        return Stand(**more)

    @property
    def debezium_words(self):
        from peers.connect import WORDS

        return WORDS

    def kafka(self):
        from peers.kafka import Kafka

        return Kafka()

    def connect(self, kafka):
        from peers.connect import Connect

        return Connect(kafka)

    def spark(self):
        from peers.spark import Spark

        return Spark()

    def versitygw(self):
        from peers.versitygw import VersityGateway

        return VersityGateway()

    @cached_property
    def peers_at_rest(self):
        """Started once, for what starting and what idling takes."""
        from peers.stack import start_and_rest

        return start_and_rest(self)

    @contextmanager
    def debezium(self):
        """Debezium on a Connect worker on a Kafka broker."""
        with self.kafka() as kafka, self.connect(kafka) as connect:
            yield connect.pipeline

    def debezium_if_wanted(self):
        return self.debezium() if self.peers else nullcontext()
