"""A small plan named fashion, and striped images of 6 x 6 pixels for it.

usage: example_data.py DIRECTORY ROWS SEED
       example_data.py --plan FILE
"""
import pathlib
import random
import struct
import sys

SIDE, CLASSES = 6, 3

PLAN = f"""\
[plan]
name = "fashion"
title = "Stripes, on two devices"

[data]
format = "idx"
features_file = "images-idx3-ubyte"
labels_file = "labels-idx1-ubyte"
features = {SIDE * SIDE}
classes = {CLASSES}
scale = 255
held_out = 0.1

[[model.layers]]
units = 16

[[model.layers]]
units = {CLASSES}

[training]
learning_rate = 0.02

[teacher]
hidden = [16]
epochs = 5
learning_rate = 0.05

[distillation]
epochs = 10
learning_rate = 0.05

[round]
agents = 2
minimum = 0
selection_seconds = 20
report_seconds = 60
lease_seconds = 20

[clipping]
norm = 1.0

[privacy]
noise_multiplier = 0.5
delta = 1e-5
agents = 2

[server]

[sealing]
max_accuracy_drop = 1
"""


def write_idx(path, shape, content):
    path.write_bytes(bytes([0, 0, 8, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + bytes(content))


def write_examples(directory, rows, seed):
    """Images of which every third row of pixels, the label's, is brighter, with so much noise that none is certain."""
    directory.mkdir(parents=True, exist_ok=True)
    draw = random.Random(seed)
    labels = [draw.randrange(CLASSES) for _ in range(rows)]
    pixels = [
        min(255, max(0, int(draw.gauss(170 if pixel // SIDE % CLASSES == label else 90, 80))))
        for label in labels
        for pixel in range(SIDE * SIDE)
    ]
    write_idx(directory / "images-idx3-ubyte", [rows, SIDE, SIDE], pixels)
    write_idx(directory / "labels-idx1-ubyte", [rows], labels)


if sys.argv[1] == "--plan":
    pathlib.Path(sys.argv[2]).write_text(PLAN)
else:
    write_examples(pathlib.Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
