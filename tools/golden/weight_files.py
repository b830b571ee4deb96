"""A safetensors file with every data type that Attune reads, the values that torch reads, and torch's rounding of float32 to
float16.

Needs torch, safetensors and transformers. Writes packages/weights/golden/types.safetensors, types.json,
rounding.safetensors, and bert-config.json, the complete config.json of a BERT checkpoint.
"""
import json
import math
from pathlib import Path

import safetensors
import torch
from safetensors.torch import save_file
from transformers import BertConfig

FOLDER = Path(__file__).resolve().parents[2] / "packages/weights/golden"
FOLDER.mkdir(parents=True, exist_ok=True)
torch.manual_seed(2)

floats = torch.cat(
    [
        torch.tensor([0.0, -0.0, 1.0, -2.5, 65504.0, 6.1e-5, 5.96e-8, -3e-7, math.inf, -math.inf, math.nan, 1 / 3]),
        torch.randn(36),
    ]
).reshape(2, 24)
tensors = {
    "half": floats.half(),
    "brain": floats.bfloat16(),
    "single": floats,
    "long": torch.tensor([0, -1, 2**31 - 1, -(2**31)]),
    "int": torch.tensor([[0, -1], [2**31 - 1, -(2**31)]], dtype=torch.int32),
    "double": torch.tensor([0.1, -1 / 3, 1e-300, 3.4e38, math.inf, math.nan], dtype=torch.float64),
    "short": torch.tensor([0, -1, 32767, -32768], dtype=torch.int16),
    "signed": torch.tensor([[0], [-1], [127], [-128]], dtype=torch.int8),
    "byte": torch.tensor([0, 1, 127, 128, 255], dtype=torch.uint8),
    "truth": torch.tensor([True, False, True]),
    "scalar": torch.tensor(7.5),
    "empty": torch.zeros(0, 3),
    "every half": torch.arange(0, 65536, 17, dtype=torch.int32).to(torch.uint16).view(torch.float16),
    "every brain": torch.arange(0, 65536, 17, dtype=torch.int32).to(torch.uint16).view(torch.bfloat16),
}
save_file(tensors, FOLDER / "types.safetensors", metadata={"format": "pt", "note": "ünïcode"})
(FOLDER / "types.safetensors").chmod(0o644)

# Random bits; then values of every float16 magnitude, and the midpoints between float16 values, which round to even.
some = torch.randint(-(2**31), 2**31, (4000,), dtype=torch.int64).to(torch.int32).view(torch.float32)
sized = torch.randn(4000) * 2.0 ** torch.randint(-28, 18, (4000,)).float()
halves = torch.arange(0, 31744, 9, dtype=torch.int32).to(torch.uint16).view(torch.float16).float()
middles = (halves + torch.nextafter(halves.half(), torch.tensor(65504.0).half()).float()) / 2
single = torch.cat([some[~some.isnan()], sized, middles, -middles, torch.tensor([65504.0, 65519.996, 65520.0, 1e-45, -0.0])])
save_file({"single": single, "half": single.half()}, FOLDER / "rounding.safetensors")
(FOLDER / "rounding.safetensors").chmod(0o644)


def values(tensor):
    # As float32, in which Attune stores floating-point values.
    numbers = tensor.flatten().float().double().tolist() if tensor.is_floating_point() else tensor.flatten().int().tolist()
    return [x if math.isfinite(x) else str(x) for x in numbers]


expected = {name: {"shape": list(t.shape), "values": values(t)} for name, t in tensors.items()}
(FOLDER / "types.json").write_text(json.dumps({"source": f"safetensors {safetensors.__version__}", "tensors": expected}))
(FOLDER / "bert-config.json").write_text(json.dumps(BertConfig().to_dict()))
