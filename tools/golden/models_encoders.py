"""Tiny random encoders, and what transformers computes with them: see model_parity.py. Run it with Python from anywhere."""
from model_parity import LABELS, Classification, MaskedModelling, write_case
from transformers import (
    AlbertConfig,
    AlbertForMaskedLM,
    AlbertForSequenceClassification,
    BertConfig,
    BertForMaskedLM,
    BertForSequenceClassification,
    DistilBertConfig,
    DistilBertForMaskedLM,
    DistilBertForSequenceClassification,
    RobertaConfig,
    RobertaForMaskedLM,
    RobertaForSequenceClassification,
    XLMRobertaConfig,
    XLMRobertaForSequenceClassification,
)

LABELLED = {"id2label": dict(enumerate(LABELS)), "label2id": {label: i for i, label in enumerate(LABELS)}}
DRY = dict(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
TINY = dict(
    vocab_size=61, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4, type_vocab_size=2, **DRY
)  # fmt: skip

bert = dict(TINY, max_position_embeddings=32)
write_case("bert", "classification", BertForSequenceClassification, BertConfig(**bert, **LABELLED), Classification)
write_case("bert", "masked", BertForMaskedLM, BertConfig(**bert), MaskedModelling)

roberta = dict(TINY, max_position_embeddings=34, pad_token_id=1, layer_norm_eps=1e-5)
write_case("roberta", "classification", RobertaForSequenceClassification, RobertaConfig(**roberta, **LABELLED), Classification)
write_case("roberta", "masked", RobertaForMaskedLM, RobertaConfig(**roberta), MaskedModelling)
xlm = XLMRobertaConfig(**dict(roberta, type_vocab_size=1), **LABELLED)
write_case("roberta", "xlm", XLMRobertaForSequenceClassification, xlm, Classification)

distil = dict(
    vocab_size=61, dim=16, hidden_dim=24, n_layers=2, n_heads=4, max_position_embeddings=32, dropout=0.0, attention_dropout=0.0,
    seq_classif_dropout=0.0,
)  # fmt: skip
config = DistilBertConfig(**distil, **LABELLED)
write_case("distilbert", "classification", DistilBertForSequenceClassification, config, Classification)
write_case("distilbert", "masked", DistilBertForMaskedLM, DistilBertConfig(**distil), MaskedModelling)

albert = dict(TINY, max_position_embeddings=32, embedding_size=8, classifier_dropout_prob=0.0)
config = AlbertConfig(**dict(albert, num_hidden_layers=4, num_hidden_groups=2), **LABELLED)
write_case("albert", "classification", AlbertForSequenceClassification, config, Classification)
write_case("albert", "masked", AlbertForMaskedLM, AlbertConfig(**dict(albert, inner_group_num=2)), MaskedModelling)
