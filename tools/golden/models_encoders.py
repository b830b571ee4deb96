"""Golden values of tiny random encoders, computed with transformers: see model_parity.py. Run it from any directory."""
import json

from model_parity import LABELS, ROOT, Classification, MaskedModelling, Tagging, write_case
from transformers import (
    AlbertConfig,
    AlbertForMaskedLM,
    AlbertForSequenceClassification,
    AlbertForTokenClassification,
    BertConfig,
    BertForMaskedLM,
    BertForSequenceClassification,
    BertForTokenClassification,
    DistilBertConfig,
    DistilBertForMaskedLM,
    DistilBertForSequenceClassification,
    DistilBertForTokenClassification,
    ElectraConfig,
    ElectraForMaskedLM,
    ElectraForSequenceClassification,
    ElectraForTokenClassification,
    ModernBertConfig,
    ModernBertForMaskedLM,
    ModernBertForSequenceClassification,
    RobertaConfig,
    RobertaForMaskedLM,
    RobertaForSequenceClassification,
    RobertaForTokenClassification,
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
write_case("bert", "tagging", BertForTokenClassification, BertConfig(**bert, **LABELLED), Tagging)

roberta = dict(TINY, max_position_embeddings=34, pad_token_id=1, layer_norm_eps=1e-5)
write_case("roberta", "classification", RobertaForSequenceClassification, RobertaConfig(**roberta, **LABELLED), Classification)
write_case("roberta", "masked", RobertaForMaskedLM, RobertaConfig(**roberta), MaskedModelling)
write_case("roberta", "tagging", RobertaForTokenClassification, RobertaConfig(**roberta, **LABELLED), Tagging)
xlm = XLMRobertaConfig(**dict(roberta, type_vocab_size=1), **LABELLED)
write_case("roberta", "xlm", XLMRobertaForSequenceClassification, xlm, Classification)

distil = dict(
    vocab_size=61, dim=16, hidden_dim=24, n_layers=2, n_heads=4, max_position_embeddings=32, dropout=0.0, attention_dropout=0.0,
    seq_classif_dropout=0.0,
)  # fmt: skip
config = DistilBertConfig(**distil, **LABELLED)
write_case("distilbert", "classification", DistilBertForSequenceClassification, config, Classification)
write_case("distilbert", "masked", DistilBertForMaskedLM, DistilBertConfig(**distil), MaskedModelling)
write_case("distilbert", "tagging", DistilBertForTokenClassification, config, Tagging)

albert = dict(TINY, max_position_embeddings=32, embedding_size=8, classifier_dropout_prob=0.0)
config = AlbertConfig(**dict(albert, num_hidden_layers=4, num_hidden_groups=2), **LABELLED)
write_case("albert", "classification", AlbertForSequenceClassification, config, Classification)
write_case("albert", "tagging", AlbertForTokenClassification, config, Tagging)
write_case("albert", "masked", AlbertForMaskedLM, AlbertConfig(**dict(albert, inner_group_num=2)), MaskedModelling)

electra = dict(TINY, max_position_embeddings=32, embedding_size=8)
config = ElectraConfig(**electra, **LABELLED)
write_case("electra", "classification", ElectraForSequenceClassification, config, Classification)
write_case("electra", "masked", ElectraForMaskedLM, ElectraConfig(**electra), MaskedModelling)
config = ElectraConfig(**dict(electra, embedding_size=16), **LABELLED)
write_case("electra", "tagging", ElectraForTokenClassification, config, Tagging)
KEYS = (*TINY, "embedding_size", "hidden_act", "max_position_embeddings", "initializer_range", "layer_norm_eps", "pad_token_id", "model_type")
defaults = {key: value for key, value in ElectraConfig().to_dict().items() if key in KEYS}
(ROOT / "plugins/model-electra/golden/config-defaults.json").write_text(json.dumps(defaults))

# Three layers: the first without an attention norm, one with local attention, and one with global attention.
modern = dict(
    vocab_size=61, hidden_size=16, intermediate_size=12, num_hidden_layers=3, num_attention_heads=4, max_position_embeddings=32,
    global_attn_every_n_layers=2, local_attention=4, pad_token_id=0, bos_token_id=1, eos_token_id=2, cls_token_id=1, sep_token_id=2,
    rope_parameters={name: dict(rope_type="default", rope_theta=t) for name, t in (("full_attention", 1e3), ("sliding_attention", 1e2))},
)  # fmt: skip
# Padding is shorter than the local window: transformers returns NaN where a window contains only padding.
NEAR = ((9, 8, 8), (8, 7))
write_case("modernbert", "masked", ModernBertForMaskedLM, ModernBertConfig(**modern), MaskedModelling, NEAR)
config = ModernBertConfig(**modern, **LABELLED)
write_case("modernbert", "classification", ModernBertForSequenceClassification, config, Classification, NEAR)
biased = {name: True for name in ("norm_bias", "attention_bias", "mlp_bias", "classifier_bias")}
mean = ModernBertConfig(**modern, **biased, classifier_pooling="mean", classifier_activation="relu", **LABELLED)
write_case("modernbert", "mean", ModernBertForSequenceClassification, mean, Classification, NEAR)
every = ModernBertConfig(**modern, **biased, decoder_bias=False)
write_case("modernbert", "biases", ModernBertForMaskedLM, every, MaskedModelling, NEAR)
