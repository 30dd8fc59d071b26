#!/usr/bin/env python3
"""Makes a folder of pictures of which some are damaged beyond reading, for trying glimpse batch on it.

    python3 tests/apps/damaged_pictures.py GOOD_FOLDER OUT_FOLDER GOOD DAMAGED

Links the first GOOD pictures of GOOD_FOLDER (WebP or JPEG files) as NNNNN-good.* and spreads DAMAGED damaged ones among them, NNNNN-bad-KIND.*. The same
arguments give the same files. Prints how many of each kind there are.
"""
import collections
import os
import random
import struct
import sys
import zlib


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, data, before=b""):
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def small_png(rng):
    rows = b"".join(b"\0" + bytes(rng.randrange(256) for _ in range(3 * 24)) for _ in range(24))
    return png(24, 24, zlib.compress(rows))


def cut(data, rng, least=12):
    return data[:rng.randrange(least, len(data) - 200)]


def broken_crc(data, rng):
    at = rng.randrange(45, len(data) - 30)
    return data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1:]


# Kind, extension, bytes of it from a good picture's bytes and a source of random numbers.
KINDS = [
    ("empty", "jpg", lambda good, rng: b""),
    ("page", "jpg", lambda good, rng: b"<!DOCTYPE html><html><title>%d Not Found</title></html>" % rng.randrange(400, 500)),
    ("text", "png", lambda good, rng: b"only some text %d\n" % rng.randrange(1000)),
    ("zeros", "jpg", lambda good, rng: bytes(rng.randrange(1, 100_000))),
    ("noise", "webp", lambda good, rng: b"\x01" + rng.randbytes(rng.randrange(1, 50_000))),
    ("cut", "webp", lambda good, rng: cut(good, rng)),
    ("front-lost", "webp", lambda good, rng: good[rng.randrange(12, len(good) // 2):]),
    ("header-only", "webp", lambda good, rng: good[:rng.randrange(12, 30)]),
    ("stub", "jpg", lambda good, rng: b"\xff\xd8\xff\xe0" + bytes(rng.randrange(12))),
    ("cut", "png", lambda good, rng: cut(small_png(rng), rng)),
    ("crc", "png", lambda good, rng: broken_crc(small_png(rng), rng)),
    ("bomb", "png", lambda good, rng: png(60_000 + rng.randrange(1000), 60_000, zlib.compress(bytes(1000)))),
    ("no-data", "png", lambda good, rng: png(64, 64, b"")),
    ("bomb", "ppm", lambda good, rng: b"P6\n%d 60000\n255\nabcdefgh" % rng.randrange(60_000, 99_000)),
    ("bad-header", "ppm", lambda good, rng: b"P6\n-5 %d\n255\n" % rng.randrange(1, 100)),
    ("bomb", "bmp", lambda good, rng: b"BM" + struct.pack("<IHHI", 100, 0, 0, 54) +
     struct.pack("<IiiHHIIiiII", 40, 50_000 + rng.randrange(1000), 50_000, 1, 24, 0, 0, 0, 0, 0, 0)),
    ("cut", "tiff", lambda good, rng: b"II*\0" + struct.pack("<I", 8 + rng.randrange(1, 1 << 20))),
    ("pdf", "jpg", lambda good, rng: b"%PDF-1.4\n" + rng.randbytes(100)),
    ("movie", "jpg", lambda good, rng: b"\0\0\0\x20ftypisom" + rng.randbytes(1000)),
    ("gone", "jpg", None),  # a link to nothing
]


def main():
    source, target, good, damaged = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    names = sorted(os.listdir(source))[:good]
    if len(names) < good:
        sys.exit(f"{source} has only {len(names)} pictures")
    os.makedirs(target)
    rng = random.Random(4)
    # A number for each, shuffled, so that good and damaged ones come in no order.
    numbers = list(range(good + damaged))
    rng.shuffle(numbers)
    kinds = collections.Counter()
    for number, name in zip(numbers, names):
        os.symlink(os.path.abspath(os.path.join(source, name)), os.path.join(target, f"{number:05}-good{os.path.splitext(name)[1]}"))
    for i, number in enumerate(numbers[good:]):
        kind, extension, make = KINDS[i % len(KINDS)]
        kinds[f"{kind}.{extension}"] += 1
        path = os.path.join(target, f"{number:05}-bad-{kind}.{extension}")
        if make is None:
            os.symlink(os.path.join(target, "nowhere"), path)
            continue
        with open(os.path.join(source, names[rng.randrange(good)]), "rb") as file:
            content = make(file.read(), rng)
        with open(path, "wb") as file:
            file.write(content)
    print(f"{good} good, {damaged} damaged: " + ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())))


if __name__ == "__main__":
    main()
