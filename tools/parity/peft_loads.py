"""Loads a saved adapter on its golden case with peft and prints the logits of the case's batches.

Usage: peft_loads.py ADAPTER CASE. Needs torch, transformers and peft.
"""
import json
import sys
import warnings
from pathlib import Path

import torch
from peft import PeftModel, PeftModelForCausalLM, PeftModelForSequenceClassification
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

adapter, case = map(Path, sys.argv[1:])
golden = json.loads((case / "golden.json").read_text())
cls = AutoModelForSequenceClassification if "classification" in golden["objective"] else AutoModelForCausalLM

is_prompt = "num_virtual_tokens" in json.loads((adapter / "adapter_config.json").read_text())
prompts = PeftModelForSequenceClassification if cls is AutoModelForSequenceClassification else PeftModelForCausalLM
peft_class = prompts if is_prompt else PeftModel


def given(tree):
    return torch.tensor(tree["values"], dtype=torch.long).reshape(tree["shape"])


with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    base = cls.from_pretrained(case, attn_implementation="eager", dtype=torch.float32)
    model = peft_class.from_pretrained(base, adapter).eval()
complaints = [str(w.message) for w in caught if "adapter" in str(w.message).lower()]
# peft holds DoRA's magnitudes as the weight of a module, and saves them without that suffix.
held = {key.replace("vector.default.weight", "vector"): value for key, value in model.state_dict().items()}
for name, tensor in load_file(adapter / "adapter_model.safetensors").items():
    name = "prompt_encoder.embedding.weight" if name == "prompt_embeddings" else name
    keys = [key for key in held if key.replace(".modules_to_save.default", "").replace(".default", "") == name]
    if not any(torch.equal(held[key].float(), tensor.float()) for key in keys):
        complaints.append(f"{name} was not loaded")
logits = []
with torch.no_grad():
    for example in golden["examples"]:
        inputs = example["batch"]["inputs"]
        outputs = model.double()(input_ids=given(inputs["inputIds"]), attention_mask=given(inputs["attentionMask"]))
        logits.append({"shape": list(outputs.logits.shape), "values": outputs.logits.flatten().tolist()})
print(json.dumps({"logits": logits, "complaints": complaints}))
