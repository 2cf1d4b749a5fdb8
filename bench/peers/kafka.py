"""Apache Kafka: one KRaft node, broker and controller in one, with the JVM's settings of its own start scripts."""

import subprocess

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from peers import cache
from peers.process import Peer, free_ports, listens

VERSION = "4.1.0"
ORG = "org.apache.kafka"
PARTS = ("kafka_2.13", "kafka-server", "kafka-tools", "connect-runtime", "connect-json", "connect-transforms")
LOG_BINDING = "org.apache.logging.log4j:log4j-slf4j-impl:2.24.3"
LOG_CONFIG = """\
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d %p %c{1} %m%n
rootLogger.level = WARN
rootLogger.appenderRef.out.ref = out
"""
JVM = (
    *("-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-XX:InitiatingHeapOccupancyPercent=35"),
    *("-XX:+ExplicitGCInvokesConcurrent", "-Djava.awt.headless=true"),
)
HEAP = ("-Xms1G", "-Xmx1G")
CLUSTER = "4L6g3nShT-eMCtK--X86sw"
NODE = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={data}
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
"""


def install(folder):
    cache.jars(folder, *(f"{ORG}:{part}:{VERSION}" for part in PARTS), LOG_BINDING)
    (folder / "log4j2.properties").write_text(LOG_CONFIG)


def java(*heap):
    """A command that ends before the main class, with Kafka's jars."""
    jars = cache.part(f"kafka-{VERSION}", install)
    return ["java", *heap, *JVM, f"-Dlog4j2.configurationFile={jars / 'log4j2.properties'}", "-cp", f"{jars}/*"]


class Kafka(Peer):
    name = "Kafka"

    def install(self):
        java()

    def launch(self):
        self.port, controller = free_ports(2)
        config = self.folder / "server.properties"
        config.write_text(NODE.format(port=self.port, controller=controller, data=self.folder / "data"))
        format_storage = [*java(), "kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", config]
        done = subprocess.run(format_storage, capture_output=True, text=True, timeout=self.ready_within_s, check=False)
        if done.returncode:
            raise SystemExit(f"bench: {self.name}'s storage was not formatted: {done.stdout}{done.stderr}")
        self.spawn(*java(*HEAP), "kafka.Kafka", config)

    @property
    def bootstrap(self):
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self):
        return self.pids[0]

    def is_ready(self):
        if not listens(self.port):
            return False
        try:
            return len(AdminClient({"bootstrap.servers": self.bootstrap}).list_topics(timeout=5).brokers) == 1
        except KafkaException:
            return False
