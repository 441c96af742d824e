#!/usr/bin/env python3
"""Narrates a text with sherpa-onnx, as its own examples do; `compare.py` runs it.

    python sherpa.py prepare VOICE.onnx FOLDER     a copy of a Piper voice that sherpa-onnx accepts
    python sherpa.py speak FOLDER DATA TEXT WAV    DATA is the folder espeak-ng-data

sherpa-onnx wants a Piper voice's configuration inside the model, as its metadata, and the phonemes'
numbers in a file `tokens.txt`. It has no command line in Python that makes speech, so this is the
program that a user would write.
"""
import json
import os
import pathlib
import sys


def prepare(voice, folder):
    import onnx

    folder.mkdir(parents=True, exist_ok=True)
    config = json.loads(pathlib.Path(f"{voice}.json").read_text(encoding="utf-8"))
    tokens = (f"{phoneme} {ids[0]}\n" for phoneme, ids in config["phoneme_id_map"].items())
    (folder / "tokens.txt").write_text("".join(tokens), encoding="utf-8")
    model = onnx.load(voice)
    metadata = {
        "model_type": "vits",
        "comment": "piper",
        "language": config.get("language", {}).get("name_english", "English"),
        "voice": config["espeak"]["voice"],
        "has_espeak": 1,
        "n_speakers": config["num_speakers"],
        "sample_rate": config["audio"]["sample_rate"],
    }
    for key, value in metadata.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, str(value)
    # The name is the last thing to appear: a copy that was broken off is made anew.
    onnx.save(model, folder / "model.part")
    (folder / "model.part").rename(folder / "model.onnx")


def speak(folder, data, text, wav):
    import sherpa_onnx

    vits = sherpa_onnx.OfflineTtsVitsModelConfig(
        model=str(folder / "model.onnx"), tokens=str(folder / "tokens.txt"), data_dir=str(data)
    )
    # Its default is one thread; the others take all cores by theirs.
    model = sherpa_onnx.OfflineTtsModelConfig(vits=vits, num_threads=os.cpu_count() or 1)
    config = sherpa_onnx.OfflineTtsConfig(model=model)
    audio = sherpa_onnx.OfflineTts(config).generate(text.read_text(encoding="utf-8"))
    if not sherpa_onnx.write_wave(str(wav), audio.samples, audio.sample_rate):
        sys.exit(f"can't write {wav}")


if __name__ == "__main__":
    {"prepare": prepare, "speak": speak}[sys.argv[1]](*map(pathlib.Path, sys.argv[2:]))
