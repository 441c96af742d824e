#!/usr/bin/env python3
"""Compares the times of words in `narration.jsonl` with those that a recogniser finds in the clips.

    python3 -m venv /tmp/words && /tmp/words/bin/pip install pocketsphinx==5.1.1
    /tmp/words/bin/python tests/peers/words.py [--segments 20] [TEXT]

Narrates TEXT (by default tests/peers/text.txt) with the voice that aloud takes, and aligns what was said
in each clip whose words the recogniser knows. It says how much later than there the words begin, and
how far they are from that. Exit code 1 if a word of a clip has no time, if times are out of order, or if
the starts are further than 40 ms (median) or 80 ms (nine of ten) from the constant offset.
"""
import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import wave

from pocketsphinx import Decoder

ROOT = pathlib.Path(__file__).resolve().parents[2]
MEDIAN, NINE_OF_TEN = 40, 80


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--aloud", default=os.environ.get("ALOUD", ROOT / "target/release/aloud"))
    parser.add_argument("--segments", type=int, default=20)
    parser.add_argument("text", nargs="?", type=pathlib.Path, default=ROOT / "tests/peers/text.txt")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as out:
        command = [args.aloud, "narrate", args.text.resolve(), "--out", out, "--plain"]
        command += ["--voice", "en_US-joe-medium"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        (record,) = pathlib.Path(out).glob("*/narration.jsonl")
        later = measure(record, args.segments)
    offset = statistics.median(later)
    far = sorted(abs(one - offset) for one in later)
    median, nine = statistics.median(far), far[len(far) * 9 // 10]
    print(f"{len(later)} words begin {offset:+.0f} ms from where they are heard, give or take")
    print(f"{median:.0f} ms at the median and {nine:.0f} ms for nine of ten")
    sys.exit(0 if median <= MEDIAN and nine <= NINE_OF_TEN else 1)


def measure(record, most):
    """How many milliseconds later than the recogniser's each word begins, in so many clips."""
    lines = [json.loads(line) for line in record.read_text().splitlines()]
    segments = next(line["segments"] for line in lines if line["record"] == "narration")
    clips = {line["segment_id"]: line for line in lines if line["record"] == "clip"}
    decoders, later, used = {}, [], 0
    for number, clip in sorted(clips.items()):
        check(segments[number - 1]["text"], clip)
        if used == most:
            continue
        spoken = [re.sub(r"[^a-z']", "", plain(word["word"]).lower()) for word in clip["words"]]
        rate = clip["rate"]
        if rate not in decoders:
            decoders[rate] = Decoder(lm=None, loglevel="FATAL", samprate=rate)
        heard = align(decoders[rate], record.parent / clip["clip"], spoken)
        if heard is None:
            continue
        used += 1
        times = zip(clip["words"], heard)
        later += [1000 * word["start"] / rate - start for word, start in times]
    print(f"{len(clips)} clips, {used} of them aligned")
    return later


def plain(word):
    return word.replace("\u2019", "'")


def check(text, clip):
    """Each word that is written has a time, in order, within the clip."""
    end, at = 0, 0
    for word in clip["words"]:
        raw = text.encode()[word["at"] : word["at"] + len(word["word"].encode())]
        if raw.decode() != word["word"] or not end <= word["start"] <= word["end"] <= clip["samples"]:
            sys.exit(f"{clip['clip']}: this is no time: {word}")
        between = text.encode()[at : word["at"]].decode()
        if any(c.isalnum() for c in between):
            sys.exit(f"{clip['clip']}: «{between}» has no time")
        at, end = word["at"] + len(raw), word["end"]
    rest = text.encode()[at:].decode()
    if any(c.isalnum() for c in rest):
        sys.exit(f"{clip['clip']}: «{rest}» has no time")


def align(decoder, path, words):
    """When each word begins, in milliseconds; `None` if the recogniser does not know them all."""
    if not words or any(decoder.lookup_word(word) is None for word in words):
        return None
    with wave.open(str(path)) as clip:
        samples = clip.readframes(clip.getnframes())
    decoder.set_align_text(" ".join(words))
    decoder.start_utt()
    decoder.process_raw(samples, no_search=False, full_utt=True)
    decoder.end_utt()
    heard = [part for part in decoder.seg() if part.word[0] not in "<[("]
    # A second pronunciation is called "word(2)".
    if [part.word.split("(")[0] for part in heard] != words:
        return None
    return [10 * part.start_frame for part in heard]


main()
