"""What the tests of Kafka clients share: names, a topic made by one client for all, waiting."""

import time
import uuid

from confluent_kafka.admin import AdminClient, NewTopic

AN_HOUR_AGO = int(time.time() * 1000) - 3_600_000  # for stamps: records of long ago go when the log looks for old ones
NEVER = AN_HOUR_AGO + 10 * 86_400_000  # a time that no record has reached


def fresh(kind="t"):
    return f"{kind}-{uuid.uuid4().hex[:10]}"


def create(address, name, partitions=1, **config):
    new = NewTopic(name, partitions, 1, config={key.replace("_", "."): str(value) for key, value in config.items()})
    admin = AdminClient({"bootstrap.servers": address})
    admin.create_topics([new])[name].result(20)
    return name


def until(what, done, step=None, seconds=30):
    """Does step over and over until done() is true."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        if step:
            step()
        else:
            time.sleep(0.05)
