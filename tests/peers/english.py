#!/usr/bin/env python3
"""Compares the phonemes that `aloud` reads English as with those of hibari-tts, sentence by sentence.

    python3 -m venv target/peers/hibari && target/peers/hibari/bin/pip install hibari-tts==0.2.1
    target/peers/hibari/bin/python tests/peers/english.py [--british] [--least 0.97] [FILE ...]

The sentences are those of `english.txt`, one a line, and those of other files that are named. The package
runs as it is published, one line at a time; ours runs as a test of the library, which reads the lines from
a file, with the lists of the same package. The package is given them without double quotes, unless
`--quotes` is given: behind one it takes no word for a word of its lists, reads "The" by its letters, and
drops the mark. So the marks are not compared either. Exit code 1 if fewer sentences are the same than
`--least`.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import hibari
import hibari.g2p
import onnxruntime

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEST = "speech::english::tests::lines_are_read_for_comparison"


def theirs(lines, british, quotes):
    read = hibari.g2p.G2P(british=british)
    return [read(line if quotes else re.sub('["“”]', "", line)) for line in lines]


def ours(lines, british, release):
    package = pathlib.Path(hibari.__file__).parent
    runtime = next(pathlib.Path(onnxruntime.__file__).parent.glob("capi/libonnxruntime.so.*"))
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "lines.txt")
        file.write_text("\n".join(lines) + "\n", "utf-8")
        env = os.environ | {
            "ALOUD_HIBARI": str(package / "assets"),
            "ALOUD_ONNXRUNTIME": str(runtime),
            "ALOUD_ENGLISH_LINES": str(file),
            "ALOUD_ENGLISH_DIALECT": "british" if british else "american",
        }
        command = ["cargo", "test", "--quiet", "--lib", *(["--release"] if release else [])]
        command += ["--", "--exact", "--nocapture", TEST]
        subprocess.run(command, cwd=ROOT, env=env, check=True, stdout=subprocess.DEVNULL)
        out = file.with_suffix(".out").read_text("utf-8").splitlines()
    return [line.split("\t")[0] for line in out]


def compared(phonemes):
    plain = re.sub('["“”]', "", phonemes)
    return re.sub(r"\s+", " ", plain).strip()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    parser.add_argument("--quotes", action="store_true", help="leave double quotes in for the package")
    parser.add_argument("--british", action="store_true")
    parser.add_argument("--release", action="store_true", help="build ours with optimisations")
    parser.add_argument("--least", type=float, default=0.97)
    args = parser.parse_args()
    files = args.files or [pathlib.Path(__file__).with_suffix(".txt")]
    lines = [line.strip() for file in files for line in file.read_text("utf-8").splitlines()]
    lines = [line for line in lines if line]
    same = 0
    their_all = theirs(lines, args.british, args.quotes)
    our_all = ours(lines, args.british, args.release)
    both = zip(lines, their_all, our_all, strict=True)
    for line, their, our in both:
        if compared(their) == compared(our):
            same += 1
        else:
            print(f"{line}\n  theirs {compared(their)}\n  ours   {compared(our)}")
    share = same / len(lines)
    print(f"{same} of {len(lines)} sentences are the same: {share:.1%}")
    return 0 if share >= args.least else 1


if __name__ == "__main__":
    sys.exit(main())
