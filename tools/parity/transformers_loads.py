"""Checks that transformers loads a model that Attune wrote, without missing or unexpected weights and with the same logits.

Needs torch, transformers and safetensors, and node with the workspace built; ends with a message if the packages are missing.
"""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import torch
    from safetensors.torch import load_file
    from transformers import AutoModelForSequenceClassification
except ImportError as missing:
    sys.exit(print(f"not checked: {missing}"))

HERE = Path(__file__).resolve().parent


def tensor(array):
    return torch.tensor(array["values"]).reshape(array["shape"])


with tempfile.TemporaryDirectory() as folder:
    subprocess.run(["node", HERE / "write-tiny-bert.mjs", folder], check=True)
    example = json.loads((Path(folder) / "example.json").read_text())
    types = load_file(Path(folder) / "types.safetensors")
    model, report = AutoModelForSequenceClassification.from_pretrained(folder, output_loading_info=True)

expected = {
    "floats": torch.tensor([[1.5, -0.0], [1e-45, torch.inf]]),
    "integers": torch.tensor([-(2**31), 0, 2**31 - 1], dtype=torch.int32),
    "truths": torch.tensor([True, False, True]),
    "scalar": torch.tensor(7.0),
    "empty": torch.zeros(0, 3),
    'ünï "code"': torch.tensor([3], dtype=torch.int32),
}
assert types.keys() == expected.keys(), types.keys()
for name, tensor_read in types.items():
    assert tensor_read.dtype == expected[name].dtype and torch.equal(tensor_read, expected[name]), name

wrong = {name: found for name, found in report.items() if found}
assert not wrong, f"transformers reports problems with the file: {wrong}"
names = {"inputIds": "input_ids", "attentionMask": "attention_mask", "tokenTypeIds": "token_type_ids"}
with torch.no_grad():
    outputs = model.eval()(**{names[name]: tensor(array) for name, array in example["inputs"].items()})
furthest = (outputs.logits - tensor(example["logits"])).abs().max().item()
assert furthest < 1e-5, f"logits differ by {furthest}"
assert model.config.id2label[3] == '日本語 "quoted"', model.config.id2label
print(f"{type(model).__name__} loads the model; logits differ by at most {furthest:.1e}")
