#!/usr/bin/env python3
"""Compares gradients and parameters of a training run with those that JAX computes from formulas written anew here.

    jax_agreement.py fp32|int8 DIRECTORY

One small network of two convolutions and two dense layers, softmax cross-entropy, gradient descent with momentum.
DIRECTORY holds little-endian arrays, one entry a step: features.f32 [steps, rows, 2, 16, 16], labels.i32 [steps, rows],
gradients.f32 [steps, parameters] at the start of each step, and parameters.f32 [steps + 1, parameters], the first before
any step. JAX takes the gradients at the parameters of each step, and makes all steps on its own from the first.

A parameter vector holds for each layer the weights [outputs, inputs, height, width] and the bias, and then the logarithms
of the activation scales. `fp32` knows no rounding and differentiates plainly; the scales then have no gradient. `int8`
rounds weights and activations, with the integers computed exactly.

Each tensor's gradients may differ by 1e-4 of the tensor's largest; the same of how far its parameters moved in all steps.
Exit status: 0 agreement, 1 a larger difference, 2 files that cannot be used.
"""
import argparse
import functools
import pathlib
import sys

import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)

TOLERANCE = 1e-4
PIXEL = 255
RATE, MOMENTUM = 0.05, 0.9
LOG_SCALES = -12, 5
IMAGE = 2, 16, 16
# The weights of each layer, and the padding around its input; a dense layer sees one position.
LAYERS = [((8, 2, 3, 3), 1), ((16, 8, 3, 3), 0), ((32, 144, 1, 1), 0), ((4, 32, 1, 1), 0)]
POOLED = 0, 1
# Values an example at the input and after each layer.
WIDTHS = 2 * 16 * 16, 8 * 16 * 16, 16 * 6 * 6, 32, 4


def split(vector):
    """Weights and biases, layer by layer, and the logarithms of the scales."""
    tensors, start = [], 0
    for shape in [s for weights, _ in LAYERS for s in (weights, weights[:1])] + [(len(WIDTHS),)]:
        count = int(np.prod(shape))
        tensors.append(vector[start : start + count].reshape(shape))
        start += count
    if start != len(vector):
        raise ValueError(f"{len(vector)} parameters where the network has {start}")
    return tensors


def convolve(images, weights, padding):
    return jax.lax.conv_general_dilated(images, weights, (1, 1), [(padding, padding)] * 2)


def dense_input(values, layer):
    """From the first dense layer on, an example is one position with a channel a feature."""
    return values.reshape(len(values), -1, 1, 1) if layer == 2 else values


def cross_entropy(logits, labels):
    logs = jax.nn.log_softmax(logits.reshape(len(labels), -1))
    return -jnp.mean(jnp.take_along_axis(logs, labels[:, None], axis=1))


# --- without rounding ---


def float_loss(tensors, features, labels):
    values = (features.astype("f8") / PIXEL).reshape(-1, *IMAGE)
    for layer, (_, padding) in enumerate(LAYERS):
        weights, bias = tensors[2 * layer : 2 * layer + 2]
        values = convolve(dense_input(values, layer), weights, padding) + bias[:, None, None]
        if layer + 1 < len(LAYERS):
            values = jax.nn.relu(values)
        if layer in POOLED:
            window = (1, 1, 2, 2)
            values = jax.lax.reduce_window(values, -jnp.inf, jax.lax.max, window, window, "VALID")
    return cross_entropy(values, labels)


# --- with rounding ---


@functools.partial(jax.custom_vjp, nondiff_argnums=(3, 4, 5))
def quantise(real, log_scale, scaled, bounds, width, is_output):
    """The real value of `scaled`, which is real / scale in float32, bounded and rounded: straight-through to `real`, and
    LSQ's gradient (Esser et al. 2020) to the logarithm of the scale. A network's output beyond its bounds has a gradient
    nevertheless, if that calls it back. `width`: values an example."""
    return jnp.rint(jnp.clip(scaled, *bounds)) * jnp.exp(log_scale).astype("f4")


def quantise_forward(real, log_scale, scaled, *constants):
    return quantise(real, log_scale, scaled, *constants), (log_scale, scaled)


def quantise_backward(bounds, width, is_output, saved, gradient):
    log_scale, scaled = saved
    inside = (bounds[0] <= scaled) & (scaled <= bounds[1])
    by_scale = jnp.where(inside, jnp.rint(scaled) - scaled, jnp.clip(scaled, *bounds))
    scale = jnp.exp(log_scale)
    share = scale / jnp.sqrt(width * bounds[1])
    by_log_scale = share * jnp.sum(gradient * by_scale)
    called_back = (scaled > bounds[1]) & (gradient > 0) | (scaled < bounds[0]) & (gradient < 0)
    passes = inside | called_back if is_output else inside
    return jnp.where(passes, gradient, 0), by_log_scale, jnp.zeros_like(scaled)


quantise.defvjp(quantise_forward, quantise_backward)


def pool_both(integers, reals):
    """The largest of each 2 x 2 window, the first of equals in reading order, and the real value beside it."""
    rows, channels, height, width = integers.shape
    height, width = height // 2, width // 2

    def windows(values):
        values = values.reshape(rows, channels, height, 2, width, 2)
        return values.transpose(0, 1, 2, 4, 3, 5).reshape(rows, channels, height, width, 4)

    winner = jnp.argmax(windows(integers), axis=-1)[..., None]
    return [jnp.take_along_axis(windows(values), winner, -1)[..., 0] for values in (integers, reals)]


def int8_loss(tensors, features, labels):
    log_scales = tensors[-1]
    # float32, as a model file has them.
    scales = jax.lax.stop_gradient(jnp.exp(log_scales)).astype("f4")
    signed, rectified = (-128.0, 127.0), (0.0, 255.0)

    pixels = ((features / np.float32(PIXEL)).astype("f4")).reshape(-1, *IMAGE)
    scaled = pixels / scales[0]
    integers = jnp.rint(jnp.clip(scaled, *signed)).astype("f8")
    reals = quantise(
        pixels.astype("f8"), log_scales[0], scaled.astype("f8"), signed, WIDTHS[0], False
    )
    for layer, (_, padding) in enumerate(LAYERS):
        weights, bias = tensors[2 * layer : 2 * layer + 2]
        integers, reals = dense_input(integers, layer), dense_input(reals, layer)
        latent = jax.lax.stop_gradient(weights).astype("f4")
        channel = jnp.max(jnp.abs(latent), axis=(1, 2, 3)) / np.float32(127)
        rounded = jnp.clip(jnp.rint(latent / channel[:, None, None, None]), -127, 127)
        # What the gradient sees: latent weights on the rounded input; the scale of the network's input, which nothing
        # lies below, sees the rounded ones.
        smooth = convolve(reals, weights, padding) + bias[:, None, None]
        if layer == 0:
            by_rounded = convolve(reals, (rounded * channel[:, None, None, None]).astype("f8"), padding)
            smooth = convolve(jax.lax.stop_gradient(reals), weights, padding) + bias[:, None, None]
            smooth += by_rounded - jax.lax.stop_gradient(by_rounded)
        # What is computed: sums of integers far below 2^53, then one factor a channel in float32.
        unit = scales[layer].astype("f8") * channel.astype("f8")
        sums = convolve(integers, rounded.astype("f8"), padding)
        sums += jnp.rint(jax.lax.stop_gradient(bias) / unit)[:, None, None]
        factor = (scales[layer] * channel) / scales[layer + 1]
        scaled = sums.astype("f4") * factor[:, None, None]
        is_output = layer + 1 == len(LAYERS)
        bounds = signed if is_output else rectified
        integers = jnp.rint(jnp.clip(scaled, *bounds)).astype("f8")
        scaled, width = scaled.astype("f8"), WIDTHS[layer + 1]
        reals = quantise(smooth, log_scales[layer + 1], scaled, bounds, width, is_output)
        if layer in POOLED:
            integers, reals = pool_both(integers, reals)
    return cross_entropy(reals, labels)


# --- comparison ---


class Comparison:
    """Keeps the largest difference of each tensor, as a share of the tensor's largest value."""

    def __init__(self, what):
        self.what = what
        self.worst = {}

    def add(self, ours, theirs):
        for index, (a, b) in enumerate(zip(split(ours), split(theirs))):
            largest = np.abs(b).max()
            difference = np.abs(a - b).max()
            share = difference / largest if largest > 0 else (0 if difference == 0 else np.inf)
            self.worst[index] = max(self.worst.get(index, 0), share)

    def holds(self):
        names = [f"{kind}{layer}" for layer in range(len(LAYERS)) for kind in ("weight", "bias")]
        shares = dict(zip(names + ["log scales"], self.worst.values()))
        print(f"{self.what}: " + ", ".join(f"{name} {share:.1e}" for name, share in shares.items()))
        return max(shares.values()) <= TOLERANCE


def read(directory, name, kind, *shape):
    return np.fromfile(directory / name, kind).reshape(shape)


def descend(gradient_of, parameters, batches):
    """Parameters after a step on each batch, kept in float32."""
    velocity = np.zeros_like(parameters)
    for features, labels in batches:
        velocity = MOMENTUM * velocity + gradient_of(parameters, features, labels)
        parameters = (parameters - RATE * velocity).astype("f4").astype("f8")
        scales = parameters[-len(WIDTHS) :]
        np.clip(scales, *LOG_SCALES, out=scales)
    return parameters


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("arithmetic", choices=["fp32", "int8"])
    parser.add_argument("directory", type=pathlib.Path)
    arguments = parser.parse_args()
    loss = {"fp32": float_loss, "int8": int8_loss}[arguments.arithmetic]

    count = sum(int(np.prod(weights)) + weights[0] for weights, _ in LAYERS) + len(WIDTHS)
    parameters = read(arguments.directory, "parameters.f32", "<f4", -1, count).astype("f8")
    gradients = read(arguments.directory, "gradients.f32", "<f4", -1, count).astype("f8")
    steps = len(gradients)
    labels = read(arguments.directory, "labels.i32", "<i4", steps, -1)
    features = read(arguments.directory, "features.f32", "<f4", *labels.shape, -1)
    if len(parameters) != steps + 1 or steps == 0:
        raise ValueError(f"{len(parameters)} parameter vectors for {steps} steps")

    differentiate = jax.jit(jax.grad(lambda vector, *batch: loss(split(vector), *batch)))

    def gradient_of(vector, *batch):
        return np.asarray(differentiate(vector, *batch))

    slopes, moves = Comparison("gradients"), Comparison("moves")
    for step, batch in enumerate(zip(features, labels)):
        slopes.add(gradients[step], gradient_of(parameters[step], *batch))
    end = descend(gradient_of, parameters[0], zip(features, labels))
    moves.add(parameters[-1] - parameters[0], end - parameters[0])
    agree = [slopes.holds(), moves.holds()]
    print(f"{steps} steps of {count} parameters: {'agreement' if all(agree) else 'no agreement'}")
    return 0 if all(agree) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (OSError, ValueError) as error:
        print(f"cannot compare: {error}", file=sys.stderr)
        sys.exit(2)
