"""A polling consumer in a process of its own: at which moments records came. Used as `Arrivals`, run as a script."""

import subprocess
import sys
import threading
import time

from confluent_kafka import Consumer, TopicPartition

POLL_S = 1.0
GIVE_UP_S = 120


class Arrivals:
    """Reads one partition from an offset on; CLOCK_MONOTONIC is the same in all processes."""

    def __init__(self, bootstrap, topic, offset):
        self.command = [sys.executable, __file__, bootstrap, topic, str(offset)]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        self.lines(1)  # it has asked once
        return self

    def moments(self, count):
        return [float(line) for line in self.lines(count)]

    def lines(self, count):
        late = threading.Timer(GIVE_UP_S, self.process.kill)
        late.start()
        lines = [self.process.stdout.readline() for _ in range(count)]
        late.cancel()
        if not lines[-1]:
            came = sum(map(bool, lines))
            raise SystemExit(f"bench: the polling consumer got {came} of {count} records in {GIVE_UP_S} s")
        return lines

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def main(bootstrap, topic, offset):
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "arrivals", "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, 0, int(offset))])
    consumer.poll(POLL_S)
    print("ready", flush=True)
    while True:
        message = consumer.poll(POLL_S)
        if message is not None and not message.error():
            print(time.monotonic(), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
