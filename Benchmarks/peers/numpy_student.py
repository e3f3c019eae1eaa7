"""The workload's student in float32 with numpy, for software that leaves the arithmetic to its user."""
import pathlib
import time

import numpy as np

import workload


def prepare(directory):
    """Writes the data as every peer reads it, once: float32 pixels from 0 to 1, in an order in which client i holds rows
    600 i to 600 i + 599."""
    if (directory / "order.npy").exists():
        return
    images, labels, test_images, test_labels = workload.fashion_mnist()
    order = np.random.default_rng(0).permutation(len(labels))
    for name, pixels, classes in (("train", images[order], labels[order]), ("test", test_images, test_labels)):
        np.save(directory / f"{name}-x.npy", pixels.reshape(len(pixels), -1).astype(np.float32) / np.float32(255))
        np.save(directory / f"{name}-y.npy", classes.astype(np.int64))
    np.save(directory / "order.npy", order)


def load(directory, part):
    """Features and labels, mapped and not read."""
    directory = pathlib.Path(directory)
    return np.load(directory / f"{part}-x.npy", mmap_mode="r"), np.load(directory / f"{part}-y.npy", mmap_mode="r")


def shard(client, count):
    """The rows of one client of all."""
    size = count // workload.CLIENTS
    return slice(client * size, (client + 1) * size)


def first_weights(seed):
    random = np.random.default_rng(seed)
    widths = (784, workload.HIDDEN, workload.CLASSES)
    weights = []
    for fan_in, fan_out in zip(widths, widths[1:]):
        weights.append((random.standard_normal((fan_in, fan_out)) * np.sqrt(2 / fan_in)).astype(np.float32))
        weights.append(np.zeros(fan_out, np.float32))
    return weights


def train(weights, features, labels, seed):
    """One epoch of plain SGD on softmax cross entropy; returns new weights."""
    w1, b1, w2, b2 = (np.array(part) for part in weights)
    order = np.random.default_rng(seed).permutation(len(labels))
    features, labels = features[order], labels[order]
    for start in range(0, len(labels), workload.BATCH):
        x, y = features[start : start + workload.BATCH], labels[start : start + workload.BATCH]
        hidden = np.maximum(x @ w1 + b1, 0)
        logits = hidden @ w2 + b2
        error = np.exp(logits - logits.max(1, keepdims=True))
        error /= error.sum(1, keepdims=True)
        error[np.arange(len(y)), y] -= 1
        error *= np.float32(workload.RATE / len(y))  # the gradient by the logits, times the rate
        back = error @ w2.T
        back *= hidden > 0
        w2 -= hidden.T @ error
        b2 -= error.sum(0)
        w1 -= x.T @ back
        b1 -= back.sum(0)
    return [w1, b1, w2, b2]


def accuracy(weights, features, labels):
    w1, b1, w2, b2 = weights
    return float((np.argmax(np.maximum(features @ w1 + b1, 0) @ w2 + b2, axis=1) == labels).mean())


def main(directory, seed):
    """Federated averaging in a plain loop: what there is to win without any framework."""
    features, labels = (np.array(part) for part in load(directory, "train"))
    test = load(directory, "test")
    began = time.perf_counter()
    random = np.random.default_rng([seed, 1])
    weights = first_weights(seed)
    for number in range(workload.ROUNDS):
        chosen = random.choice(workload.CLIENTS, workload.SELECTED, replace=False)
        total = [np.zeros_like(part) for part in weights]
        for client in chosen:
            rows = shard(client, len(labels))
            for into, part in zip(total, train(weights, features[rows], labels[rows], [seed, number, int(client)])):
                into += part
        weights = [part / workload.SELECTED for part in total]
    report(began, accuracy(weights, *test))


def report(began, final_accuracy):
    """The line that bench_peers.py looks for: seconds of the rounds alone, without start and loading."""
    import json

    print("RESULT", json.dumps({"seconds": time.perf_counter() - began, "accuracy": final_accuracy}), flush=True)


if __name__ == "__main__":
    import sys

    main(sys.argv[1], int(sys.argv[2]))
