"""The Flower server of the workload: FedAvg over ten of a hundred clients a round."""
import random
import time

from flwr.app import ArrayRecord, Context
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg

import numpy_student
import workload

app = ServerApp()


@app.main()
def main(grid: Grid, context: Context):
    seed = int(context.run_config["seed"])
    random.seed(seed)
    began = time.perf_counter()
    strategy = FedAvg(
        fraction_train=workload.SELECTED / workload.CLIENTS, fraction_evaluate=0.0,
        min_train_nodes=workload.SELECTED, min_available_nodes=workload.CLIENTS,
    )  # fmt: skip
    result = strategy.start(
        grid=grid, initial_arrays=ArrayRecord(numpy_student.first_weights(seed)), num_rounds=workload.ROUNDS
    )
    test = numpy_student.load(context.run_config["data"], "test")
    numpy_student.report(began, numpy_student.accuracy(result.arrays.to_numpy_ndarrays(), *test))
