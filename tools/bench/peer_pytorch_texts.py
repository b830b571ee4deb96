"""Fine-tunes a randomly initialized BERT on texts of different lengths in PyTorch and transformers, padded to the longest of a batch.

Prints the peak memory of the process in bytes and the number of steps as JSON.
"""
import json
import os
import resource
import sys

answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # output of libraries goes to standard error

import torch
from tokenizers import Tokenizer
from transformers import BertConfig, BertForSequenceClassification

given = json.loads(sys.argv[1])
torch.set_num_threads(given["threads"])
torch.manual_seed(0)
with open(given["train"], encoding="utf-8") as lines:
    rows = [json.loads(line) for line in lines]
labels = sorted({row["label"] for row in rows})
tokenizer = Tokenizer.from_file(given["tokenizer"])
tokenizer.enable_truncation(given["maximumLength"])
tokenizer.enable_padding(pad_id=0)
model = BertForSequenceClassification(BertConfig(**given["model"], num_labels=len(labels)))
model.train()
optimizer = torch.optim.AdamW(model.parameters(), lr=5e-5, weight_decay=0.01)
order = torch.randperm(len(rows)).tolist()
steps = 0
for start in range(0, len(order), given["batchSize"]):
    part = [rows[i] for i in order[start : start + given["batchSize"]]]
    encoded = tokenizer.encode_batch([row["text"] for row in part])
    optimizer.zero_grad()
    loss = model(
        input_ids=torch.tensor([each.ids for each in encoded]),
        attention_mask=torch.tensor([each.attention_mask for each in encoded]),
        labels=torch.tensor([labels.index(row["label"]) for row in part]),
    ).loss
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    loss.item()
    steps += 1
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({"peak": peak, "steps": steps}), file=answers, flush=True)
