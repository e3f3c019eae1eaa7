"""A Flower client: trains the numpy student on its shard."""
import functools

from flwr.app import ArrayRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp

import numpy_student

app = ClientApp()
training_data = functools.cache(numpy_student.load)  # mapped once a process


@app.train()
def train(message: Message, context: Context):
    client = int(context.node_config["partition-id"])
    number = int(message.content["config"]["server-round"])
    features, labels = training_data(context.run_config["data"], "train")
    rows = numpy_student.shard(client, len(labels))
    weights = numpy_student.train(
        message.content["arrays"].to_numpy_ndarrays(), features[rows], labels[rows],
        [int(context.run_config["seed"]), number, client],
    )  # fmt: skip
    content = RecordDict({"arrays": ArrayRecord(weights), "metrics": MetricRecord({"num-examples": rows.stop - rows.start})})
    return Message(content=content, reply_to=message)
