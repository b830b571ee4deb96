"""One peer: the same model in PyTorch and transformers, with the optimizer that transformers' Trainer takes by default.

Told a step's number on standard input, it takes the step and answers with its time and loss, as peer-attune.mjs does.
"""
import json
import os
import resource
import sys
import time

import torch
import transformers
from safetensors.torch import load_file
from transformers import BertConfig, BertForSequenceClassification

given = json.loads(sys.argv[1])
workload, shape = given["workload"], given["workload"]["model"]
torch.set_num_threads(given["threads"])
torch.manual_seed(0)
config = BertConfig(
    vocab_size=shape["vocabSize"],
    hidden_size=shape["hiddenSize"],
    num_hidden_layers=shape["numHiddenLayers"],
    num_attention_heads=shape["numAttentionHeads"],
    intermediate_size=shape["intermediateSize"],
    max_position_embeddings=shape["maxPositionEmbeddings"],
    hidden_dropout_prob=workload["dropout"],
    attention_probs_dropout_prob=workload["dropout"],
    num_labels=16,
)
model = BertForSequenceClassification(config)
missing, unexpected = model.load_state_dict(load_file(given["weights"]), strict=False)
if missing or unexpected:
    sys.exit(f"other weights than expected: {missing} {unexpected}")
training = workload["task"] == "train"
model.train(training)
decayed = [p for n, p in model.named_parameters() if not n.endswith("bias") and "LayerNorm" not in n]
others = [p for n, p in model.named_parameters() if n.endswith("bias") or "LayerNorm" in n]
groups = [{"params": decayed, "weight_decay": 0.01}, {"params": others, "weight_decay": 0.0}]
optimizer = torch.optim.AdamW(groups, lr=5e-5, fused=True) if training else None
run = torch.compile(model) if given["compile"] else model
batch, length = workload["batch"], workload["length"]


def batch_of(i):
    ids = (7919 * torch.arange(batch * length) + 104729 * i) % shape["vocabSize"]
    return {
        "input_ids": ids.view(batch, length),
        "attention_mask": torch.ones(batch, length, dtype=torch.long),
        "token_type_ids": torch.zeros(batch, length, dtype=torch.long),
        "labels": (i + torch.arange(batch)) % 16,
    }


def train_once(i):
    optimizer.zero_grad()
    loss = run(**batch_of(i)).loss
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss.item()


def infer_once(i):
    inputs = batch_of(i)
    del inputs["labels"]
    with torch.inference_mode():
        return run(**inputs).logits[0, 0].item()


answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what libraries print is no answer


def say(value):
    print(json.dumps(value), file=answers, flush=True)


say({"ready": f"PyTorch {torch.__version__}, transformers {transformers.__version__}, {torch.get_num_threads()} threads"})
for line in sys.stdin:
    if line.strip() == "end":
        say({"peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024})
        break
    begun = time.perf_counter()
    value = train_once(int(line)) if training else infer_once(int(line))
    say({"milliseconds": 1000 * (time.perf_counter() - begun), "value": value})
