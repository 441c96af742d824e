#!/usr/bin/env python3
"""Narrates a text with kokoro-onnx, as its own examples do; `compare.py --kokoro` runs it.

    python kokoros.py prepare PACKS VOICES.npz      the voices of a folder of packs, as kokoro-onnx has them
    python kokoros.py speak MODEL VOICES.npz VOICE TEXT WAV
"""
import pathlib
import sys
import wave

import numpy as np


def prepare(packs, voices):
    packs = sorted(pathlib.Path(packs).glob("*.bin"))
    np.savez(voices, **{pack.stem: np.fromfile(pack, "<f4").reshape(510, 1, 256) for pack in packs})


def speak(model, voices, voice, text, wav):
    from kokoro_onnx import Kokoro

    text = pathlib.Path(text).read_text(encoding="utf-8")
    samples, rate = Kokoro(model, voices).create(text, voice=voice, lang="en-us")
    with wave.open(wav, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


if __name__ == "__main__":
    {"prepare": prepare, "speak": speak}[sys.argv[1]](*sys.argv[2:])
