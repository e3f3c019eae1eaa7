#!/usr/bin/env python3
"""Compares onnxruntime's outputs of a model with `tributary-agent predict --json`'s, bit for bit.

    onnx_agreement.py MODEL.onnx INPUT OUTPUTS.jsonl [--labels LABELS.idx]

INPUT is the IDX or CSV file of raw features that predict read; OUTPUTS.jsonl holds what it printed,
one {"label": class, "outputs": [...]} a row, or {"anomaly_score": ..., "outputs": [...]}. Every graph optimisation level of onnxruntime is run.
With --labels, an IDX file of true classes, the accuracy is printed too.
Exit status: 0 identical, 1 any difference, 2 a file that cannot be used.
"""
import argparse
import csv
import json
import struct
import sys

import numpy as np
import onnxruntime as ort

LEVELS = {
    "none": ort.GraphOptimizationLevel.ORT_DISABLE_ALL,
    "basic": ort.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    "extended": ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
    "all": ort.GraphOptimizationLevel.ORT_ENABLE_ALL,
}
BATCH_ROWS = 1000


def read_idx(path):
    """The array of unsigned bytes in an IDX file."""
    with open(path, "rb") as file:
        content = file.read()
    if len(content) < 4 or content[:3] != b"\0\0\x08":
        raise ValueError(f"{path} is not an IDX file of unsigned bytes")
    start = 4 + 4 * content[3]
    shape = struct.unpack(f">{content[3]}I", content[4:start])
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def is_number(text):
    try:
        float(text)
        return True
    except ValueError:
        return False


def read_csv(path):
    """Features of a CSV file; in a header, a column named `label` is passed over."""
    with open(path, newline="", encoding="utf-8-sig") as file:
        rows = [row for row in csv.reader(file, skipinitialspace=True) if any(map(str.strip, row))]
    skipped = None
    if not all(map(is_number, rows[0])):
        header = rows.pop(0)
        skipped = header.index("label") if "label" in header else None
    values = [[float(x) for i, x in enumerate(row) if i != skipped] for row in rows]
    return np.array(values, dtype=np.float64)


def read_features(path):
    """Raw features [rows, features] as float32."""
    with open(path, "rb") as file:
        is_idx = file.read(2) == b"\0\0"
    array = read_idx(path) if is_idx else read_csv(path)
    return np.ascontiguousarray(array.reshape(len(array), -1), dtype=np.float32)


def run(model, features, level):
    """onnxruntime's outputs [rows, classes]."""
    options = ort.SessionOptions()
    options.graph_optimization_level = level
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    batches = range(0, len(features), BATCH_ROWS)
    return np.concatenate(
        [session.run(["output"], {"input": features[i : i + BATCH_ROWS]})[0] for i in batches]
    )


def compare(printed, computed, level):
    """Whether two arrays have the same bits; says where they first differ."""
    if printed.shape != computed.shape:
        print(f"shapes differ: printed {printed.shape}, onnxruntime {computed.shape}")
        return False
    different = printed.view(np.uint32) != computed.view(np.uint32)
    if not different.any():
        return True
    row, column = np.argwhere(different)[0]
    print(
        f"{different.sum()} of {different.size} outputs differ at optimisation level {level}; "
        f"first: row {row}, output {column}: "
        f"printed {printed[row, column]!r}, onnxruntime {computed[row, column]!r}"
    )
    return False


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("input")
    parser.add_argument("outputs")
    parser.add_argument("--labels", metavar="LABELS.idx")
    arguments = parser.parse_args()

    features = read_features(arguments.input)
    with open(arguments.outputs, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    printed = np.array([line["outputs"] for line in lines], dtype=np.float32)

    same = True
    for name, level in LEVELS.items():
        computed = run(arguments.model, features, level)
        same = compare(printed, computed, name) and same
    predicted = computed.argmax(axis=1)
    scores = all("anomaly_score" in line for line in lines)
    if not scores and [line["label"] for line in lines] != predicted.tolist():
        print("labels differ from the index of the largest output")
        same = False
    if same:
        print(f"{computed.shape[0]} rows of {computed.shape[1]} outputs: identical to the bit")
    if arguments.labels:
        labels = read_idx(arguments.labels)
        if labels.shape != predicted.shape:
            raise ValueError(f"{arguments.labels} has shape {labels.shape}, not {predicted.shape}")
        print(f"accuracy {int((predicted == labels).sum()) / len(labels)}")
    return 0 if same else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (OSError, ValueError, KeyError) as error:
        print(f"cannot compare: {error}", file=sys.stderr)
        sys.exit(2)
