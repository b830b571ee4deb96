"""
Golden values of a tiny random hierarchical attention network, written in PyTorch, sentence by sentence without padding: see model_parity.py.
Needs torch, transformers and safetensors.
"""
from types import SimpleNamespace

import torch
from model_parity import Classification, write_case
from torch import nn
from written_model import Config, WrittenForClassification


class Level(nn.Module):
    def __init__(self, config, inputs):
        super().__init__()
        self.gru = nn.GRU(inputs, config.hidden_size // 2, bidirectional=True, batch_first=True)
        self.attention = nn.Linear(config.hidden_size, config.attention_size)
        self.context = nn.Parameter(torch.zeros(config.attention_size))

    def forward(self, x):
        """Hidden states, attention weights and weighted sum of one row `x`, `[length, width]`."""
        h = self.gru(x[None])[0][0]
        shares = (torch.tanh(self.attention(h)) @ self.context).softmax(0)
        return h, shares, shares @ h


class Embeddings(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.word_embeddings = nn.Embedding(config.vocab_size, config.embedding_size)


class HierarchicalAttention(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.embeddings = Embeddings(config)
        self.words = Level(config, config.embedding_size)
        self.sentences = Level(config, config.hidden_size)

    def forward(self, ids, mask):
        size = min(self.config.sentence_length, ids.shape[1])
        sentences = -(-ids.shape[1] // size)
        states, pooled, words = [], [], []
        for row, keep in zip(ids, mask):
            parts = [self.words(self.embeddings.word_embeddings(part)) for part in row[keep == 1].split(size)]
            h = torch.cat([part[0] for part in parts])
            states.append(nn.functional.pad(h, (0, 0, 0, len(row) - len(h))))
            pooled.append(self.sentences(torch.stack([part[2] for part in parts])))
            # Attune gives uniform attention weights to the words of a sentence that is all padding.
            shares = [nn.functional.pad(part[1], (0, size - len(part[1]))) for part in parts]
            words.append(torch.stack(shares + [torch.full_like(shares[0], 1 / size)] * (sentences - len(parts))))
        among = torch.stack([nn.functional.pad(p[1], (0, sentences - len(p[1]))) for p in pooled])
        return SimpleNamespace(
            last_hidden_state=torch.stack(states),
            pooled=torch.stack([p[2] for p in pooled]),
            attentions=[torch.stack(words)[:, None], among[:, None, None]],
        )


class HierarchicalAttentionForSequenceClassification(WrittenForClassification):
    def __init__(self, config):
        super().__init__(config, "hierarchical_attention", HierarchicalAttention(config), config.hidden_size)


config = Config(
    "hierarchical-attention", vocab_size=24, embedding_size=10, hidden_size=16, attention_size=6, sentence_length=4, dropout=0.0,
    maximum_length=32,
)  # fmt: skip
write_case(
    "hierarchical-attention", "classification", HierarchicalAttentionForSequenceClassification, config, Classification,
    lengths=((13, 8, 2), (10, 5)),
)  # fmt: skip
