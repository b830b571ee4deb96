"""Golden values of adversarial text generation: transformers' GPT-2 as the generator and BERT as the discriminator, on expected embeddings.

Writes tools/parity/golden/adversarial-text-generation.json (configurations, batch, and for each relaxation the generated tokens and the
three losses), -weights.safetensors (the discriminator's parameters under `discriminator.`) and -gradients.safetensors, for each relaxation:
the generator's loss with the weighted maximum-likelihood loss in its parameters, the discriminator's loss in its own. The generator reads the
whole text again at every step, without a cache. Weights are float32, everything else float64. The uniform numbers of the Gumbel noise follow
from the seed by the hash of packages/nn.
Made with transformers 5.24.0 and torch 2.15.0. Run it from any directory.
"""
import json

import torch
import torch.nn.functional as F
from model_parity import ROOT, SOURCE, array, randomise, rows_of, text_inputs
from safetensors.torch import save_file
from transformers import BertConfig, BertForSequenceClassification, GPT2Config, GPT2LMHeadModel

GOLDEN = ROOT / "tools/parity/golden"
VOCABULARY, END, LENGTHS, PADDED, PROMPT = 11, 8, (6, 5, 3), 6, 1
SEED, WEIGHT = (5, 9), 0.7
CASES = [("softmax", 0.5), ("gumbel-softmax", 0.8), ("straight-through", 1.3)]
WORD = 0xFFFFFFFF


def mix(x):
    x = (x ^ (x >> 16)) * 0x7FEB352D & WORD
    x = (x ^ (x >> 15)) * 0x846CA68B & WORD
    return x ^ (x >> 16)


def uniforms(stream, count):
    """The numbers of `noise(key, [count], 'uniform')` of packages/nn."""
    first = mix(SEED[0] ^ (stream * 0x9E3779B9 & WORD) ^ 0x6E6F6973)
    second = mix((SEED[1] + first) & WORD)
    bits = [mix((mix((at * 0x9E3779B9 & WORD) ^ first) + second) & WORD) for at in range(count)]
    return torch.tensor([(each >> 8) / 2**24 for each in bits], dtype=torch.float64)


def gumbel(end, rows):
    """Noise of the token at an index: the streams are those of the plugin (998), the index and its first sub-layer."""
    stream = ((0 * 1000 + 998 + 1) * 1000 + end + 1) * 1000 + 0 + 1
    return -torch.log(-torch.log(uniforms(stream, rows * VOCABULARY))).reshape(rows, VOCABULARY)


torch.manual_seed(30)
generator_config = GPT2Config(
    vocab_size=VOCABULARY, n_embd=8, n_layer=2, n_head=2, n_positions=12, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0,
    bos_token_id=1, eos_token_id=END, attn_implementation="eager",
)  # fmt: skip
discriminator_config = BertConfig(
    vocab_size=VOCABULARY, hidden_size=6, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8, max_position_embeddings=12,
    hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, num_labels=1, attn_implementation="eager",
)  # fmt: skip
generator, discriminator = GPT2LMHeadModel(generator_config), BertForSequenceClassification(discriminator_config)
for model in (generator, discriminator):
    randomise(model)
    model.double().eval()

ids, mask = text_inputs(LENGTHS, PADDED, VOCABULARY)
for row, length in enumerate(LENGTHS):
    ids[row, 0], ids[row, length - 1] = 1, END
words, theirs = generator.transformer.wte.weight, discriminator.bert.embeddings.word_embeddings.weight


def generate(relaxation, temperature):
    tokens = F.one_hot(ids[:, :PROMPT], VOCABULARY).double()
    for end in range(PROMPT, PADDED):
        logits = generator(inputs_embeds=tokens @ words).logits[:, -1]
        noise = 0 if relaxation == "softmax" else gumbel(end, len(LENGTHS))
        soft = ((logits + noise) / temperature).softmax(-1)
        top = soft.detach().topk(2).values
        assert (top[:, 0] - top[:, 1]).min() > 1e-3, "the argmax must not depend on rounding"
        if relaxation == "straight-through":
            soft = F.one_hot(soft.argmax(-1), VOCABULARY) + soft - soft.detach()
        tokens = torch.cat([tokens, soft.unsqueeze(1)], 1)
    return tokens


def logits_of(tokens, attention):
    return discriminator(inputs_embeds=tokens @ theirs, attention_mask=attention).logits


def gradients_of(loss, model, prefix):
    model.zero_grad()
    loss.backward(inputs=list(model.parameters()), retain_graph=True)
    return {prefix + name: p.grad.float().clone().contiguous() for name, p in model.named_parameters()}


results, gradients = [], {}
targets = torch.where(mask[:, 1:] == 1, ids[:, 1:], -100)
modeling = F.cross_entropy(generator(input_ids=ids, attention_mask=mask).logits[:, :-1].reshape(-1, VOCABULARY), targets.reshape(-1))
for relaxation, temperature in CASES:
    tokens = generate(relaxation, temperature)
    hard = tokens.detach().argmax(-1)
    is_end = (hard == END).long()
    is_end[:, 0] = 0
    attention = (is_end.cumsum(1) - is_end == 0).long()
    fake, real = logits_of(tokens, attention), logits_of(F.one_hot(ids, VOCABULARY).double(), mask)
    one, zero = torch.ones_like(fake), torch.zeros_like(fake)
    of_generator = F.binary_cross_entropy_with_logits(fake, one)
    detached = logits_of(tokens.detach(), attention)
    of_discriminator = F.binary_cross_entropy_with_logits(real, one) + F.binary_cross_entropy_with_logits(detached, zero)
    found = {
        **gradients_of(of_generator + WEIGHT * modeling, generator, ""),
        **gradients_of(of_discriminator, discriminator, "discriminator."),
    }
    gradients |= {f"{relaxation}/{name}": tensor for name, tensor in found.items()}
    results.append({
        "relaxation": relaxation,
        "temperature": temperature,
        "ids": array(hard),
        "generator": of_generator.item(),
        "discriminator": of_discriminator.item(),
        "modeling": modeling.item(),
    })  # fmt: skip
    print(relaxation, hard.tolist(), of_generator.item(), of_discriminator.item())
    assert attention.min() == 0 or relaxation != "straight-through", "no generated text ends"

named = {**dict(generator.named_parameters()), **{f"discriminator.{name}": p for name, p in discriminator.named_parameters()}}
save_file({name: p.detach().float().contiguous() for name, p in named.items() if name != "lm_head.weight"}, GOLDEN / "adversarial-text-generation-weights.safetensors")
save_file(gradients, GOLDEN / "adversarial-text-generation-gradients.safetensors")
for file in GOLDEN.glob("adversarial-text-generation-*"):
    file.chmod(0o644)
golden = {
    "source": SOURCE,
    "configs": {"generator": generator_config.to_dict(), "discriminator": discriminator_config.to_dict()},
    "seed": SEED,
    "weight": WEIGHT,
    "promptLength": PROMPT,
    "end": END,
    "batch": {"inputs": rows_of(ids, mask), "targets": array(F.pad(ids[:, 1:], (0, 1))), "weights": array(F.pad(mask[:, 1:], (0, 1)).double())},
    "cases": results,
}
(GOLDEN / "adversarial-text-generation.json").write_text(json.dumps(golden, allow_nan=False))
