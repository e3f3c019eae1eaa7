#!/usr/bin/env python3
"""Compares onnxruntime's outputs of many models with those computed elsewhere, bit for bit.

    graph_agreement.py DIRECTORY

DIRECTORY holds, for N = 0, 1, ..., a model N.onnx, its raw features N.rows and its outputs
N.outputs, both float32, little-endian, row after row. Every graph optimisation level of onnxruntime
is run, and onnx's checker on every file.
Exit status: 0 identical, 1 any difference, 2 a file that cannot be used.
"""
import argparse
import pathlib
import sys

import numpy as np
import onnx

from onnx_agreement import LEVELS, compare, run


def agrees(model):
    """Whether onnxruntime computes the outputs beside `model` at every level."""
    onnx.checker.check_model(str(model), full_check=True)
    graph = onnx.load(model).graph
    features = graph.input[0].type.tensor_type.shape.dim[1].dim_value
    rows = np.fromfile(model.with_suffix(".rows"), "<f4").reshape(-1, features)
    outputs = np.fromfile(model.with_suffix(".outputs"), "<f4").reshape(len(rows), -1)
    same = all([compare(outputs, run(str(model), rows, LEVELS[name]), name) for name in LEVELS])
    if not same:
        print(f"{model.name}: {', '.join(node.op_type for node in graph.node)}")
    return same


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=pathlib.Path)
    models = sorted(parser.parse_args().directory.glob("*.onnx"))
    different = sum(not agrees(model) for model in models)
    print(f"{len(models)} graphs, {different} of them different")
    return 1 if different else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (OSError, ValueError, onnx.checker.ValidationError) as error:
        print(f"cannot compare: {error}", file=sys.stderr)
        sys.exit(2)
