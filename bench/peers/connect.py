"""Kafka Connect's distributed worker with Debezium's PostgreSQL connector and an Avro converter.

Confluent's Avro converter is in no public registry; Apicurio's is, which Debezium's own image brings. Its registry is
played by `apicurio.py`: asked once a schema, it costs the peer nothing.
"""

import requests
from replication import Pipeline

from connectors import Worker
from peers import cache
from peers.apicurio import Registry
from peers.kafka import java
from peers.process import Peer, free_ports

DEBEZIUM = "2.5.4.Final"
APICURIO = "2.4.14.Final"
WORDS = f"Debezium {DEBEZIUM} on Kafka Connect and Apache Kafka 4.1.0, Apicurio's Avro converter {APICURIO} with a registry stand-in"
HEAP = ("-Xms256M", "-Xmx2G")
WORKER = """\
bootstrap.servers={bootstrap}
group.id=connect
listeners=http://127.0.0.1:{port}
rest.advertised.host.name=127.0.0.1
plugin.path={plugins}
key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
config.storage.topic=connect-configs
offset.storage.topic=connect-offsets
status.storage.topic=connect-status
config.storage.replication.factor=1
offset.storage.replication.factor=1
status.storage.replication.factor=1
"""


def install(folder):
    for name, artifact in (
        ("debezium", f"io.debezium:debezium-connector-postgres:{DEBEZIUM}:tar.gz:plugin"),
        ("apicurio", f"io.apicurio:apicurio-registry-distro-connect-converter:{APICURIO}:tar.gz"),
    ):
        (folder / name).mkdir()
        cache.archive(folder / name, artifact)


def plugins():
    return cache.part(f"connect-plugins-{DEBEZIUM}-{APICURIO}", install)


class Connect(Peer):
    name = "Connect"

    def __init__(self, kafka):
        super().__init__()
        self.kafka = kafka

    def install(self):
        plugins()

    def launch(self):
        (self.port,) = free_ports(1)
        self.registry = Registry()
        config = self.folder / "worker.properties"
        config.write_text(WORKER.format(bootstrap=self.kafka.bootstrap, port=self.port, plugins=plugins()))
        self.spawn(*java(*HEAP), "org.apache.kafka.connect.cli.ConnectDistributed", config)

    @property
    def worker(self):
        return Worker(f"http://127.0.0.1:{self.port}")

    def is_ready(self):
        try:
            return requests.get(f"{self.worker.url}/connectors", timeout=2).status_code == 200
        except requests.RequestException:
            return False

    @property
    def converter(self):
        settings = {}
        for part in ("key", "value"):
            settings[f"{part}.converter"] = "io.apicurio.registry.utils.converter.AvroConverter"
            settings[f"{part}.converter.apicurio.registry.url"] = self.registry.url
            settings[f"{part}.converter.apicurio.registry.auto-register"] = "true"
        return settings

    @property
    def pipeline(self):
        return Pipeline(self.worker, self.kafka.bootstrap, self.pids + self.kafka.pids, self.converter, "debezium")

    def __exit__(self, *_):
        super().__exit__()
        self.registry.close()
