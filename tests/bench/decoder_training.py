#!/usr/bin/python3
"""Captions a second of the decoder's training: PyTorch's against ours, same network, batch and threads, in one run.

    tests/bench/decoder_training.py BUILD/bench_decoder_training [threads]

Sizes as in Show, Attend and Tell with 1280 features: projection and state 512, attention and embedding 256, 3172 words.
"""
import subprocess
import sys
import time

try:
    import torch
    from torch import nn
    import torch.nn.functional as F
except ImportError:
    sys.exit("skipped: no PyTorch here (Debian: apt-get install python3-torch libopenblas0-pthread)")

PHOTOS, CAPTIONS, WORDS = 25, 5, 3172
# Words of 125 captions, as Flickr8k has them.
LENGTHS = {4: 2, 5: 4, 6: 8, 7: 10, 8: 12, 9: 14, 10: 14, 11: 13, 12: 11, 13: 10, 14: 8, 15: 6, 16: 4, 17: 3, 18: 2, 19: 2, 20: 1, 21: 1}


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.feature = nn.Linear(1280, 512)
        self.key, self.query, self.score = nn.Linear(512, 256), nn.Linear(512, 256, bias=False), nn.Linear(256, 1, bias=False)
        self.gate, self.embedding, self.lstm = nn.Linear(512, 1), nn.Embedding(WORDS, 256), nn.LSTMCell(768, 512)
        self.init_h, self.init_c = nn.Linear(512, 512), nn.Linear(512, 512)
        self.deep_h, self.deep_z, self.deep_e = nn.Linear(512, 512), nn.Linear(512, 512, bias=False), nn.Linear(256, 512, bias=False)
        self.output = nn.Linear(512, WORDS)

    def forward(self, features, images, tokens, alive):
        memory = F.dropout(torch.relu(self.feature(features)), 0.5)
        keys = self.key(memory)
        mean = memory.mean(1)
        h, c = torch.tanh(self.init_h(mean))[images], torch.tanh(self.init_c(mean))[images]
        memory, keys = memory[images], keys[images]
        words = F.dropout(self.embedding(tokens), 0.3)
        hs, zs, alphas, at = [], [], [], 0
        seen = torch.zeros(len(images), features.shape[1])
        for n in alive:
            h, c = h[:n], c[:n]
            alpha = torch.softmax(self.score(torch.tanh(keys[:n] + self.query(h).unsqueeze(1))).squeeze(2), 1)
            z = torch.bmm(alpha.unsqueeze(1), memory[:n]).squeeze(1) * torch.sigmoid(self.gate(h))
            h, c = self.lstm(torch.cat([words[at:at + n], z], 1), (h, c))
            hs.append(h)
            zs.append(z)
            alphas.append(F.pad(alpha, (0, 0, 0, len(images) - n)))
            at += n
        deep = torch.tanh(self.deep_h(torch.cat(hs)) + self.deep_z(torch.cat(zs)) + self.deep_e(words))
        return self.output(F.dropout(deep, 0.5)), torch.stack(alphas).sum(0)


def rate(cells, threads, seconds=20.0):
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    lengths = sorted((k for k, v in LENGTHS.items() for _ in range(v)), reverse=True)
    images = torch.arange(len(lengths)) % PHOTOS
    alive = [sum(1 for n in lengths if n >= t) for t in range(lengths[0] + 1)]
    total = sum(alive)
    model = Decoder().train()
    features = torch.rand(PHOTOS, cells, 1280)
    tokens, targets = torch.randint(4, WORDS, (total,)), torch.randint(4, WORDS, (total,))
    best, start = 1e9, time.time()
    while time.time() - start < seconds:
        begun = time.time()
        model.zero_grad(set_to_none=True)
        scores, seen = model(features, images, tokens, alive)
        loss = F.cross_entropy(scores, targets, label_smoothing=0.1) + ((1 - seen) ** 2).sum(1).mean()
        loss.backward()
        best = min(best, time.time() - begun)
    return len(lengths) / best


def main():
    threads = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    for cells in (49, 196):
        # Two threads can be slower than one where OpenMP and OpenBLAS wait for each other: the better counts.
        theirs = {count: rate(cells, count) for count in sorted({1, threads})}
        ours = float(subprocess.run([sys.argv[1], str(cells), str(threads)], capture_output=True, text=True, check=True).stdout)
        rates = ", ".join(f"{value:.1f} at {count} threads" for count, value in theirs.items())
        print(f"{cells} cells: PyTorch {torch.__version__} {rates}; glimpse {ours:.1f} captions/s at {threads} threads: {ours / max(theirs.values()):.2f} times", flush=True)


if __name__ == "__main__":
    main()
