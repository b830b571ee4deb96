"""Fine-tunes all-MiniLM-L6-v2 with transformers' Trainer and the hyperparameters of sections.yaml; prints the scores as JSON.

    python trainer.py SEED FOLDER

Needs torch, transformers, accelerate and scikit-learn. The rows are those of examples/debian-sections. The seed determines their order and
the initialization of the head.
"""
import gzip
import json
import sys
from pathlib import Path

import numpy as np
from sklearn.metrics import f1_score
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    Trainer,
    TrainingArguments,
    set_seed,
)

ROOT = Path(__file__).resolve().parents[2]
MODEL = Path(__file__).resolve().parent / "model"
seed, folder = int(sys.argv[1]), sys.argv[2]
set_seed(seed)


def rows(split):
    with gzip.open(ROOT / f"examples/debian-sections/{split}.jsonl.gz", "rt") as lines:
        return [json.loads(line) for line in lines]


train, test = rows("train"), rows("test")
labels = sorted({row["label"] for row in train})
tokenizer = AutoTokenizer.from_pretrained(MODEL)


def encoded(split):
    return [
        {**tokenizer(row["text"], truncation=True, max_length=96), "label": labels.index(row["label"])} for row in split
    ]


model = AutoModelForSequenceClassification.from_pretrained(
    MODEL, id2label=dict(enumerate(labels)), label2id={label: i for i, label in enumerate(labels)}
)
arguments = TrainingArguments(
    output_dir=folder, seed=seed, num_train_epochs=2, per_device_train_batch_size=32, per_device_eval_batch_size=64,
    learning_rate=2e-4, weight_decay=0.01, warmup_steps=0.1, lr_scheduler_type="linear", adam_epsilon=1e-8,
    max_grad_norm=1.0, use_cpu=True, save_strategy="no", report_to=[], disable_tqdm=True, logging_strategy="no",
)  # fmt: skip
collate = DataCollatorWithPadding(tokenizer, pad_to_multiple_of=16)
trainer = Trainer(model=model, args=arguments, train_dataset=encoded(train), data_collator=collate)
trainer.train()
predictions = np.argmax(trainer.predict(encoded(test)).predictions, -1)
truth = np.array([labels.index(row["label"]) for row in test])
print(json.dumps({"accuracy": float((predictions == truth).mean()), "f1": float(f1_score(truth, predictions, average="macro"))}))
