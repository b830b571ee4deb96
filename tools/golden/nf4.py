"""Golden values for plugins/adapter-qlora: NF4 blocks of bitsandbytes, and peft's LoRA on weights that it quantized.

Writes under plugins/adapter-qlora/golden/

  nf4.safetensors               weights of several sizes, and for each: the packed bytes, the scales of the blocks, the 8-bit codes of the
                                scales with their own scales and offset (double quantization), and the dequantized weight
  <plugin>/                     as tools/golden/peft_layers.py, with the linear weights of the base rounded to NF4 by bitsandbytes

Needs torch, transformers, peft, bitsandbytes and safetensors.
"""
import bitsandbytes
import bitsandbytes.functional as F
import peft_layers
import torch
from model_parity import ROOT
from peft import LoraConfig
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification
from transformers.pytorch_utils import Conv1D

FOLDER = ROOT / "plugins/adapter-qlora/golden"
BERT = {"r": 3, "lora_alpha": 5, "target_modules": ["query", "value", "output.dense"]}
GPT2 = {"r": 4, "lora_alpha": 2, "target_modules": ["c_attn", "c_proj"]}
LLAMA = {"r": 2, "lora_alpha": 3, "target_modules": ["q_proj", "v_proj", "down_proj"]}


def options(config, targets):
    return {"rank": config["r"], "alpha": config["lora_alpha"], "targets": targets}


CASES = [
    ("bert", "classification", *peft_layers.CLASSIFIER, LoraConfig, BERT, options(BERT, BERT["target_modules"])),
    ("gpt2", "lm", *peft_layers.LM, LoraConfig, GPT2, options(GPT2, GPT2["target_modules"])),
    ("llama", "llama", *peft_layers.LM, LoraConfig, LLAMA, options(LLAMA, LLAMA["target_modules"])),
]


def plain(packed, state):
    """Dequantizes a weight. bitsandbytes' own CPU kernel uses scales of other blocks if the row length is not a multiple of 64."""
    scales = state.absmax
    if state.nested:
        scales = F.dequantize_blockwise(scales, state.state2) + state.offset
    codes = torch.stack([packed.reshape(-1) >> 4, packed.reshape(-1) & 15], 1).reshape(-1)
    values = F.get_4bit_type("nf4", device="cpu")[codes.int()][: state.shape.numel()]
    return (values * scales.repeat_interleave(64)[: values.numel()]).reshape(state.shape)


def rounded(weight):
    """A weight rounded to NF4 with double quantization, in the layout of torch.nn.Linear."""
    return plain(*F.quantize_4bit(weight.contiguous(), blocksize=64, compress_statistics=True, quant_type="nf4"))


def quantized(cls):
    class Quantized(cls):
        @classmethod
        def from_pretrained(own, *args, **kwargs):
            model = cls.from_pretrained(*args, **kwargs)
            head = model.get_output_embeddings()
            with torch.no_grad():
                for name, module in model.named_modules():
                    if module is head or name in ("classifier", "score"):
                        continue
                    if isinstance(module, torch.nn.Linear):
                        module.weight.copy_(rounded(module.weight))
                    elif isinstance(module, Conv1D):
                        module.weight.copy_(rounded(module.weight.T).T)
            return model

    return Quantized


def blocks():
    torch.manual_seed(5)
    out = {}
    weights = {
        "whole": 0.02 * torch.randn(48, 64),
        "partial": torch.randn(7, 30),
        "many": torch.randn(258, 64) * torch.rand(258, 1),
        "zeros": torch.cat([torch.zeros(2, 64), torch.randn(1, 64), torch.zeros(1, 8).repeat(1, 8)]),
        "ties": torch.tensor(bitsandbytes.functional.get_4bit_type("nf4", device="cpu")).repeat(8, 1).reshape(2, 64),
    }
    middles = weights["ties"].clone().reshape(-1, 16)
    middles[:, 1:15] = (middles[:, 1:15] + middles[:, 2:16]) / 2
    weights["ties"] = middles.reshape(2, 64)
    for name, weight in weights.items():
        packed, state = F.quantize_4bit(weight, blocksize=64, quant_type="nf4")
        nested_packed, nested = F.quantize_4bit(weight, blocksize=64, compress_statistics=True, quant_type="nf4")
        assert torch.equal(packed, nested_packed)
        out[f"{name}.weight"] = weight
        out[f"{name}.bytes"] = packed.reshape(-1).int()
        out[f"{name}.scales"] = state.absmax
        if name != "many":
            out[f"{name}.plain"] = plain(packed, state)
        out[f"{name}.nested_codes"] = nested.absmax.int()
        out[f"{name}.nested_scales"] = nested.state2.absmax
        out[f"{name}.nested_offset"] = nested.offset.reshape(1)
        out[f"{name}.nested_plain"] = plain(nested_packed, nested)
    FOLDER.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.contiguous() for name, tensor in out.items()}, FOLDER / "nf4.safetensors")
    (FOLDER / "nf4.safetensors").chmod(0o644)
    print(f"bitsandbytes {bitsandbytes.__version__}", {name: tuple(w.shape) for name, w in weights.items()})


if __name__ == "__main__":
    blocks()
    for plugin, case, cls, *rest in CASES:
        peft_layers.write("qlora", plugin, case, quantized(cls), *rest)
