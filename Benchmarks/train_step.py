"""Prints how many training steps a second PyTorch does of a student of TrainingStep.swift, on one thread.

usage: train_step.py cnn|dense        exit status 3 without PyTorch
"""

import sys
import time

try:
    import torch
except ImportError:
    sys.exit(3)

REPETITIONS, STEPS, BATCH = 11, 100, 32

torch.set_num_threads(1)
is_dense = sys.argv[1] == "dense"
model = torch.nn.Sequential(
    torch.nn.Flatten(), torch.nn.Linear(784, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10),
) if is_dense else torch.nn.Sequential(
    torch.nn.Conv2d(1, 8, 3, stride=2, padding=1), torch.nn.ReLU(),
    torch.nn.Conv2d(8, 16, 3, stride=2, padding=1), torch.nn.ReLU(),
    torch.nn.Flatten(), torch.nn.Linear(16 * 7 * 7, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10),
)  # fmt: skip
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0 if is_dense else 0.9)
images, labels = torch.rand(BATCH, 1, 28, 28), torch.arange(BATCH) % 10


def seconds():
    start = time.thread_time()
    for _ in range(STEPS):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()
    return time.thread_time() - start


seconds()
print(STEPS / sorted(seconds() for _ in range(REPETITIONS))[REPETITIONS // 2], torch.__version__)
