#!/usr/bin/env python3
"""Makes a teacher for distillation of what a captioner's decoder looks at: the captioner's encoder and, behind it, the
layer that its decoder reads the map through, rectified. What that layer leaves out does not matter to captions.

    caption_teacher.py MODEL_FOLDER OUTPUT_FOLDER   (writes teacher.graph, output node "look", and teacher.safetensors)

Nothing of it may end up in a model: distillation learns from it and throws it away.
"""
import json
import struct
import sys
from pathlib import Path


def main():
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    config = json.loads((source / "model.json").read_text())
    graph = (source / config["encoder"]["graph"]).read_text()
    blob = (source / "weights.safetensors").read_bytes()
    length = struct.unpack("<Q", blob[:8])[0]
    header = json.loads(blob[8 : 8 + length])
    header["look.weight"] = header.pop("feature.weight")
    header["look.bias"] = header.pop("feature.bias")
    out, channels = header["look.weight"]["shape"]
    header["look.weight"]["shape"] = [out, channels, 1, 1]
    # The data stands as it was; the names alone change.
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    target.mkdir(parents=True, exist_ok=True)
    (target / "teacher.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + blob[8 + length :])
    lines = [line for line in graph.splitlines() if not line.startswith("output ")]
    lines.append(f"conv look < {config['encoder']['output']} out={out} k=1 s=1 pad=0 act=relu")
    lines.append("output look")
    (target / "teacher.graph").write_text("\n".join(lines) + "\n")


main()
