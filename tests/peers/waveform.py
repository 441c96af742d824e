#!/usr/bin/env python3
"""Makes tests/fixtures/hibari.bin: what the model of a hibari voice says of a few frames, and what its own
package makes of them, without noise and with 1 + i in the place of each random number.

    python3 -m venv /tmp/hibari && /tmp/hibari/bin/pip install hibari-tts==0.2.1
    /tmp/hibari/bin/python tests/peers/waveform.py

The file is little-endian: the number of frames (u32); the model's lh, theta, ln, lr and phi, [601, frames]
each, in steps of 1/1024, and f0 in steps of 1/64 (i16); the pulses, the sound without noise and the sound
with it, 300 samples a frame (f32). The package is used from outside; what it makes is compared with a second
calculation, in 64 bits, and nothing is written if they differ.
"""

import pathlib
import struct
import sys

import numpy as np
import onnxruntime

# This file has the package's name.
sys.path.pop(0)
from hibari import Hibari, dsp  # noqa: E402
from hibari.tts import ASSETS  # noqa: E402

OUT = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "hibari.bin"
PHONEMES = "ðə kwˈɪk bɹˈWn fˈɑks."
# Silence, a consonant, and the beginning of a vowel.
FRAMES = slice(30, 44)
SIZE, HOP, RATE = 1200, 300, 24_000


class Noise:
    """In the place of a generator: always the same."""

    def __init__(self, value):
        self.value = value

    def standard_normal(self, size=None, dtype=np.float64):
        return np.full(size, self.value, dtype)


def pulses(pitch):
    frames = len(pitch)
    sample = np.arange(frames * HOP)
    place = np.clip(sample // HOP + (sample % HOP + 0.5) / HOP - 0.5, 0, frames - 1)
    pitch = np.interp(place, np.arange(frames), pitch.astype(np.float64))
    voiced = np.maximum(pitch, 40)
    turns = np.cumsum(voiced / RATE) % 1
    harmonics = np.floor(11_000 / voiced)
    below = 2 * np.sin(np.pi * turns)
    close = np.abs(below) <= 2e-3
    total = np.sin((harmonics + 0.5) * 2 * np.pi * turns) / np.where(close, 1, below) - 0.5
    return np.where(pitch <= 40, 0, np.where(close, harmonics, total))


def sound(lh, theta, ln, lr, phi, pitch, noise):
    frames = len(pitch)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(SIZE) / SIZE)
    padded = np.pad(pulses(pitch), SIZE // 2, mode="reflect")
    starts = range(0, frames * HOP, HOP)
    spectra = np.stack([np.fft.rfft(padded[at : at + SIZE] * window / HOP) for at in starts], 1)
    spectra = np.exp(np.minimum(lh, 7)) * np.exp(1j * np.pi * np.tanh(theta)) * spectra
    spectra = spectra + np.exp(np.minimum(ln, 7)) * noise + np.exp(np.minimum(lr, 7)) * np.exp(1j * phi)
    total, weight = np.zeros((2, frames * HOP + SIZE))
    for frame, at in enumerate(starts):
        total[at : at + SIZE] += np.fft.irfft(spectra[:, frame], SIZE) * window
        weight[at : at + SIZE] += window**2
    inside = slice(SIZE // 2, SIZE // 2 + frames * HOP)
    return total[inside] / weight[inside]


def main():
    voice = Hibari()
    session = onnxruntime.InferenceSession(str(pathlib.Path(ASSETS) / "hibari.onnx"))
    ids = np.array([voice.ids(PHONEMES)], np.int64).reshape(1, -1)
    if ids[0, 0] != 0:
        ids = np.pad(ids, ((0, 0), (1, 1)))
    said = session.run(["lh", "theta", "ln", "lr", "phi", "f0"], {"ids": ids, "speed": np.ones(1, np.float32)})
    steps = [1024] * 5 + [64]
    said = [np.round(value[0][..., FRAMES] * step).astype("<i2") for value, step in zip(said, steps)]
    given = [(value / step).astype(np.float32) for value, step in zip(said, steps)]
    made = [dsp.pulses(given[-1])] + [dsp.synth(*given, Noise(value)) for value in (0, 1)]
    again = [pulses(given[-1])] + [sound(*given, value * (1 + 1j)) for value in (0, 1)]
    for one, other in zip(made, again):
        apart = np.abs(one - other).max() / np.abs(other).max()
        print(f"at most {np.abs(other).max():.4f}, apart {apart:.1e}")
        if apart > 1e-3:
            sys.exit("the two calculations differ")
    parts = [struct.pack("<I", len(given[-1]))] + [value.tobytes() for value in said]
    OUT.write_bytes(b"".join(parts + [value.astype("<f4").tobytes() for value in made]))
    print(f"{OUT}: {OUT.stat().st_size} bytes, pitch {given[-1]}")


if __name__ == "__main__":
    main()
