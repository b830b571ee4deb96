"""
Golden values of tiny random encoders with heads for questions, choices and pairs of sentences, computed with transformers: see
model_parity.py. Run it from any directory.
"""
from types import SimpleNamespace

import torch
import transformers
from model_parity import array, write_case
from torch.nn import functional as F
from transformers import (
    AlbertConfig,
    AlbertForQuestionAnswering,
    BertConfig,
    BertForNextSentencePrediction,
    BertForQuestionAnswering,
    DistilBertConfig,
    DistilBertForQuestionAnswering,
    ElectraConfig,
    ElectraForQuestionAnswering,
    RobertaConfig,
    RobertaForQuestionAnswering,
)

DRY = dict(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
TINY = dict(
    vocab_size=61, hidden_size=16, intermediate_size=24, num_hidden_layers=1, num_attention_heads=4, type_vocab_size=2, **DRY
)  # fmt: skip


class Spans:
    """transformers includes padding in the softmax, Attune does not: the rows have no padding."""

    objective, options = "span-extraction", {}

    @staticmethod
    def batch(ids, mask):
        starts, ends = torch.randint(0, ids.shape[1], (2, ids.shape[0]))
        ours = {"starts": array(starts), "ends": array(ends), "examples": array(torch.arange(ids.shape[0]))}
        return {"start_positions": starts, "end_positions": ends}, ours

    @staticmethod
    def logits(output, _theirs):
        return torch.stack([output.start_logits, output.end_logits], -1)


class Choices:
    """Two choices for each question, in consecutive rows."""

    objective, options = "multiple-choice", {}

    @staticmethod
    def batch(ids, mask):
        questions = ids.shape[0] // 2
        labels = torch.randint(0, 2, (questions,))
        return {"labels": labels}, {"labels": array(labels), "examples": array(torch.arange(questions).repeat_interleave(2))}

    @staticmethod
    def logits(output, _theirs):
        return output.logits


def in_pairs(cls):
    """The class with inputs `[2 · questions, length]` instead of `[questions, 2, length]`."""

    def forward(self, input_ids, attention_mask, labels):
        shape = (len(labels), 2, input_ids.shape[1])
        return cls.forward(self, input_ids=input_ids.view(shape), attention_mask=attention_mask.view(shape), labels=labels)

    return type(cls.__name__, (cls,), {"forward": forward})


class Sentences:
    """Two labels of the pair of sentences; the golden batches have one token type."""

    options = {}

    def __init__(self, objective):
        self.objective = objective

    @staticmethod
    def batch(ids, mask):
        labels = torch.randint(0, 2, (ids.shape[0],))
        return {"labels": labels}, {"labels": array(labels)}

    @staticmethod
    def logits(output, _theirs):
        return output.logits


class AlbertForPreTraining(transformers.AlbertForPreTraining):
    """Only the head of the sentence order, and its loss."""

    _tied_weights_keys = {}

    def __init__(self, config):
        super().__init__(config)
        self.predictions = torch.nn.Identity()

    def forward(self, input_ids, attention_mask, labels):
        logits = self.sop_classifier(self.albert(input_ids, attention_mask=attention_mask).pooler_output)
        return SimpleNamespace(logits=logits, loss=F.cross_entropy(logits, labels))


EQUAL = dict(lengths=((9, 9, 9), (8, 8)), padding=0)
EVEN = dict(lengths=((9, 4, 2, 7), (8, 6)))
bert = dict(TINY, max_position_embeddings=32)
roberta = dict(TINY, max_position_embeddings=34, pad_token_id=1, layer_norm_eps=1e-5)
albert = dict(TINY, max_position_embeddings=32, embedding_size=8, classifier_dropout_prob=0.0)
distil = dict(
    vocab_size=61, dim=16, hidden_dim=24, n_layers=1, n_heads=4, max_position_embeddings=32, dropout=0.0, attention_dropout=0.0,
    seq_classif_dropout=0.0, qa_dropout=0.0,
)  # fmt: skip

write_case("bert", "spans", BertForQuestionAnswering, BertConfig(**bert), Spans, **EQUAL)
write_case("roberta", "spans", RobertaForQuestionAnswering, RobertaConfig(**roberta), Spans, **EQUAL)
write_case("albert", "spans", AlbertForQuestionAnswering, AlbertConfig(**albert), Spans, **EQUAL)
write_case("distilbert", "spans", DistilBertForQuestionAnswering, DistilBertConfig(**distil), Spans, **EQUAL)
write_case("electra", "spans", ElectraForQuestionAnswering, ElectraConfig(**dict(TINY, max_position_embeddings=32, embedding_size=8)), Spans, **EQUAL)
write_case("bert", "choices", in_pairs(transformers.BertForMultipleChoice), BertConfig(**bert), Choices, **EVEN)
write_case("albert", "choices", in_pairs(transformers.AlbertForMultipleChoice), AlbertConfig(**albert), Choices, **EVEN)
write_case("distilbert", "choices", in_pairs(transformers.DistilBertForMultipleChoice), DistilBertConfig(**distil), Choices, **EVEN)
write_case("bert", "next-sentence", BertForNextSentencePrediction, BertConfig(**bert), Sentences("next-sentence-prediction"))
write_case("albert", "sentence-order", AlbertForPreTraining, AlbertConfig(**albert), Sentences("sentence-order-prediction"))
