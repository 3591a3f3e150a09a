"""The words of the page that steps through backprop, in English and Turkish."""

from collections.abc import Mapping

from .words import LANGUAGES

Words = Mapping[str, str]

_ENGLISH = {
    # the page and its controls
    "title": "Backprop of {root}", "tools": "Steps",
    "legend": "value above, gradient below; dashed: not yet. Heat maps: blue is positive, orange negative",
    "first": "First step", "back": "Step back", "play": "Play", "pause": "Pause", "next": "Step forward",
    "last": "Last step", "step": "Step", "speed": "Speed", "slow": "slow", "normal": "normal", "fast": "fast",
    "jump": "Jump to", "jump to": "Jump to…", "theme": "Light or dark", "large": "Large type", "fold": "Fold all",
    "unfold": "Unfold all", "smaller": "Zoom out", "larger": "Zoom in", "graph": "Computation graph",
    "count": "step {step} of {steps}", "pinned": "Pinned", "unpin": "Unpin", "derivation": "Derivation",
    "keys": "Keys: ← → step, Home and End, space plays, Esc unpins. Click a node to pin it, a module to unfold it.",
    "no script": "This page needs JavaScript.",
    # states
    "not yet": "not yet", "no gradient": "no gradient", "values": "{done} of {all} values",
    "gradients": "{done} of {all} gradients", "arrived": "{done} of {all}", "complete": "complete", "folded": "folded",
    "unfolded": "unfolded", "leaf": "leaf", "constant": "constant", "result": "result",
    # phases and steps
    "start": "Start", "forward": "Forward", "backward": "Backward", "given": "What comes in",
    "seed": "Backward starts at {root}: its gradient by itself is {number}",
    "seed of many": "Backward starts at {root}", "through": "Through {name} = {formula}",
    "in": "in", "out": "value", "kept": "kept for backward", "nothing": "nothing", "itself": "its own value",
    "incoming": "incoming gradient", "local": "local derivative", "to": "to {name}", "rule": "sends to {name}",
    "sum": "sum for {name}", "so far": "so far, {done} of {all}", "no part": "nothing: the rule sends no gradient",
    "leaf done": "{name} is a leaf: its gradient is complete.",
    "ready": "{name} is complete: all that used it have sent their part.",
    "waits": "{name} waits for {count} more: {consumers}.", "and more": "and {count} more",
    "turn": "Next: {name}, since it was computed last of those that remain, so all its consumers are done.",
    "end": "Nothing is left: all gradients are complete.",
    # a pinned node
    "formula": "formula", "shape": "shape", "dtype": "dtype", "gradient": "gradient", "source": "source",
    "module": "module", "used by": "used by", "number": "a number", "outputs": "{count} outputs",
    # arrays
    "summary": "{low} … {high}, mean {mean}", "not finite": "not finite: {counts}", "empty": "empty",
    "sampled": "{rows} × {columns} of {all_rows} × {all_columns} elements, evenly spaced",

    "inside": "This happens inside {name}, which is folded.", "run": "operations {first} to {last}",
}  # fmt: skip

_TURKISH = {
    "title": "{root} için geri yayılım",
    "legend": "üstte değer, altta gradyan; kesikli çizgi: henüz yok. Isı haritaları: mavi artı, turuncu eksi",
    "tools": "Adımlar", "first": "İlk adım", "back": "Geri", "play": "Oynat", "pause": "Duraklat", "next": "İleri",
    "last": "Son adım", "step": "Adım", "speed": "Hız", "slow": "yavaş", "normal": "normal", "fast": "hızlı",
    "jump": "Şuraya git", "jump to": "Şuraya git…", "theme": "Açık ya da koyu", "large": "Büyük yazı",
    "fold": "Tümünü katla", "unfold": "Tümünü aç", "smaller": "Uzaklaştır", "larger": "Yakınlaştır",
    "graph": "Hesaplama grafiği", "count": "adım {step} / {steps}", "pinned": "Sabitlenen", "unpin": "Bırak",
    "derivation": "Türetme",
    "keys": "Tuşlar: ← → adım, Home ve End, boşluk oynatır, Esc bırakır. Bir düğüme tıklayın: sabitlenir; bir modüle "
    "tıklayın: açılır.",
    "no script": "Bu sayfa JavaScript ister.",
    "not yet": "henüz yok", "no gradient": "gradyan yok", "values": "{all} değerden {done}",
    "gradients": "{all} gradyandan {done}", "arrived": "{done} / {all}", "complete": "tamam", "folded": "katlı",
    "unfolded": "açık", "leaf": "yaprak", "constant": "sabit", "result": "sonuç",
    "start": "Başlangıç", "forward": "İleri geçiş", "backward": "Geri yayılım", "given": "Girenler",
    "seed": "Geri yayılım kayıptan, {root} değerinden başlar: kendisine göre gradyanı {number}",
    "seed of many": "Geri yayılım kayıptan, {root} değerinden başlar", "through": "Zincir kuralı: {name} = {formula}",
    "in": "giren", "out": "değer", "kept": "geri yayılım için saklanan", "nothing": "hiçbir şey",
    "itself": "kendi değeri", "incoming": "gelen gradyan", "local": "yerel türev", "to": "{name} için",
    "rule": "{name} için giden", "sum": "{name} için toplam", "so far": "şimdiye dek, {done} / {all}",
    "no part": "hiçbir şey: kural gradyan göndermiyor", "leaf done": "{name} bir yaprak: gradyanı tamam.",
    "ready": "{name} tamam: onu kullananların hepsi payını gönderdi.",
    "waits": "{name}, {count} pay daha bekliyor: {consumers}.", "and more": "ve {count} tane daha",
    "turn": "Sırada {name} var: kalanların en son hesaplananı o, yani onu kullananların hepsi bitti.",
    "end": "Geriye bir şey kalmadı: bütün gradyanlar tamam.",
    "formula": "formül", "shape": "boyut", "dtype": "veri türü", "gradient": "gradyan", "source": "kaynak satır",
    "module": "modül", "used by": "kullanan", "number": "bir sayı", "outputs": "{count} çıktı",
    "summary": "{low} … {high}, ortalama {mean}", "not finite": "sonlu olmayan: {counts}", "empty": "boş",
    "sampled": "{all_rows} × {all_columns} öğeden eşit aralıklı {rows} × {columns}",

    "inside": "Bu, katlanmış olan {name} içinde oluyor.", "run": "işlemler {first}–{last}",
}  # fmt: skip

# What the rule of an operation comes to, in a sentence.
_HINTS = {
    "add": ("Addition hands the gradient on.", "Toplama, gradyanı olduğu gibi iletir."),
    "sub": ("Subtraction hands the gradient on, to the right with a minus.",
            "Çıkarma, gradyanı iletir; sağdakine eksi işaretiyle."),
    "mul": ("Each factor gets the gradient times the other factor.",
            "Her çarpan, gradyanın öbür çarpanla çarpımını alır."),
    "neg": ("The sign turns.", "İşaret değişir."),
    "matmul": ("Each factor gets a product with the other one, transposed.",
               "Her çarpan, öbürünün devriğiyle çarpımı alır."),
    "linear": ("Input and weight get a product with each other; the bias gets the sum over the examples.",
               "Girdi ile ağırlık, birbiriyle çarpımı alır; yanlılık, örneklerin toplamını."),
    "relu": ("The gradient passes where the input was positive.", "Gradyan, girdinin artı olduğu yerde geçer."),
    "maximum": ("The larger one gets the gradient.", "Gradyanı büyük olan alır."),
    "sum": ("Every element that was added gets the same gradient.", "Toplanan her öğe aynı gradyanı alır."),
    "mean": ("Each of the n elements gets 1/n of the gradient.", "n öğenin her biri gradyanın 1/n'ini alır."),
    "exp": ("The derivative is the result itself.", "Türevi, sonucun kendisidir."),
    "tanh": ("The derivative needs the result only: 1 − a².", "Türev için sonuç yeter: 1 − a²."),
    "sigmoid": ("The derivative needs the result only: a·(1 − a).", "Türev için sonuç yeter: a·(1 − a)."),
}  # fmt: skip

_WORDS: dict[str, dict[str, str]] = {"en": _ENGLISH, "tr": _TURKISH}
SHOWN = (  # what the page's script itself says
    "play", "pause", "count", "not yet", "no gradient", "values", "gradients", "arrived", "folded", "unfolded", "leaf",
    "constant", "result", "formula", "shape", "number", "dtype", "out", "gradient", "source", "module", "used by",
    "start", "forward", "backward", "pinned", "unpin", "inside", "step",
)  # fmt: skip


def page_words(language: str) -> Words:
    """The words of a language."""
    return _WORDS[language]


def hint(operation: str, language: str) -> str:
    """What an operation's rule comes to, or nothing where that has to be read from the formula."""
    sentences = _HINTS.get(operation.strip("_"))
    return sentences[LANGUAGES.index(language)] if sentences else ""
