"""One peer: the same model in PyTorch and transformers, with the default optimizer of transformers' Trainer; LoRA with peft.

For each step number on standard input, it runs the step and prints its time and loss, with the protocol of peer-attune.mjs.
"""
import json
import os
import resource
import sys
import time

import torch
import transformers
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSequenceClassification

CLASSES = 16
given = json.loads(sys.argv[1])
workload = given["workload"]
batch, length, vocabulary = workload["batch"], workload["length"], workload["model"]["vocab_size"]
torch.set_num_threads(given["threads"])
device = torch.device(given["device"])
torch.manual_seed(0)

# By objective: the class with its head, its configuration options, and the batch fields other than the token ids.
OBJECTIVES = {
    "sequence-classification": (
        AutoModelForSequenceClassification,
        {"num_labels": CLASSES},
        lambda i, ids: {"token_type_ids": torch.zeros_like(ids), "labels": (i + torch.arange(batch)) % CLASSES},
    ),
    "causal-language-modeling": (AutoModelForCausalLM, {"use_cache": False}, lambda i, ids: {"labels": ids}),
}
cls, options, asked = OBJECTIVES[workload["objective"]]


def load():
    shape = {name: value for name, value in workload["model"].items() if name not in ("plugin", "model_type")}
    model = cls.from_config(AutoConfig.for_model(workload["model"]["model_type"], **shape, **options))
    saved = load_file(given["weights"])
    plain = {name: tensor for name, tensor in saved.items() if ".lora_" not in name}
    missing, unexpected = model.load_state_dict(plain, strict=False)
    if [name for name in missing if name != "lm_head.weight"] or unexpected:
        sys.exit(f"weights do not match the model: {missing} {unexpected}")
    model.tie_weights()
    return with_lora(model, {name: tensor for name, tensor in saved.items() if ".lora_" in name}) if "lora" in workload else model


def with_lora(model, factors):
    from peft import LoraConfig, get_peft_model

    lora = workload["lora"]
    adapted = get_peft_model(
        model,
        LoraConfig(
            r=lora["rank"],
            lora_alpha=lora["alpha"],
            target_modules=lora["targets"],
            lora_dropout=0.0,
            fan_in_fan_out=workload["model"]["model_type"] == "gpt2",
            task_type="CAUSAL_LM" if workload["objective"] == "causal-language-modeling" else "SEQ_CLS",
        ),
    )
    named = {f"base_model.model.{name.removesuffix('.weight')}.default.weight": tensor for name, tensor in factors.items()}
    # A classifier trains in full, as `modules_to_save`, in both libraries.
    trained = {name for name, p in adapted.named_parameters() if p.requires_grad and "modules_to_save" not in name}
    if trained != named.keys():
        sys.exit(f"LoRA factors do not match the model: {trained ^ named.keys()}")
    adapted.load_state_dict(named, strict=False)
    return adapted


model = load().to(device)
training = workload["task"] == "train"
model.train(training)
trained = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
decayed = [p for name, p in trained if not name.endswith("bias") and "LayerNorm" not in name]
others = [p for name, p in trained if name.endswith("bias") or "LayerNorm" in name]
groups = [{"params": decayed, "weight_decay": 0.01}, {"params": others, "weight_decay": 0.0}]
optimizer = torch.optim.AdamW(groups, lr=workload["learningRate"], fused=True) if training else None
run = torch.compile(model) if given["compile"] else model


def batch_of(i):
    ids = (1 + (7919 * torch.arange(batch * length) + 104729 * i) % (vocabulary - 1)).view(batch, length)
    made = {"input_ids": ids, "attention_mask": torch.ones(batch, length, dtype=torch.long), **asked(i, ids)}
    return {name: tensor.to(device) for name, tensor in made.items()}


def train_once(i):
    optimizer.zero_grad()
    loss = run(**batch_of(i)).loss
    loss.backward()
    torch.nn.utils.clip_grad_norm_([p for _, p in trained], 1.0)
    optimizer.step()
    return loss.item()


def infer_once(i):
    inputs = batch_of(i)
    del inputs["labels"]
    with torch.inference_mode():
        return run(**inputs).logits[0, 0].item()


answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # output of libraries goes to standard error


def say(value):
    print(json.dumps(value), file=answers, flush=True)


libraries = f"PyTorch {torch.__version__}, transformers {transformers.__version__}"
if "peft" in sys.modules:
    libraries += f", peft {sys.modules['peft'].__version__}"
hardware = torch.cuda.get_device_name(device) if device.type == "cuda" else f"{torch.get_num_threads()} threads"
say({"ready": f"{libraries}, {hardware}"})
for line in sys.stdin:
    if line.strip() == "end":
        say({"peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024})
        break
    begun = time.perf_counter()
    value = train_once(int(line)) if training else infer_once(int(line))
    say({"milliseconds": 1000 * (time.perf_counter() - begun), "value": value})
