"""Golden values of tiny BART and Marian models, computed with transformers: see model_parity.py. Run it from any directory."""
import torch
from model_parity import LABELS, Classification, SequenceToSequence, decoder_of, write_case
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    BartForSequenceClassification,
    MarianConfig,
    MarianMTModel,
)

LABELLED = {"id2label": dict(enumerate(LABELS)), "label2id": {label: i for i, label in enumerate(LABELS)}}
TINY = dict(
    vocab_size=61, d_model=16, encoder_layers=2, encoder_ffn_dim=24, encoder_attention_heads=4, decoder_layers=2,
    decoder_ffn_dim=20, decoder_attention_heads=2, max_position_embeddings=32, dropout=0.0, forced_eos_token_id=None,
)  # fmt: skip


class EndedTexts(Classification):
    """
    Texts end with the token that the class looks for. Attune's decoder masks padding; transformers' does so only if told. That changes
    nothing up to the end of a text, and makes the hidden states after it comparable.
    """

    def __init__(self, end):
        self.end = end

    def extra(self, ids, mask):
        ids.scatter_(1, mask.sum(1, keepdim=True) - 1, self.end)
        shown = torch.cat([torch.ones_like(mask[:, :1]), mask[:, :-1]], 1)
        return {"decoder_attention_mask": shown}, {}


def write(plugin, case, cls, config, task, adjust=None):
    write_case(plugin, case, cls, config, task, extra=task.extra, base=decoder_of, adjust=adjust)


def write_marian(case, **changed):
    def repair(model):
        """Position embeddings are buffers, not parameters; the logits bias is in checkpoints, but is not trained."""
        for stack in (model.model.encoder, model.model.decoder):
            stack.embed_positions.weight.copy_(stack.embed_positions.create_weight())
        model.final_logits_bias.copy_(0.3 * torch.randn_like(model.final_logits_bias))

    config = MarianConfig(**{**TINY, **changed})
    write("transformer", case, MarianMTModel, config, SequenceToSequence(config), repair)


if __name__ == "__main__":
    config = BartConfig(**TINY)
    write("bart", "writing", BartForConditionalGeneration, config, SequenceToSequence(config))
    scaled = BartConfig(**dict(TINY, encoder_layers=1, scale_embedding=True, activation_function="gelu_new"))
    write("bart", "scaled", BartForConditionalGeneration, scaled, SequenceToSequence(scaled))
    labelled = BartConfig(**dict(TINY, decoder_layers=1), **LABELLED)
    write("bart", "classification", BartForSequenceClassification, labelled, EndedTexts(labelled.eos_token_id))

    paper = dict(activation_function="relu", scale_embedding=True, eos_token_id=1)
    write_marian("paper", **paper, pad_token_id=0, decoder_start_token_id=2)
    # As in Helsinki-NLP's checkpoints: the decoder starts with the padding token, which is the last token.
    opus = dict(activation_function="swish", scale_embedding=True, eos_token_id=0, pad_token_id=60, decoder_start_token_id=60)
    write_marian("opus", **opus, encoder_layers=1)
