"""Loads models that Attune saved with transformers and compares logits. Called by write-table.mjs and saved.test.mjs.

    python verify_saved.py FOLDER      where FOLDER has one folder per case, with the model and example.json

example.json has inputs and logits and, to test the tokenizer, `texts` and their `ids`. Prints a JSON object: for each case the maximum
difference of the logits or the complaint of transformers, and the first text that AutoTokenizer tokenizes differently.
"""
import inspect
import json
import sys
from pathlib import Path

import torch
import transformers

NAMES = {
    "inputIds": "input_ids",
    "attentionMask": "attention_mask",
    "tokenTypeIds": "token_type_ids",
    "decoderInputIds": "decoder_input_ids",
    "decoderAttentionMask": "decoder_attention_mask",
    "permutationMask": "perm_mask",
    "targetMapping": "target_mapping",
}


def tensor(array):
    kind = torch.float32 if array["dtype"] == "float32" else torch.long
    return torch.tensor(array["values"], dtype=kind).reshape(array["shape"])


def check_texts(folder, example):
    """The first text with different ids, with both encodings."""
    if "texts" not in example:
        return {}
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    for text, ids in zip(example["texts"], example["ids"], strict=True):
        found = tokenizer(text)["input_ids"]
        if found != ids:
            return {"text": text, "found": found, "expected": ids, "class": type(tokenizer).__name__}
    return {}


def logits_of(output):
    """The logits that the objective predicts from; those of starts and ends are the last axis."""
    if "start_logits" in output:
        return torch.stack([output.start_logits, output.end_logits], -1)
    return output.sop_logits if "sop_logits" in output else output.logits


def check(folder):
    config = json.loads((folder / "config.json").read_text())
    example = json.loads((folder / "example.json").read_text())
    cls = getattr(transformers, config["architectures"][0], None)
    if cls is None:
        return {"absent": True}
    model, report = cls.from_pretrained(folder, output_loading_info=True, attn_implementation="eager")
    # The objective of the sentence order trains only one of the two heads of this class.
    absent = {name for name in report["missing_keys"] if not name.startswith("predictions.") or "ForPreTraining" not in cls.__name__}
    report = {**report, "missing_keys": absent}
    wrong = {name: sorted(map(str, found)) for name, found in report.items() if found}
    if wrong:
        return {"complaint": json.dumps(wrong)}
    parameters = inspect.signature(cls.forward).parameters
    inputs = {NAMES[k]: tensor(v) for k, v in example["inputs"].items() if k in NAMES and NAMES[k] in parameters}
    # All-zero type ids are equivalent to none, except that GPT-2 adds an embedding for them.
    if "token_type_ids" in inputs and not inputs["token_type_ids"].any():
        del inputs["token_type_ids"]
    # transformers multiplies the hidden states by it.
    if "target_mapping" in inputs:
        inputs["target_mapping"] = inputs["target_mapping"].float()
    expected = tensor(example["logits"])
    if cls.__name__.endswith("ForMultipleChoice"):
        inputs = {name: each.reshape(*expected.shape, -1) for name, each in inputs.items()}
    with torch.no_grad():
        logits = logits_of(model.eval()(**inputs))
    if "positions" in example:
        positions = tensor(example["positions"])
        logits = logits.gather(1, positions.unsqueeze(2).expand(-1, -1, logits.shape[-1]))
    difference = (logits - expected).abs().max().item()
    return {"difference": difference, **check_texts(folder, example)}


print(json.dumps({folder.name: check(folder) for folder in sorted(Path(sys.argv[1]).iterdir())}))
