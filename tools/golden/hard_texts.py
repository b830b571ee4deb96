"""Texts that tokenizers often get wrong, and random texts with letters of many scripts."""

HARD = [
    "", " ", "\t\n\r", "ΣΑΣ ΟΔΟΣ ὈΔΥΣΣΕΎΣ", "İstanbul ISTANBUL ß ẞ", "éclair e\u0301clair ÀÉÎ ñ n\u0303",
    "汉字漢字かなカナ한글 mixed漢字text", "👨‍👩‍👧‍👦 🇩🇪 ❤️ 👍🏽 🏴󠁧󠁢󠁥󠁮󠁧󠁿", "a" * 99, "a" * 100, "a" * 101, "é" * 60, "e\u0301" * 60,
    "x" * 5000, "hello\u0000world\ufffd", "zero\u200bwidth\u200djoin\u00adsoft\ufeff", "[CLS] [SEP] [MASK] [UNK] [PAD]",
    "[sep] x[MASK]y [ MASK ]", "don't stop-it; a.b,c!?", "مرحبا بالعالم", "שָׁלוֹם עולם", "नमस्ते दुनिया", "ไทย ภาษา",
    "Ⅳ ² ½ ﬁ ﬂ", "x\u00a0y\u2003z\u3000w\u2028q\u0085r", "\u1680 \u180e \u202f", "a\u0300\u0301\u0302b", "𝒜𝓁𝓅𝒽𝒶 𐍈 𠀀",
    "$1,000.00 50% #tag @user", "—–…“”‘’«»", "\x7f\x80\x9f\u0600\ue000\U000e0001", "ǅ ǆ Ǆ ŉ ΐ", "ᾳ ᾼ ﬓ Ԑ ꙋ", "٠١٢ ੧੨",
    "😀😀", "||| ~~~ ``` ^^^ +++ <<>>", "\r\nline\rbreak", "ﷺ ㍿ Å ℡", "\u202eright to left\u202c", "##ing # #ing",
]
ALPHABET = [
    chr(code)
    for first, last in [
        (32, 127), (0xA0, 0x250), (0x300, 0x340), (0x370, 0x460), (0x5D0, 0x5EA), (0x620, 0x650), (0x900, 0x950),
        (0xE01, 0xE3A), (0x1E00, 0x1F00), (0x2000, 0x2070), (0x20A0, 0x20C0), (0x3040, 0x3060), (0x4E00, 0x4E40),
        (0xAC00, 0xAC20), (0x1F600, 0x1F620),
    ]
    for code in range(first, last)
]  # fmt: skip


def made_up(generator):
    letter = lambda: generator.choice(ALPHABET if generator.random() < 0.5 else "abcdefgh ")
    return "".join(letter() for _ in range(generator.randint(1, 40)))
