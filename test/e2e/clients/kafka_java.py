"""Apache Kafka's jars from Maven Central, by version, and a JVM that runs its tools (java/kafka/KafkaTools.java).

with Tools("4.1.1") as tools:
    tools("org.apache.kafka.tools.TopicCommand", "--bootstrap-server", address, "--list")
"""

import base64
import fcntl
import os
import select
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

V39, V41 = "3.9.1", "4.1.1"
PARTS = {V39: ["kafka_2.13", "kafka-tools"], V41: ["kafka_2.13", "kafka-server", "kafka-tools"]}
CACHE = Path(os.environ.get("HAUS_TEST_CACHE", Path.home() / ".cache" / "haus-test"))
SOURCES = Path(__file__).parent / "java" / "kafka"
POM = """<project><modelVersion>4.0.0</modelVersion><groupId>t</groupId><artifactId>t</artifactId><version>1</version>
<dependencies>{}</dependencies></project>"""
DEPENDENCY = (
    "<dependency><groupId>org.apache.kafka</groupId><artifactId>{}</artifactId><version>{}</version></dependency>"
)

needs_java = pytest.mark.skipif(not (shutil.which("javac") and shutil.which("mvn")), reason="needs a JDK and mvn")


def jars(version):
    """The folder of that version's jars; fetched once, whoever asks first."""
    folder = CACHE / f"kafka-{version}"
    folder.mkdir(parents=True, exist_ok=True)
    with open(CACHE / f"kafka-{version}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            (folder / "pom.xml").write_text(POM.format("".join(DEPENDENCY.format(p, version) for p in PARTS[version])))
            command = ["mvn", "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={folder}"]
            subprocess.run(command, cwd=folder, check=True)
            (folder / "done").touch()
    return folder


class Tools:
    def __init__(self, version):
        self.version = version
        self.folder = tempfile.mkdtemp(prefix="haus-java-")
        classpath = f"{jars(version)}/*"
        subprocess.run(["javac", "-nowarn", "-cp", classpath, "-d", self.folder, *SOURCES.glob("*.java")], check=True)
        self.jvm = None
        self.command = ["java", "-Xmx400m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        self.command += ["-cp", f"{self.folder}:{classpath}", "KafkaTools"]

    def ask(self, main, args, stdin, timeout):
        if self.jvm is None:
            self.jvm = subprocess.Popen(
                self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        words = [stdin, main, *map(str, args)]
        self.jvm.stdin.write(b" ".join(base64.b64encode(word.encode()) for word in words) + b"\n")
        self.jvm.stdin.flush()
        if not select.select([self.jvm.stdout], [], [], timeout)[0]:
            self.close_jvm()
            raise TimeoutError(f"{main} {' '.join(map(str, args))}: no end after {timeout} s")
        answer = self.jvm.stdout.readline()
        if not answer:  # it ended the JVM itself
            code = self.jvm.wait()
            self.close_jvm()
            return code, "", f"{main} ended the JVM"
        code, *texts = answer.split(b" ")
        return int(code), *(base64.b64decode(text).decode() for text in texts)

    def run(self, main, *args, stdin="", timeout=60):
        """Exit code, stdout, stderr."""
        return self.ask(main, args, stdin, timeout)

    def __call__(self, main, *args, stdin="", timeout=60):
        """A tool that must succeed; its stdout."""
        code, out, err = self.ask(main, args, stdin, timeout)
        assert code == 0, f"{main} {' '.join(map(str, args))}: {code}\n{out}{err}"
        return out

    def close_jvm(self):
        if self.jvm:
            self.jvm.kill()
            self.jvm.wait()
            self.jvm.stdin.close()
            self.jvm.stdout.close()
            self.jvm = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close_jvm()
        shutil.rmtree(self.folder, ignore_errors=True)
