"""versitygw on a folder: the S3 server in MinIO's place, which is in no public registry."""

from peers import cache
from peers.process import Peer, free_ports, listens

VERSION = "v1.8.0"


def install(folder):
    cache.go_program(folder, f"github.com/versity/versitygw/cmd/versitygw@{VERSION}")


def program():
    return cache.part(f"versitygw-{VERSION}", install) / "versitygw"


class VersityGateway(Peer):
    name = "versitygw"

    def install(self):
        program()

    def launch(self):
        (self.port,) = free_ports(1)
        for bucket in ("raw", "lakehouse"):
            (self.folder / "s3" / bucket).mkdir(parents=True)
        keys = {"ROOT_ACCESS_KEY": "minio", "ROOT_SECRET_KEY": "minio123"}
        command = [program(), "--port", f"127.0.0.1:{self.port}", "--quiet", "posix", self.folder / "s3"]
        self.spawn(*command, env=keys)

    def is_ready(self):
        return listens(self.port)
