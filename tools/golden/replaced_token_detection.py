"""Golden values of replaced token detection (ELECTRA) with transformers' two models, on fixed samples.

Writes tools/parity/golden/replaced-token-detection.json (configurations, batch, sampled tokens, losses), -weights.safetensors (the
discriminator's parameters, and the generator's under `generator.`; the embeddings are shared) and -gradients.safetensors (of the whole loss).
Weights are float32, everything else float64. Samples are by inverse transform: the first token whose cumulative probability exceeds a number.
Made with transformers 5.24.0 and torch 2.15.0. Run it from any directory.
"""
import json

import torch
import torch.nn.functional as F
from model_parity import ROOT, SOURCE, array, randomise, rows_of, text_inputs
from safetensors.torch import save_file
from transformers import ElectraConfig, ElectraForMaskedLM, ElectraForPreTraining

GOLDEN = ROOT / "tools/parity/golden"
WEIGHT, MASK = 50.0, 1
LENGTHS, MASKED, PADDED = (12, 8, 4), (3, 2, 1), 13  # a quarter of each text, so that both means are those over the batch

torch.manual_seed(20)
common = dict(
    vocab_size=61, embedding_size=8, num_hidden_layers=2, num_attention_heads=2, type_vocab_size=2, max_position_embeddings=32,
    hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, attn_implementation="eager",
)  # fmt: skip
configs = {
    "discriminator": ElectraConfig(**common, hidden_size=16, intermediate_size=24),
    "generator": ElectraConfig(**common, hidden_size=4, intermediate_size=12),
}
generator, discriminator = ElectraForMaskedLM(configs["generator"]), ElectraForPreTraining(configs["discriminator"])
for model in (generator, discriminator):
    randomise(model)
    model.double().eval()
generator.electra.embeddings = discriminator.electra.embeddings
generator.generator_lm_head.weight = discriminator.electra.embeddings.word_embeddings.weight

ids, mask = text_inputs(LENGTHS, PADDED, 61)
positions = torch.zeros(len(LENGTHS), max(MASKED), dtype=torch.long)
weights = torch.zeros(positions.shape)
for row, (length, count) in enumerate(zip(LENGTHS, MASKED)):
    positions[row, :count] = torch.randperm(length)[:count].sort().values
    weights[row, :count] = 1
targets = ids.gather(1, positions) * weights.long()
is_masked = torch.zeros_like(ids).scatter_add(1, positions, weights.long()) > 0
masked_ids = torch.where(is_masked, MASK, ids)

output = generator(input_ids=masked_ids, attention_mask=mask, labels=torch.where(is_masked, ids, -100))
logits = output.logits.gather(1, positions.unsqueeze(2).expand(-1, -1, 61))
cumulative = logits.softmax(-1).cumsum(-1).detach()
uniforms = torch.rand(positions.shape).double()
# The most probable original token is sampled, which then counts as original: the number is in the middle of its interval.
at = (logits.softmax(-1).gather(2, targets.unsqueeze(2)).squeeze(2) * weights).argmax()
row, place = int(at) // positions.shape[1], int(at) % positions.shape[1]
original = int(targets[row, place])
uniforms[row, place] = cumulative[row, place, original - 1 : original + 1].mean()
uniforms = uniforms.float().double()
assert (cumulative - uniforms.unsqueeze(2)).abs().min() > 1e-5
sampled = (cumulative <= uniforms.unsqueeze(2)).sum(-1)
assert (sampled != targets)[weights == 1].sum() == weights.sum() - 1
replaced_ids = ids.clone()
for row, count in enumerate(MASKED):
    replaced_ids[row, positions[row, :count]] = sampled[row, :count]
is_replaced = (replaced_ids != ids).long()
detection = discriminator(input_ids=replaced_ids, attention_mask=mask, labels=is_replaced)

# The same loss as that of the class, which computes it from float32 labels.
detection_loss = F.binary_cross_entropy_with_logits(detection.logits[mask == 1], is_replaced[mask == 1].double())
assert abs(detection.loss.item() - detection_loss.item()) < 1e-6
loss = output.loss + WEIGHT * detection_loss
loss.backward()


def named(of):
    found = {name: of(p) for name, p in discriminator.named_parameters()}
    for name, p in generator.named_parameters():
        if not name.startswith("electra.embeddings."):
            found[f"generator.{name}"] = of(p)
    return {name: tensor.detach().float().contiguous() for name, tensor in found.items()}


save_file(named(lambda p: p), GOLDEN / "replaced-token-detection-weights.safetensors")
save_file(named(lambda p: p.grad), GOLDEN / "replaced-token-detection-gradients.safetensors")
for file in GOLDEN.glob("replaced-token-detection-*"):
    file.chmod(0o644)
golden = {
    "source": SOURCE,
    "configs": {name: config.to_dict() for name, config in configs.items()},
    "weight": WEIGHT,
    "batch": {
        "inputs": rows_of(ids, mask),
        "maskedIds": array(masked_ids),
        "isReplaced": array(torch.zeros(ids.shape)),
        "positions": array(positions),
        "targets": array(targets),
        "weights": array(weights),
        "uniforms": array(uniforms, 10),
    },
    "replacedIds": array(replaced_ids),
    "isReplaced": array(is_replaced.float()),
    "modeling": output.loss.item(),
    "detection": detection_loss.item(),
    "logits": array(detection.logits),
}
(GOLDEN / "replaced-token-detection.json").write_text(json.dumps(golden, allow_nan=False))
print(output.loss.item(), detection_loss.item(), sampled.tolist(), targets.tolist())
