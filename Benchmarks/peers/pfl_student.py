"""The workload with pfl and PyTorch, in one process.   usage: pfl_student.py DATA SEED"""
import sys
import time

import numpy as np
import torch
from pfl.aggregate.simulate import SimulatedBackend
from pfl.algorithm.base import NNAlgorithmParams
from pfl.algorithm.federated_averaging import FederatedAveraging
from pfl.data.dataset import Dataset
from pfl.data.federated_dataset import FederatedDataset
from pfl.hyperparam.base import NNEvalHyperParams, NNTrainHyperParams
from pfl.metrics import Weighted
from pfl.model.pytorch import PyTorchModel

import numpy_student
import workload


class Student(torch.nn.Module):
    def __init__(self, weights):
        super().__init__()
        w1, b1, w2, b2 = (torch.from_numpy(part) for part in weights)
        self.hidden = torch.nn.Linear(784, workload.HIDDEN)
        self.output = torch.nn.Linear(workload.HIDDEN, workload.CLASSES)
        with torch.no_grad():
            for layer, weight, bias in ((self.hidden, w1, b1), (self.output, w2, b2)):
                layer.weight.copy_(weight.T)
                layer.bias.copy_(bias)

    def forward(self, x):
        return self.output(torch.relu(self.hidden(x)))

    def loss(self, x, y, is_eval=False):
        return torch.nn.functional.cross_entropy(self(x), y)

    @torch.no_grad()
    def metrics(self, x, y, is_eval=True):
        return {"accuracy": Weighted(int((self(x).argmax(1) == y).sum()), len(y))}


def main(directory, seed):
    torch.manual_seed(seed)
    features, labels, *test = (
        torch.from_numpy(np.array(part)) for name in ("train", "test") for part in numpy_student.load(directory, name)
    )
    began = time.perf_counter()
    random = np.random.default_rng([seed, 1])
    round_of = []

    def next_client():
        # pfl's own sampler may name a client twice in a round.
        if not round_of:
            round_of.extend(random.choice(workload.CLIENTS, workload.SELECTED, replace=False).tolist())
        return round_of.pop()

    def examples(client):
        rows = numpy_student.shard(client, len(labels))
        order = torch.randperm(rows.stop - rows.start)  # pfl keeps the order it is given
        return Dataset(raw_data=(features[rows][order], labels[rows][order]), user_id=str(client))

    student = Student(numpy_student.first_weights(seed))
    model = PyTorchModel(
        model=student, local_optimizer_create=torch.optim.SGD,
        central_optimizer=torch.optim.SGD(student.parameters(), lr=1.0),
    )  # fmt: skip
    data = FederatedDataset(examples, next_client)
    trained = FederatedAveraging().run(
        algorithm_params=NNAlgorithmParams(
            central_num_iterations=workload.ROUNDS, evaluation_frequency=10**9,
            train_cohort_size=workload.SELECTED, val_cohort_size=0,
        ),
        backend=SimulatedBackend(training_data=data, val_data=data),
        model=model,
        model_train_params=NNTrainHyperParams(
            local_learning_rate=workload.RATE, local_num_epochs=1, local_batch_size=workload.BATCH
        ),
        model_eval_params=NNEvalHyperParams(local_batch_size=None),
        callbacks=[],
        send_metrics_to_platform=False,
    )  # fmt: skip
    numpy_student.report(began, trained.pytorch_model.metrics(*test)["accuracy"].overall_value)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
