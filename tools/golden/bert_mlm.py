"""Golden values of a tiny random BERT with masked language modeling, computed with transformers and torch.

Needs torch, transformers and safetensors. Writes to tools/parity/golden

  tiny-bert-mlm/config.json, model.safetensors   by save_pretrained
  bert-mlm.json                                  a batch, the logits at the masked positions and the loss
  bert-mlm-gradients.safetensors                 gradients of the mean loss

The weights are float32; everything is computed from them in float64.
"""
import copy
import json
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file
from transformers import BertConfig, BertForMaskedLM

GOLDEN = Path(__file__).resolve().parents[2] / "tools/parity/golden"
HIDDEN = [[3, 5, 9], [1, 2], [11], [4, 7, 8]]
LENGTHS, PADDED, VOCABULARY = [12, 5, 16, 10], 16, 90

torch.manual_seed(5)
model = BertForMaskedLM(
    BertConfig(
        vocab_size=VOCABULARY,
        hidden_size=24,
        num_hidden_layers=2,
        num_attention_heads=3,
        intermediate_size=40,
        max_position_embeddings=32,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        attn_implementation="eager",
    )
)
with torch.no_grad():
    for name, parameter in model.named_parameters():
        centre = 1.0 if name.endswith("LayerNorm.weight") else 0.0
        parameter.copy_(centre + (0.7 if "embeddings" in name else 0.3) * torch.randn_like(parameter))
model.save_pretrained(GOLDEN / "tiny-bert-mlm")

ids = torch.zeros(4, PADDED, dtype=torch.long)
mask = torch.zeros_like(ids)
for row, length in enumerate(LENGTHS):
    ids[row, :length] = torch.randint(1, VOCABULARY, (length,))
    mask[row, :length] = 1
labels = torch.full_like(ids, -100)
for row, places in enumerate(HIDDEN):
    for place in places:
        labels[row, place] = ids[row, place]
        ids[row, place] = 4

double = copy.deepcopy(model).double().eval()
output = double(input_ids=ids, attention_mask=mask, labels=labels)
output.loss.backward()
gradients = {name: p.grad.float().contiguous() for name, p in double.named_parameters() if p.grad is not None}
save_file(gradients, GOLDEN / "bert-mlm-gradients.safetensors")


def pseudo_log_likelihood(row):
    """Log-probability of each token but the first and the last, masked in turn."""
    scores = []
    for at in range(1, len(row) - 1):
        hidden = torch.tensor([row])
        hidden[0, at] = 4
        scores.append(double(input_ids=hidden).logits[0, at].log_softmax(0)[row[at]].item())
    return scores


TEXTS = [[2, 17, 44, 9, 23, 61, 3], [2, 50, 3], [2, *range(10, 40, 2), 3]]
golden = {
    "pseudoLogLikelihoods": [{"ids": row, "scores": pseudo_log_likelihood(row)} for row in TEXTS],
    "source": f"transformers {transformers.__version__} on torch {torch.__version__}, float64",
    "ids": ids.tolist(),
    "lengths": LENGTHS,
    "places": HIDDEN,
    "targets": [[int(labels[row, place]) for place in places] for row, places in enumerate(HIDDEN)],
    "logits": [
        [[round(x, 7) for x in output.logits[row, place].tolist()] for place in places] for row, places in enumerate(HIDDEN)
    ],
    "loss": float(output.loss),
}
(GOLDEN / "bert-mlm.json").write_text(json.dumps(golden))
