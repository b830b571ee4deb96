"""Writes plugins/objective-contrastive/golden/loss.json: the contrastive loss of sentence-transformers and its gradient.

Needs torch and sentence-transformers.
"""
import json
from pathlib import Path

import sentence_transformers
import torch
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

FOLDER = Path(__file__).resolve().parents[2] / "plugins/objective-contrastive/golden"
SCALE = 20.0

torch.manual_seed(0)
texts = torch.randn(5, 8, requires_grad=True)
pairs = (texts.detach() + torch.randn(5, 8)).requires_grad_()
loss = MultipleNegativesRankingLoss(model=None, scale=SCALE).compute_loss_from_embeddings([texts, pairs], labels=None)
loss.backward()

negatives = (texts.detach() * 0.5 + torch.randn(5, 8)).requires_grad_()
given = [each.detach().clone().requires_grad_() for each in (texts, pairs, negatives)]
hard = MultipleNegativesRankingLoss(model=None, scale=SCALE).compute_loss_from_embeddings(given, labels=None)
hard.backward()

FOLDER.mkdir(exist_ok=True)
golden = {
    "source": f"sentence-transformers {sentence_transformers.__version__}, torch {torch.__version__}",
    "scale": SCALE,
    "texts": texts.tolist(),
    "pairs": pairs.tolist(),
    "loss": loss.item(),
    "gradientOfTexts": texts.grad.tolist(),
    "gradientOfPairs": pairs.grad.tolist(),
    "negatives": negatives.tolist(),
    "withNegatives": {
        "loss": hard.item(),
        "gradientOfTexts": given[0].grad.tolist(),
        "gradientOfPairs": given[1].grad.tolist(),
        "gradientOfNegatives": given[2].grad.tolist(),
    },
}
(FOLDER / "loss.json").write_text(json.dumps(golden) + "\n")
