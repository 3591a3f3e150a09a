"""A translator as PyTorch's users write one: places as sines, nn.Transformer, masks, and greedy decoding."""

import math

import torch
from torch import nn

NOTHING, BEGIN, STOP = range(3)


class Translator(nn.Module):
    """Sentences are columns: (length, batch)."""

    def __init__(self, words_from, words_to, width=16, heads=2, layers=2, inner=24):
        super().__init__()
        self.reads, self.writes = nn.Embedding(words_from, width), nn.Embedding(words_to, width)
        self.core = nn.Transformer(width, heads, layers, layers, inner, dropout=0.0)
        self.says = nn.Linear(width, words_to)
        self.register_buffer("sines", self.waves(40, width))

    @staticmethod
    def waves(length, width):
        angle = torch.arange(length).unsqueeze(1) / 10000 ** (torch.arange(0, width, 2) / width)
        return torch.stack([angle.sin(), angle.cos()], dim=2).flatten(1).unsqueeze(1)

    def placed(self, table, words):
        x = table(words) * math.sqrt(table.embedding_dim)
        return x + self.sines[: len(words)].to(x.dtype)

    def forward(self, source, target):
        gaps_from, gaps_to = (words.eq(NOTHING).t() for words in (source, target))
        seen = nn.Transformer.generate_square_subsequent_mask(target.size(0), device=target.device) != 0
        out = self.core(
            self.placed(self.reads, source),
            self.placed(self.writes, target),
            tgt_mask=seen,
            src_key_padding_mask=gaps_from,
            tgt_key_padding_mask=gaps_to,
            memory_key_padding_mask=gaps_from,
        )
        return self.says(out)

    def loss(self, source, target):
        logits = self(source, target[:-1])
        return nn.CrossEntropyLoss(ignore_index=NOTHING)(logits.flatten(0, 1), target[1:].flatten())

    @torch.no_grad()
    def translate(self, source, longest):
        memory = self.core.encoder(self.placed(self.reads, source))
        said = torch.full((1, 1), BEGIN, dtype=torch.long)
        while said.size(0) < longest and said[-1].item() != STOP:
            mask = self.core.generate_square_subsequent_mask(len(said)).to(memory.dtype)
            out = self.core.decoder(self.placed(self.writes, said), memory, mask)
            word = self.says(out[-1]).argmax(1)
            said = torch.cat([said, word.view(1, 1).type_as(said)])
        return said
