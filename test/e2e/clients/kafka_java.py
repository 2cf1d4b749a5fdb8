"""Apache Kafka's command line tools of two releases, run in one JVM (java/kafka/KafkaTools.java).

with Tools("4.1.1") as tools:
    tools("org.apache.kafka.tools.TopicCommand", "--bootstrap-server", address, "--list")
"""

import base64
import select
import shutil
import subprocess
import tempfile
from pathlib import Path

import kafka_real
import pytest
from kafka_real import DEPENDENCY, POM

V39, V41 = "3.9.1", kafka_real.VERSION
SOURCES = Path(__file__).parent / "java" / "kafka"

needs_java = pytest.mark.skipif(not (shutil.which("javac") and shutil.which("mvn")), reason="needs a JDK and mvn")


def _fetch_39(folder):
    parts = [("org.apache.kafka", part, V39) for part in ("kafka_2.13", "kafka-tools")]
    (folder / "pom.xml").write_text(POM.format("".join(DEPENDENCY.format(*part) for part in parts)))
    command = ["mvn", "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={folder}"]
    subprocess.run(command, cwd=folder, check=True)


def jars(version):
    """The folder of that version's jars; fetched once, whoever asks first."""
    return kafka_real.jars() if version == V41 else kafka_real.once(f"kafka-{V39}", _fetch_39)


class Tools:
    def __init__(self, version):
        self.version = version
        self.folder = tempfile.mkdtemp(prefix="haus-java-")
        classpath = f"{jars(version)}/*"
        subprocess.run(["javac", "-nowarn", "-cp", classpath, "-d", self.folder, *SOURCES.glob("*.java")], check=True)
        self.jvm = None
        self.java = [*kafka_real.JVM, "-Xmx400m", "-Dlog4j2.level=OFF", "-cp", f"{self.folder}:{classpath}"]

    def ask(self, main, args, stdin, timeout):
        if self.jvm is None:
            self.jvm = subprocess.Popen(
                [*self.java, "KafkaTools"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        words = [stdin, main, *map(str, args)]
        self.jvm.stdin.write(b" ".join(base64.b64encode(word.encode()) for word in words) + b"\n")
        self.jvm.stdin.flush()
        ready = select.poll()  # select() knows no descriptors beyond 1023
        ready.register(self.jvm.stdout, select.POLLIN)
        if not ready.poll(timeout * 1000):
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

    def alone(self, main, *args, timeout=60):
        """A tool in a JVM of its own, for one that does its work while the JVM ends; its stdout."""
        command = [*self.java, main, *map(str, args)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

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
