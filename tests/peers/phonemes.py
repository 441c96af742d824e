#!/usr/bin/env python3
"""Compares `aloud phonemes` with piper-tts on the same texts, segment by segment.

    python3 -m venv /tmp/piper && /tmp/piper/bin/pip install piper-tts==1.8.0
    /tmp/piper/bin/python tests/peers/phonemes.py [--at-least 98] [TEXT ...]

Without TEXT it takes everything in `samples/`. Compared is what is said: aloud reads numbers,
abbreviations and the like before eSpeak does. piper-tts brings its own eSpeak NG; its front end
gives each segment's phonemes, and its own table look-up their ids. Where piper cuts a segment into
several sentences, their phonemes are joined by a space, for aloud speaks a segment in one go. The
glide U+02B2, which piper's newer eSpeak writes and the voice's training did not have, is left out.
Exit code 1 if fewer segments than asked for are identical.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys

from piper import espeakbridge  # noqa: F401  (fails early, with a clear name, without piper-tts)
from piper.phoneme_ids import phonemes_to_ids
from piper.phonemize_espeak import EspeakPhonemizer

ROOT = pathlib.Path(__file__).resolve().parents[2]
GLIDE = "\u02b2"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--at-least", type=float, default=98.0, metavar="PERCENT")
    parser.add_argument("--aloud", default=os.environ.get("ALOUD", ROOT / "target/release/aloud"))
    parser.add_argument("--voice-config", help="the .onnx.json; by default the one that aloud uses")
    parser.add_argument("texts", nargs="*", type=pathlib.Path)
    args = parser.parse_args()
    texts = args.texts or sorted(path for path in (ROOT / "samples").iterdir() if path.is_file())

    config = json.loads(pathlib.Path(args.voice_config or default_config(args.aloud)).read_text())
    id_map, voice = config["phoneme_id_map"], config["espeak"]["voice"]
    phonemizer = EspeakPhonemizer()

    same = total = 0
    for text in texts:
        listing = subprocess.run(
            [args.aloud, "phonemes", "--voice", "en_US-joe-medium", "--json", text], check=True, stdout=subprocess.PIPE, text=True
        )
        for line in listing.stdout.splitlines():
            segment = json.loads(line)
            sentences = phonemizer.phonemize(voice, segment["spoken"])
            spoken = ["".join(sentence).strip() for sentence in sentences]
            phonemes = [p for p in " ".join(s for s in spoken if s) if p != GLIDE]
            expected = phonemes_to_ids(phonemes, id_map)
            total += 1
            if segment["ids"] == expected:
                same += 1
                continue
            print(f"{text.name}, segment {segment['segment']}: {segment['spoken']}")
            print(f"  aloud {segment['phonemes']}")
            print(f"  piper {''.join(phonemes)}")
    share = 100 * same / total if total else 0
    print(f"{same} of {total} segments identical: {share:.1f} %")
    sys.exit(share < args.at_least)


def default_config(aloud):
    voices = json.loads(subprocess.check_output([aloud, "voices", "--json"]))
    model = next(voice["path"] for voice in voices if voice["name"] == "en_US-joe-medium")
    return model + ".json"


if __name__ == "__main__":
    main()
