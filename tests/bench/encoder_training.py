#!/usr/bin/python3
"""Pictures a second of the encoder's forward and backward pass: PyTorch's against ours, same network, batch and threads, in one run.

    tests/bench/encoder_training.py BUILD/bench_encoder_training [threads [batch [rounds]]]

The network is models/graphs/glimpse-base.graph on 224² pictures, in f32, with the batch's own statistics; the loss is the mean square of its map. PyTorch runs
it in its default layout and channels-last. Everything takes its turn in every round, for ten seconds; of each the fastest step counts.
"""
import pathlib
import subprocess
import sys
import time

try:
    import torch
    from torch import nn
    import torch.nn.functional as F
except ImportError:
    sys.exit("skipped: no PyTorch here (Debian: apt-get install python3-torch libopenblas0-pthread)")

GRAPH = pathlib.Path(__file__).resolve().parents[2] / "models/graphs/glimpse-base.graph"
SECONDS = 10.0


def conv(src, out, kernel=1, stride=1, dilation=1, relu=True):
    layers = [nn.Conv2d(src, out, kernel, stride, kernel // 2 * dilation, dilation, bias=False), nn.BatchNorm2d(out)]
    return nn.Sequential(*layers, *([nn.ReLU(inplace=True)] if relu else []))


class Squeeze(nn.Module):
    def __init__(self, channels, hidden):
        super().__init__()
        self.squeeze, self.excite = nn.Linear(channels, hidden), nn.Linear(hidden, channels)

    def scores(self, pooled):
        return self.excite(F.relu(self.squeeze(pooled), inplace=True))[:, :, None, None]

    def forward(self, x):
        return x * torch.sigmoid(self.scores(x.mean((2, 3))))


class Block(nn.Module):
    def __init__(self, channels, middle, squeeze=None, dilation=1):
        super().__init__()
        self.body = nn.Sequential(conv(channels, middle, 3, dilation=dilation), conv(middle, channels, relu=False))
        self.se = Squeeze(channels, squeeze) if squeeze else nn.Identity()

    def forward(self, x):
        return F.relu(x + self.se(self.body(x)), inplace=True)


class Attention(nn.Module):
    def __init__(self, channels, hidden):
        super().__init__()
        self.channels = Squeeze(channels, hidden)
        self.spatial = nn.Sequential(nn.Conv2d(2, 1, 7, padding=3, bias=False), nn.BatchNorm2d(1))

    def forward(self, x):
        x = x * torch.sigmoid(self.channels.scores(x.mean((2, 3))) + self.channels.scores(x.amax((2, 3))))
        return x * torch.sigmoid(self.spatial(torch.cat([x.amax(1, keepdim=True), x.mean(1, keepdim=True)], 1)))


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            conv(3, 32, 3, 2), conv(32, 48, 3, 2), Block(48, 48),
            conv(48, 96, 3, 2), Block(96, 96), Block(96, 96, 12),
            conv(96, 224, 3, 2), *[Block(224, 192, 28, dilation) for dilation in (1, 2, 1, 2, 1, 2, 1)],
            Attention(224, 28), conv(224, 448))
        self.context = nn.Linear(448, 448)

    def forward(self, x):
        x = self.body(x)
        return F.relu(x + self.context(x.mean((2, 3)))[:, :, None, None], inplace=True)


class Timed:
    def __init__(self, layout, batch):
        torch.manual_seed(1)
        self.model = Encoder().train().to(memory_format=layout)
        self.pictures = torch.randn(batch, 3, 224, 224).to(memory_format=layout)
        self.batch, self.best = batch, 0.0

    def run(self):
        start = time.time()
        while time.time() - start < SECONDS:
            begun = time.time()
            self.model.zero_grad(set_to_none=True)
            self.model(self.pictures).square().mean().backward()
            self.best = max(self.best, self.batch / (time.time() - begun))


def main():
    threads, batch, rounds = [int(value) for value in sys.argv[2:]] + [2, 32, 3][len(sys.argv) - 2:]
    torch.set_num_threads(threads)
    theirs = {"default layout": Timed(torch.contiguous_format, batch), "channels-last": Timed(torch.channels_last, batch)}
    ours = 0.0
    for _ in range(rounds):
        command = [sys.argv[1], str(GRAPH), str(batch), str(threads), str(SECONDS)]
        ours = max(ours, float(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
        for timed in theirs.values():
            timed.run()
    rates = ", ".join(f"{timed.best:.1f} {name}" for name, timed in theirs.items())
    best = max(timed.best for timed in theirs.values())
    print(f"batch {batch}, {threads} threads, f32: PyTorch {torch.__version__} {rates}; glimpse {ours:.1f} pictures/s: {ours / best:.2f} times")


if __name__ == "__main__":
    main()
