"""Golden values of tiny random encoder–decoders, computed with transformers: see model_parity.py. Run it from any directory."""
import json

import torch
from model_parity import ROOT, SOURCE, SequenceToSequence, decoder_of, write_case
from transformers import MT5Config, MT5ForConditionalGeneration, T5Config, T5ForConditionalGeneration
from transformers.models.t5.modeling_t5 import T5Attention

T5 = dict(
    vocab_size=61, d_model=16, d_kv=3, d_ff=24, num_heads=4, relative_attention_num_buckets=8,
    relative_attention_max_distance=12, dropout_rate=0.0, decoder_start_token_id=0, pad_token_id=0, eos_token_id=1,
)  # fmt: skip


def write(plugin, case, cls, config, adjust=None):
    task = SequenceToSequence(config)
    write_case(plugin, case, cls, config, task, extra=task.extra, base=decoder_of, adjust=adjust)


def own_head(model):
    """transformers ties the head regardless of the config, but loads checkpoints with a separate head, such as T5 v1.1's."""
    model.lm_head.weight = torch.nn.Parameter(0.3 * torch.randn_like(model.shared.weight))


def write_buckets():
    """Relative position buckets of each distance, for usual and unusual settings."""
    tables = []
    for both in (True, False):
        for count, most in ((32, 128), (8, 12), (64, 300), (4, 3), (32, 40)):
            places = torch.arange(-most - 9, most + 10)
            found = T5Attention._relative_position_bucket(places, both, count, most).tolist()
            tables.append({"count": count, "maximumDistance": most, "bothWays": both, "buckets": found})
    path = ROOT / "plugins/model-t5/golden/buckets.json"
    path.write_text(json.dumps({"source": SOURCE, "tables": tables}))


if __name__ == "__main__":
    write("t5", "t5", T5ForConditionalGeneration, T5Config(**T5, num_layers=2))
    gated = T5Config(**T5, num_layers=1, num_decoder_layers=2, feed_forward_proj="gated-gelu", tie_word_embeddings=False)
    write("t5", "gated", T5ForConditionalGeneration, gated, own_head)
    multilingual = MT5Config(**T5, num_layers=1, feed_forward_proj="gated-gelu", tie_word_embeddings=False)
    write("t5", "mt5", MT5ForConditionalGeneration, multilingual, own_head)
    write_buckets()
