#!/usr/bin/python3
"""Makes the start of glimpse-base's encoder of the seed's, which is the same network with fewer channels and blocks.

    models/recipes/grow_seed.py ../shared/models/glimpse-seed/student-with-batchnorm.safetensors start.safetensors

The larger network computes at first what the smaller did: old numbers stand in the corner of each tensor, new inputs of a layer
count for nothing yet, new outputs and blocks are random, and a new block's last scale is zero (Chen et al. 2016, Net2Net). Needs
Debian's python3-numpy.
"""
import json
import struct
import sys

import numpy as np

OLD_BLOCKS = (2, 4, 5, 7, 8, 9, 10, 11)
NEW_BLOCKS = (12, 13)
WITH_SE = (5, 7, 8, 9, 10, 11, 12, 13)
random = np.random.default_rng(20261121)


def read(path):
    with open(path, "rb") as file:
        size, = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(size))
        data = file.read()
    header.pop("__metadata__", None)
    types = {"F16": np.float16, "F32": np.float32}
    return {name: np.frombuffer(data[entry["data_offsets"][0]:entry["data_offsets"][1]], types[entry["dtype"]])
            .reshape(entry["shape"]).astype(np.float32) for name, entry in header.items()}


def write(path, tensors):
    header, at = {}, 0
    for name, values in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(values.shape), "data_offsets": [at, at + values.nbytes]}
        at += values.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for values in tensors.values():
            file.write(values.astype("<f4").tobytes())


def he(shape):
    inputs = int(np.prod(shape[1:]))
    return (random.standard_normal(shape) * np.sqrt(2 / inputs)).astype(np.float32)


def grown_weight(old, out, inputs):
    """[out, in, k, k] with the old numbers in the corner; what is new among the inputs is multiplied by zero."""
    new = he((out, inputs) + old.shape[2:])
    new[:old.shape[0], :old.shape[1]] = old
    new[:old.shape[0], old.shape[1]:] = 0
    return new


def grown_vector(old, count, value):
    return np.concatenate([old, np.full(count - len(old), value, np.float32)])


def main(source, target):
    old, new = read(source), {}

    def convolution(node, name, out, inputs):
        new[node + ".weight"] = grown_weight(old[name + ".c.weight"], out, inputs)
        for part, value in (("weight", 1), ("bias", 0), ("running_mean", 0), ("running_var", 1)):
            new[f"{node}n.{part}"] = grown_vector(old[f"{name}.b.{part}"], out, value)

    def fresh(node, out, inputs, kernel, scale):
        new[node + ".weight"] = he((out, inputs, kernel, kernel))
        for part, value in (("weight", scale), ("bias", 0), ("running_mean", 0), ("running_var", 1)):
            new[f"{node}n.{part}"] = np.full(out, value, np.float32)

    convolution("c0", "net.0", 32, 3)
    convolution("c1", "net.1", 48, 32)
    convolution("c3", "net.3", 96, 48)
    convolution("c6", "net.6", 224, 96)
    convolution("c14", "net.12", 448, 224)
    sizes = {2: (48, 48), 4: (96, 96), 5: (96, 96)}
    for i in OLD_BLOCKS:
        channels, middle = sizes.get(i, (224, 192))
        convolution(f"r{i}a", f"net.{i}.a", middle, channels)
        convolution(f"r{i}b", f"net.{i}.b", channels, middle)
        if i in WITH_SE:
            for ours, theirs in (("squeeze", "se.a"), ("excite", "se.b")):
                for part in ("weight", "bias"):
                    new[f"r{i}se.{ours}.{part}"] = old[f"net.{i}.{theirs}.{part}"]
            # The seed's gate was 2 · sigmoid.
            new[f"r{i}bn.weight"] *= 2
            new[f"r{i}bn.bias"] *= 2
    for i in NEW_BLOCKS:
        fresh(f"r{i}a", 192, 224, 3, 1)
        fresh(f"r{i}b", 224, 192, 1, 0)
        new[f"r{i}se.squeeze.weight"] = he((28, 224))
        new[f"r{i}se.squeeze.bias"] = np.zeros(28, np.float32)
        new[f"r{i}se.excite.weight"] = np.zeros((224, 28), np.float32)
        new[f"r{i}se.excite.bias"] = np.zeros(224, np.float32)
    # Both of CBAM's gates begin near a half, whatever the picture; the convolution behind it is told so.
    new["attention.squeeze.weight"] = he((28, 224))
    new["attention.squeeze.bias"] = np.zeros(28, np.float32)
    new["attention.excite.weight"] = np.zeros((224, 28), np.float32)
    new["attention.excite.bias"] = np.zeros(224, np.float32)
    new["attention.spatial.conv.weight"] = he((1, 2, 7, 7))
    for part, value in (("weight", 0.1), ("bias", 0), ("running_mean", 0), ("running_var", 1)):
        new[f"attention.spatial.bn.{part}"] = np.full(1, value, np.float32)
    new["c14n.running_mean"] *= 0.25
    new["c14n.running_var"] *= 0.25 ** 2
    new["context.weight"], new["context.bias"] = old["gc.weight"], old["gc.bias"]
    write(target, new)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
