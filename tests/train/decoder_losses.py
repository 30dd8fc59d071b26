#!/usr/bin/python3
"""Ten losses of a tiny Show-Attend-Tell decoder that AdamW trains on one batch, for decoder_losses_test.cc.

    tests/train/decoder_losses.py > tests/train/decoder_losses.json

Written from the papers alone, in double precision, a caption at a time. Gradients are complex steps (Squire and Trapp
1998), the imaginary part of the loss at a parameter moved by an imaginary step, so that nothing is differentiated by hand.
"""
import json

import numpy as np

IMAGES, CELLS, FEATURES, PROJECTED, ATTENTION, HIDDEN, EMBEDDING, DEEP, WORDS = 3, 6, 5, 6, 7, 8, 5, 9, 20
START, END = 1, 2
CAPTIONS = [[0, [4, 9, 12, 5]], [1, [4, 7]], [2, [19, 18, 17, 16, 15]], [0, [6]], [1, [11, 4, 7]], [2, []]]
STEPS = 10
OPTIONS = {"learning_rate": 0.02, "weight_decay": 0.05, "beta1": 0.9, "beta2": 0.98, "warm_up": 3, "clip": 0.5,
           "label_smoothing": 0.1, "doubly_stochastic": 0.7}
EPSILON = 1e-8

SHAPES = {
    "deep.bias": (DEEP,), "deep.e.weight": (DEEP, EMBEDDING), "deep.h.weight": (DEEP, HIDDEN),
    "deep.z.weight": (DEEP, PROJECTED), "embedding.weight": (WORDS, EMBEDDING), "feature.bias": (PROJECTED,),
    "feature.weight": (PROJECTED, FEATURES), "gate.bias": (1,), "gate.weight": (1, HIDDEN), "init_c.bias": (HIDDEN,),
    "init_c.weight": (HIDDEN, PROJECTED), "init_h.bias": (HIDDEN,), "init_h.weight": (HIDDEN, PROJECTED),
    "key.bias": (ATTENTION,), "key.weight": (ATTENTION, PROJECTED), "lstm.bias": (4 * HIDDEN,),
    "lstm.weight_hh": (4 * HIDDEN, HIDDEN), "lstm.weight_ih": (4 * HIDDEN, EMBEDDING + PROJECTED),
    "output.bias": (WORDS,), "output.weight": (WORDS, DEEP), "query.weight": (ATTENTION, HIDDEN),
    "score.weight": (1, ATTENTION),
}


def numbers(count, first):
    """Numbers that look random and that every language makes: 0.6 sin(1.7 k), k from `first` on."""
    return 0.6 * np.sin(1.7 * np.arange(first, first + count))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def loss(p, features):
    words = sum(len(caption) + 1 for _, caption in CAPTIONS)
    entropy = unseen = 0
    for image, caption in CAPTIONS:
        v = features[image] @ p["feature.weight"].T + p["feature.bias"]
        v = np.where(v.real > 0, v, 0)
        keys = v @ p["key.weight"].T + p["key.bias"]
        h = np.tanh(p["init_h.weight"] @ v.mean(0) + p["init_h.bias"])
        c = np.tanh(p["init_c.weight"] @ v.mean(0) + p["init_c.bias"])
        looked = 0
        for fed, target in zip([START] + caption, caption + [END]):
            scores = np.tanh(keys + p["query.weight"] @ h) @ p["score.weight"][0]
            alpha = np.exp(scores) / np.exp(scores).sum()
            looked = looked + alpha
            z = sigmoid(p["gate.weight"] @ h + p["gate.bias"]) * (alpha @ v)
            e = p["embedding.weight"][fed]
            sums = p["lstm.weight_ih"] @ np.concatenate([e, z]) + p["lstm.weight_hh"] @ h + p["lstm.bias"]
            i, f, g, o = np.split(sums, 4)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
            deep = p["deep.h.weight"] @ h + p["deep.z.weight"] @ z + p["deep.e.weight"] @ e + p["deep.bias"]
            logits = p["output.weight"] @ np.tanh(deep) + p["output.bias"]
            log_p = logits - np.log(np.exp(logits).sum())
            s = OPTIONS["label_smoothing"]
            entropy -= (1 - s) * log_p[target] + s * log_p.mean()
        unseen += ((1 - looked) ** 2).sum()
    return entropy / words + OPTIONS["doubly_stochastic"] * unseen / len(CAPTIONS)


def gradients(p, features):
    step = 1e-30
    result = {}
    moved = {name: value.astype(complex) for name, value in p.items()}
    for name, value in moved.items():
        flat = value.reshape(-1)
        derivative = np.zeros(flat.size)
        for k in range(flat.size):
            flat[k] += 1j * step
            derivative[k] = loss(moved, features).imag / step
            flat[k] = flat[k].real
        result[name] = derivative.reshape(p[name].shape)
    return result


def rate(step):
    if step < OPTIONS["warm_up"]:
        return OPTIONS["learning_rate"] * (step + 1) / OPTIONS["warm_up"]
    done = (step - OPTIONS["warm_up"]) / (STEPS - OPTIONS["warm_up"])
    return OPTIONS["learning_rate"] * (1 + np.cos(np.pi * done)) / 2


def main():
    features = numbers(IMAGES * CELLS * FEATURES, 0).reshape(IMAGES, CELLS, FEATURES)
    p = {}
    first = features.size
    for name in sorted(SHAPES):
        count = int(np.prod(SHAPES[name]))
        p[name] = numbers(count, first).reshape(SHAPES[name])
        first += count
    m = {name: np.zeros_like(value) for name, value in p.items()}
    v = {name: np.zeros_like(value) for name, value in p.items()}
    losses = []
    for step in range(STEPS):
        losses.append(float(loss(p, features)))
        g = gradients(p, features)
        norm = np.sqrt(sum((value ** 2).sum() for value in g.values()))
        for name in p:
            d = g[name] * min(1, OPTIONS["clip"] / norm)
            m[name] = OPTIONS["beta1"] * m[name] + (1 - OPTIONS["beta1"]) * d
            v[name] = OPTIONS["beta2"] * v[name] + (1 - OPTIONS["beta2"]) * d ** 2
            m_hat = m[name] / (1 - OPTIONS["beta1"] ** (step + 1))
            v_hat = v[name] / (1 - OPTIONS["beta2"] ** (step + 1))
            if p[name].ndim == 2:  # biases do not decay
                p[name] = p[name] * (1 - rate(step) * OPTIONS["weight_decay"])
            p[name] = p[name] - rate(step) * m_hat / (np.sqrt(v_hat) + EPSILON)
    sizes = {"images": IMAGES, "cells": CELLS, "features": FEATURES, "projected": PROJECTED, "attention": ATTENTION,
             "hidden": HIDDEN, "embedding": EMBEDDING, "deep": DEEP, "vocabulary": WORDS}
    print(json.dumps({"sizes": sizes, "options": OPTIONS, "captions": CAPTIONS, "losses": losses}))


if __name__ == "__main__":
    main()
