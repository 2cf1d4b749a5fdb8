"""A disk in memory: plays what recorder.c recorded, up to any place, and says what a loss of power there may leave.

    disk = Disk()
    for operation in read_recording(file):
        disk.do(operation)
    disk.leave("synced", folder)

The ways of leaving, of which a file system may choose any:

    all       everything so far reached the disk: the program was killed, the machine went on
    torn      the same, but the last write stops at a sector of 512 bytes; behind it what lay there, and behind the old
              end of the file nothing, zeros or garbage.  A sector is written whole or not at all: LMDB builds on that
    synced    only what was flushed: a file's bytes by its fdatasync, a name by the fsync of its folder
    names     names and sizes reached the disk, bytes that were not flushed did not and read as zeros
    some      of the writes since the last flush of their file a random half reached the disk, in whatever order
"""

import random
import struct
from pathlib import Path

HEAD = struct.Struct("<4I3Q")
SECTOR = 512
WAYS = ("all", "torn", "synced", "names", "some")
CREATE, WRITE, WRITE_SYNC, TRUNCATE, RENAME, LINK, UNLINK, MAKE_DIR, REMOVE_DIR, SYNC, SYNC_ALL = range(1, 12)


class Operation:
    def __init__(self, kind, name, other, inode, at, data, end):
        self.kind, self.name, self.other, self.inode, self.at, self.data = kind, name, other, inode, at, data
        self.end = end  # where its record ends: what was answered before the recording was longer came after it


def read_recording(path):
    recording, at, operations = Path(path).read_bytes(), 0, []
    while at + HEAD.size <= len(recording):
        kind, name, other, _, inode, place, size = HEAD.unpack_from(recording, at)
        end = at + HEAD.size + name + other + size
        if end > len(recording):
            break
        text = recording[at + HEAD.size : at + HEAD.size + name + other].decode()
        data = recording[end - size : end]
        operations.append(Operation(kind, text[:name], text[name:], inode, place, data, end))
        at = end
    return operations


def patch(data, at, new):
    if len(data) < at:
        data.extend(bytes(at - len(data)))
    data[at : at + len(new)] = new


class File:
    def __init__(self):
        self.data = bytearray()
        self.durable = bytearray()
        self.pending = []  # (place, bytes) of writes and (size, None) of cuts since the last flush

    def write(self, at, data):
        patch(self.data, at, data)
        self.pending.append((at, data))

    def write_sync(self, at, data):
        """O_DSYNC: these bytes are durable, others that were written before need not be."""
        patch(self.data, at, data)
        patch(self.durable, at, data)

    def truncate(self, size):
        self._cut(self.data, size)
        self.pending.append((size, None))

    @staticmethod
    def _cut(data, size):
        del data[size:]
        data.extend(bytes(size - len(data)))

    def sync(self):
        self.durable = bytearray(self.data)
        self.pending = []

    def zeros(self):
        """Of the size it has now, with the bytes that were flushed."""
        out = bytearray(len(self.data))
        n = min(len(out), len(self.durable))
        out[:n] = self.durable[:n]
        return out

    def some(self, choose):
        out = bytearray(self.durable)
        for at, data in choose.sample(self.pending, len(self.pending) // 2):
            if data is None:
                self._cut(out, at)
            else:
                patch(out, at, data)
        return out


class Folder:
    def __init__(self):
        self.names = {}
        self.durable = {}

    def sync(self):
        self.durable = dict(self.names)


class Disk:
    def __init__(self):
        self.root = Folder()
        self.by_inode = {}
        self.last = None  # the last write: (file, place, bytes before, bytes)

    def _find(self, path):
        node = self.root
        for part in filter(None, path.split("/")):
            node = node.names[part]
        return node

    def _parent(self, path):
        folder, _, name = path.rpartition("/")
        return self._find(folder).names, name

    def _add(self, path, node, inode):
        if path:
            names, name = self._parent(path)
            names[name] = node
        else:
            self.root = node
        self.by_inode[inode] = node

    def do(self, op):
        self.last = None
        if op.kind == CREATE:
            self._add(op.name, File(), op.inode)
        elif op.kind == MAKE_DIR:
            self._add(op.name, Folder(), op.inode)
        elif op.kind in (WRITE, WRITE_SYNC):
            file = self.by_inode[op.inode]
            self.last = (file, op.at, bytes(file.data[op.at : op.at + len(op.data)]), op.data, len(file.data))
            (file.write if op.kind == WRITE else file.write_sync)(op.at, op.data)
        elif op.kind == TRUNCATE:
            self.by_inode[op.inode].truncate(op.at)
        elif op.kind in (UNLINK, REMOVE_DIR):
            names, name = self._parent(op.name)
            del names[name]
        elif op.kind in (RENAME, LINK):
            names, name = self._parent(op.name)
            node = names.pop(name) if op.kind == RENAME else names[name]
            others, other = self._parent(op.other)
            others[other] = node
        elif op.kind == SYNC:
            self.by_inode[op.inode].sync()
        elif op.kind == SYNC_ALL:
            for node in self._all(self.root):
                node.sync()
        else:
            raise AssertionError(f"a record of kind {op.kind}")

    def _all(self, node):
        yield node
        for child in getattr(node, "names", {}).values():
            yield from self._all(child)

    def can_tear(self):
        return self.last is not None and len(self.last[3]) > 1

    def leave(self, way, folder, seed=0):
        """What the disk holds after the power went, into an empty folder."""
        choose = random.Random(seed)
        durable_names = way == "synced" or (way == "some" and choose.random() < 0.5)
        bytes_of = {
            "all": lambda file: file.data,
            "torn": lambda file: self._torn(file, choose),
            "synced": lambda file: file.durable,
            "names": File.zeros,
            "some": lambda file: file.some(choose),
        }[way]
        self._put(self.root, Path(folder), durable_names, bytes_of)

    def _put(self, node, path, durable_names, bytes_of):
        if isinstance(node, File):
            path.write_bytes(bytes_of(node))
            return
        path.mkdir(exist_ok=True)
        for name, child in (node.durable if durable_names else node.names).items():
            self._put(child, path / name, durable_names, bytes_of)

    def _torn(self, file, choose):
        """Sectors that lay in the file keep what they held; those that are new were never written, or hold anything."""
        if self.last is None or file is not self.last[0]:
            return file.data
        _, at, before, data, size = self.last
        end, first = at + len(data), SECTOR - at % SECTOR  # a cut is at a sector of the disk, not of the write
        cut = at + choose.choice([0, *range(first, len(data), SECTOR)])
        out = bytearray(file.data)
        inside = max(0, min(size, end) - cut)  # of what did not arrive, so much lay in the file
        out[cut : cut + inside] = before[cut - at : cut - at + inside]
        beyond, rest = max(cut, size), choose.choice(("short", "zeros", "garbage"))
        if end > beyond and rest == "short":
            del out[beyond:]
        elif end > beyond:
            out[beyond:end] = bytes(end - beyond) if rest == "zeros" else choose.randbytes(end - beyond)
        return out
