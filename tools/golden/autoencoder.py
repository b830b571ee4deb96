"""Writes plugins/objective-autoencoder/golden/: the loss of sentence-transformers' DenoisingAutoEncoderLoss and its gradients.

A tiny BERT with CLS pooling, and a BERT decoder with cross-attention to the vector, that share the word embeddings.
Needs torch 2.15, transformers 5.24, sentence-transformers 6.2.
"""
import json
import tempfile
from pathlib import Path

import sentence_transformers
import torch
import transformers
from safetensors.torch import save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.losses import DenoisingAutoEncoderLoss
from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
from transformers import BertConfig, BertForMaskedLM, BertTokenizer

FOLDER = Path(__file__).resolve().parents[2] / "plugins/objective-autoencoder/golden"
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + [chr(97 + i) for i in range(15)]
DECODER = "9_Decoder"

torch.manual_seed(0)
config = BertConfig(vocab_size=20, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
                    max_position_embeddings=8, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
                    initializer_range=0.3, pad_token_id=0)

with tempfile.TemporaryDirectory() as folder:
    BertForMaskedLM(config).save_pretrained(folder)
    (Path(folder) / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    BertTokenizer(str(Path(folder) / "vocab.txt")).save_pretrained(folder)
    transformer = Transformer(folder)
    model = SentenceTransformer(modules=[transformer, Pooling(16, pooling_mode="cls")], device="cpu")
    loss_of = DenoisingAutoEncoderLoss(model, folder, tie_encoder_decoder=False)

encoder, decoder = model[0].model, loss_of.decoder
with torch.no_grad():
    for each in (*encoder.parameters(), *decoder.parameters()):
        each.copy_(torch.randn_like(each) * 0.3 + (1.0 if each.dim() == 1 and each.shape == (16,) else 0.0))
    # The types of tokens are no part of Attune's decoder.
    decoder.bert.embeddings.token_type_embeddings.weight.zero_()
words = encoder.embeddings.word_embeddings.weight
decoder.bert.embeddings.word_embeddings.weight = words
decoder.cls.predictions.decoder.weight = words
model.eval(), decoder.eval()

texts = [[2, 5, 6, 7, 8, 9, 3], [2, 10, 11, 3], [2, 12, 5, 13, 3]]
deleted = [[2, 6, 9, 3], [2, 10, 3], [2, 12, 5, 13, 3]]


def features(rows):
    length = max(map(len, rows))
    ids = torch.tensor([row + [0] * (length - len(row)) for row in rows])
    return {"input_ids": ids, "attention_mask": (ids != 0).long(), "token_type_ids": torch.zeros_like(ids)}


loss = loss_of([features(deleted), features(texts)], None)
loss.backward()

SKIPPED = ("word_embeddings", "token_type_embeddings", "crossattention.self.query", "crossattention.self.key",
           "cls.predictions.decoder")


def decoder_name(name):
    for old, new in (("bert.embeddings", "embeddings"), ("bert.encoder.layer", "layer"), ("cls.predictions", "predictions")):
        name = name.replace(old, new)
    return f"{DECODER}.{name}"


named = [(f"bert.{name}", each) for name, each in encoder.named_parameters() if "pooler" not in name]
named += [(decoder_name(name), each) for name, each in decoder.named_parameters()
          if not any(part in name for part in SKIPPED)]
unused = [each.grad.abs().max().item() for name, each in decoder.named_parameters()
          if "crossattention.self.query" in name or "crossattention.self.key" in name]
assert max(unused) < 1e-6, unused

FOLDER.mkdir(exist_ok=True)
save_file({"weights/" + name: each.detach().clone() for name, each in named}
          | {"gradients/" + name: each.grad.clone() for name, each in named}, FOLDER / "tsdae.safetensors")
(FOLDER / "tsdae.json").write_text(json.dumps({
    "source": f"sentence-transformers {sentence_transformers.__version__}, transformers {transformers.__version__}, torch {torch.__version__}",
    "config": config.to_diff_dict(), "texts": texts, "deleted": deleted, "loss": loss.item(),
}) + "\n")
print(loss.item(), len(named))
