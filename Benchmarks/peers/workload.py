"""The workload that is compared with other software, and its data: Debian's dataset-fashion-mnist, which `make deps` installs."""
import gzip
import pathlib
import struct

import numpy as np

BENCHMARKS = pathlib.Path(__file__).resolve().parent.parent
PLAN = BENCHMARKS / "workload.toml"
DATA = pathlib.Path("/usr/share/datasets/fashion-mnist")

CLIENTS = 100
SELECTED = 10
ROUNDS = 50
BATCH = 32
RATE = 0.1
HIDDEN = 128
CLASSES = 10


def read_idx(path):
    with gzip.open(path, "rb") as file:
        content = file.read()
    dims = content[3]
    shape = struct.unpack(f">{dims}I", content[4 : 4 + 4 * dims])
    return np.frombuffer(content, np.uint8, offset=4 + 4 * dims).reshape(shape)


def write_idx(path, array):
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    path.write_bytes(header + array.tobytes())


def write_examples(directory, images, labels):
    """One part of the data as the plan names its files."""
    directory.mkdir(parents=True, exist_ok=True)
    write_idx(directory / "images-idx3-ubyte", images)
    write_idx(directory / "labels-idx1-ubyte", labels)


def fashion_mnist():
    """Training images and labels, test images and labels, as bytes."""
    return tuple(
        read_idx(DATA / f"{part}-{what}.gz")
        for part in ("train", "t10k")
        for what in ("images-idx3-ubyte", "labels-idx1-ubyte")
    )


def plan(agents=SELECTED):
    """The plan's text for so many agents a round."""
    return PLAN.read_text().replace(f"agents = {SELECTED}\n", f"agents = {agents}\n")
