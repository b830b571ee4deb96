"""Weights of the adapters of peft_adapters.py merged by peft's merge_and_unload, for `attune adapter merge`.

Writes plugins/adapter-lora/golden/<plugin>/saved/merged.safetensors: all tensors of the merged model, computed in float64.
Needs torch, transformers, peft and safetensors.
"""
import torch
from model_parity import ROOT, tensors
from peft import PeftModel
from peft_adapters import CASES
from safetensors.torch import save_file

for plugin, case, cls, _task, _targets, _stabilised in CASES:
    folder = ROOT / f"plugins/adapter-lora/golden/{plugin}/saved"
    base = cls.from_pretrained(ROOT / f"plugins/model-{plugin}/golden/{case}", attn_implementation="eager", dtype=torch.float32)
    merged = PeftModel.from_pretrained(base, folder).double().merge_and_unload()
    file = folder / "merged.safetensors"
    save_file(tensors(merged.named_parameters()), file)
    file.chmod(0o644)
    print(plugin, len(list(merged.named_parameters())))
