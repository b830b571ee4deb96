"""Golden values of tiny random XLNets, computed with transformers: see model_parity.py. Run it from any directory."""
from types import SimpleNamespace

import torch
from model_parity import LABELS, Classification, Tagging, array, write_case
from transformers import XLNetConfig, XLNetForSequenceClassification, XLNetForTokenClassification, XLNetLMHeadModel

LABELLED = {"id2label": dict(enumerate(LABELS)), "label2id": {label: i for i, label in enumerate(LABELS)}}
TINY = dict(vocab_size=61, d_model=16, n_layer=2, n_head=4, d_inner=24, dropout=0.0, summary_last_dropout=0.0, mem_len=None)


def in_double(model):
    """Relative positions are computed in float32, which does not multiply with float64 weights in two-stream attention."""
    body = model.transformer
    single = body.relative_positional_encoding
    body.relative_positional_encoding = lambda *given, **named: single(*given, **named).double()


def two_types(ids, mask):
    """Two segments per row, and XLNet's third segment id for the last token."""
    types = torch.zeros_like(ids)
    for row, places in enumerate(mask.bool()):
        real = places.nonzero().flatten()
        types[row, real[len(real) // 2 :]] = 1
        types[row, real[-1]] = 2
    return {"token_type_ids": types}, {"tokenTypeIds": array(types)}


def padded_left(ids, mask):
    """Moves the padding to the left, as XLNet's own tokenizer does."""
    ids.copy_(ids.flip(1))
    mask.copy_(mask.flip(1))
    return two_types(ids, mask)


class PermutationModelling:
    """Predicts some tokens of each row in a random order, each from those before it and all unpredicted ones; ends with a padding target."""

    objective, options = "permutation-language-modeling", {}

    def extra(self, ids, mask):
        rows, length = ids.shape
        lengths = [int(n) for n in mask.sum(1)]
        self.orders = [torch.randperm(n)[: 1 + n // 2] for n in lengths]
        hidden, mapping = torch.zeros(rows, length, length), torch.zeros(rows, 2 + max(lengths) // 2, length)
        for row, order in enumerate(self.orders):
            turn = torch.full((length,), -1)
            turn[order] = torch.arange(len(order))
            hidden[row] = ((turn[:, None] <= turn[None, :]) & (turn >= 0)[None, :]).float()
            for target, place in enumerate(order.sort().values):
                mapping[row, target, place] = 1
        self.mapping = mapping
        types, ours = two_types(ids, mask)
        ours |= {"permutationMask": array(hidden.int()), "targetMapping": array(mapping.int())}
        return {"perm_mask": hidden.double(), "target_mapping": mapping.double(), **types}, ours

    def batch(self, ids, mask):
        weights = self.mapping.sum(2)
        targets = (self.mapping @ ids.float()[:, :, None]).squeeze(2).long()
        labels = torch.where(weights > 0, targets, torch.full_like(targets, -100))
        return {"labels": labels}, {"targets": array(targets), "weights": array(weights)}

    @staticmethod
    def logits(output, _ours):
        return output.logits


def contents_of(model):
    """Hidden states and attention weights of the content stream, which precede those of the query stream in every layer."""

    def run(**inputs):
        seen = model.transformer(**inputs)
        weights = [content for content, _query in seen.attentions]
        return SimpleNamespace(
            last_hidden_state=seen.last_hidden_state, hidden_states=seen.hidden_states[::2], attentions=weights
        )

    return run


def write_permuted(case, config, lengths):
    task = PermutationModelling()
    write_case("xlnet", case, XLNetLMHeadModel, config, task, lengths, in_double, contents_of, task.extra)


config = XLNetConfig(**TINY, **LABELLED)
write_case("xlnet", "classification", XLNetForSequenceClassification, config, Classification, adjust=in_double, extra=padded_left)
write_permuted("permuted", XLNetConfig(**TINY), ((9, 4, 2), (8, 6)))
write_permuted("clamped", XLNetConfig(**dict(TINY, clamp_len=3, tie_word_embeddings=False, ff_activation="relu")), ((7, 3), (5, 6)))
write_case("xlnet", "tagging", XLNetForTokenClassification, config, Tagging, adjust=in_double, extra=two_types)
