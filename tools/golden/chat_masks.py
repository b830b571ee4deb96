"""Conversations rendered with the training templates of trl, and which characters train, as transformers computes it.

Each `{% generation %}` block of a template marks what trains. `public` is the template of a model that trl replaces by this one. The mask has one character per character of the text: 1 if it trains.
"""
import gzip
import json
from importlib.metadata import version
from pathlib import Path

import trl
import trl.chat_template_utils as utils
from training_templates import pairs
from transformers.utils.chat_template_utils import render_jinja_template

OUT = Path("plugins/objective-instruction-tuning/golden/chat-masks.json.gz")
FOLDER = Path(trl.__file__).parent / "chat_templates"
VARIABLES = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
TURNS = [
    {"role": "user", "content": "What is 2 + 2?"},
    {"role": "assistant", "content": "It is 4."},
    {"role": "user", "content": "And twice that?\nIn words."},
    {"role": "assistant", "content": "Eight, of course."},
]
SYSTEM = {"role": "system", "content": "Answer briefly."}
REASONED = [
    {"role": "user", "content": "Is 7 prime?"},
    {"role": "assistant", "reasoning_content": "Only 1 and 7 divide it.", "content": "Yes."},
]
CONVERSATIONS = {"one turn": TURNS[:2], "two turns": TURNS, "system": [SYSTEM, *TURNS], "reasoning": REASONED}


def rendered(template, messages):
    (text,), (spans,) = render_jinja_template(
        conversations=[messages], chat_template=template, return_assistant_tokens_mask=True, **VARIABLES
    )
    mask = ["0"] * len(text)
    for start, end in spans:
        mask[start:end] = "1" * (end - start)
    return text, "".join(mask)


cases = []
PUBLIC = {training: getattr(utils, public) for public, training in pairs()}
for path in sorted(FOLDER.glob("*_training.jinja")):
    template = path.read_text()
    public = PUBLIC.get(f"{path.stem}_chat_template")
    chats = []
    for name, messages in CONVERSATIONS.items():
        try:
            text, mask = rendered(template, messages)
        except Exception:
            continue  # the template refuses these roles or wants other content
        if "strftime_now" not in template and "1" in mask:
            chats.append({"name": name, "messages": messages, "text": text, "mask": mask})
    if chats:
        cases.append({"name": path.stem, "template": template, **({"public": public} if public else {}), "chats": chats})
OUT.parent.mkdir(exist_ok=True)
content = {"source": f"trl {version('trl')} and transformers {version('transformers')}", "variables": VARIABLES, "cases": cases}
OUT.write_bytes(gzip.compress(json.dumps(content).encode(), mtime=0))
print(len(cases), "templates,", sum(len(c["chats"]) for c in cases), "conversations,", OUT.stat().st_size, "bytes")
