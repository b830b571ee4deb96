"""Log-likelihoods of token sequences by tiny random language models, computed with transformers and torch in float64.

Needs torch and transformers. Reads the models of plugins/model-{gpt2,t5,bert}/golden; writes tools/parity/golden/text-scores.json. Long
sequences of the causal model are scored in windows by the loop of "Perplexity of fixed-length models" in the documentation of
transformers, with the sum of the losses instead of the mean of a window times the approximate number of its tokens.
"""
import json
from pathlib import Path

import torch
import transformers
from transformers import BertForMaskedLM, GPT2LMHeadModel, T5ForConditionalGeneration

ROOT = Path(__file__).resolve().parents[2]
torch.manual_seed(11)


def load(cls, folder):
    return cls.from_pretrained(ROOT / "plugins" / folder, attn_implementation="eager").double().eval()


def sequences(lengths):
    return [torch.randint(3, 61, (length,)).tolist() for length in lengths]


def causal(model, ids, stride):
    max_length, seq_len, previous, scores = model.config.n_positions, len(ids), 0, []
    for begin in range(0, seq_len, stride):
        end = min(begin + max_length, seq_len)
        input_ids = torch.tensor([ids[begin:end]])
        target_ids = input_ids.clone()
        target_ids[:, : -(end - previous)] = -100
        logs = model(input_ids).logits[:, :-1].log_softmax(-1)
        kept = target_ids[:, 1:]
        picked = logs.gather(-1, kept.clamp(min=0).unsqueeze(-1)).squeeze(-1)[kept != -100]
        if len(picked):
            loss = model(input_ids, labels=target_ids).loss.item()
            assert abs(loss + picked.mean().item()) < 1e-5  # the loss is computed in float32
        scores += picked.tolist()
        previous = end
        if end == seq_len:
            break
    return {"ids": ids, "stride": stride, "scores": scores}


def seq2seq(model, source, target):
    logs = model(input_ids=torch.tensor([source]), labels=torch.tensor([target])).logits.log_softmax(-1)
    return {"ids": source, "target": target, "scores": [logs[0, i, t].item() for i, t in enumerate(target)]}


def masked(model, ids, limit, stride, cls=3, sep=4, mask=1):
    """Windows of `limit` tokens with [CLS] and [SEP]; each token is masked in the first window that contains it."""
    room, scores, done = limit - 2, [], 0
    for begin in range(0, len(ids), stride):
        part = ids[begin : begin + room]
        for at in range(done - begin, len(part)):
            row = torch.tensor([[cls, *part[:at], mask, *part[at + 1 :], sep]])
            scores.append(model(row).logits[0, at + 1].log_softmax(0)[part[at]].item())
        done = begin + len(part)
        if done == len(ids):
            break
    return {"ids": ids, "stride": stride, "limit": limit, "scores": scores}


with torch.no_grad():
    gpt2, t5, bert = load(GPT2LMHeadModel, "model-gpt2/golden/lm"), load(T5ForConditionalGeneration, "model-t5/golden/t5"), load(BertForMaskedLM, "model-bert/golden/masked")
    golden = {
        "source": f"transformers {transformers.__version__} on torch {torch.__version__}, float64",
        "causal": [causal(gpt2, ids, stride) for stride in (8, 16, 31) for ids in sequences((1, 5, 32, 33, 75))],
        "seq2seq": [seq2seq(t5, *sequences((a, b))) for a, b in ((3, 9), (14, 1), (8, 8))],
        "masked": [masked(bert, ids, 12, stride) for stride in (3, 10) for ids in sequences((1, 6, 10, 11, 27))],
    }
(ROOT / "tools/parity/golden/text-scores.json").write_text(json.dumps(golden) + "\n")
