"""A tokenizer for BEiT: VQ-VAE, neural discrete representation learning (van den Oord et al., 2017).

https://arxiv.org/abs/1711.00937. Say each patch with one of K codes, so that the image can be painted again from them.
BEiT took the tokenizer of DALL-E, a dVAE that learned from 250 million images; this one learns from the data at hand.
Shapes: B images, C channels, S side in pixels, R x R patches, D width of a code, K codes.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslterm.methods.base import Batch, Facts, Look, Method
from sslterm.models.tokenizer import VQVAE, patch_of
from sslterm.presets import BelowOne, Count, NotNegative, Section


class Tokenizer(Method):
    """A convolutional encoder of its own, a code book, a decoder; the run's encoder waits for the next stage.

    Codes are moving averages (appendix A.1), not learned by the second term of equation 3: they need no rate of their
    own and follow the encoder sooner. Codes that nobody uses start again from what the encoder says (random restarts:
    Dhariwal et al. 2020, Jukebox), else most of them would never be found.
    """

    chart = "train/loss"

    class Settings(Section):
        codes: Count = 512
        """K: 512 in the paper, section 4.2; 8,192 in DALL-E's tokenizer, which BEiT took."""
        code_dim: Count = 64
        """D, width of a code: 64 in the authors' example."""
        width: Count = 128
        """Channels of the convolutions on patches: 256 in the paper, 128 in the authors' example."""
        beta: NotNegative = 0.25
        """How much it costs that the encoder strays from its codes, equation 3: 0.25."""
        decay: BelowOne = 0.99
        """gamma of appendix A.1: what codes keep of themselves in a step."""
        restart: BelowOne = 0.05
        """Codes that are used at most so much as often as the mean one start again; 0: none but in the first step."""

    def __init__(self, encoder: nn.Module, settings: Any, facts: Facts) -> None:
        """Raises ValueError where the encoder has no patches, or none that can be halved down to a pixel."""
        super().__init__(encoder, settings, facts)
        patch = patch_of(encoder, "a tokenizer")
        patches = facts.images * (facts.size // patch) ** 2
        if settings.codes > patches:
            raise ValueError(f"method.codes: {settings.codes} are more than the {patches} patches of all images")
        self.tokenizer = VQVAE(facts.channels, patch, settings.codes, settings.code_dim, settings.width)
        self.encoder.requires_grad_(False)
        self.fresh: tuple[Tensor, Tensor] | None = None  # this step's z and their codes, until the step is over

    @staticmethod
    def objections(settings: Any, batch_size: int) -> list[str]:
        """Why these settings cannot train with such a batch, as sentences."""
        return ["codes = 1 says the same of every patch; take hundreds"] if settings.codes == 1 else []

    @staticmethod
    def doubts(settings: Any, batch_size: int) -> list[str]:
        """What works but hardly well, as sentences."""
        if settings.restart:
            return []
        return ["restart = 0 leaves codes dead that no patch comes near to; a few hundredths bring them back"]

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Equation 3 without its second term; `reconstruction` is the squared error of a normalised pixel, near 1 at
        first. `perplexity` and `codes_used`, a share of all, tell how the batch uses the codes."""
        images = batch.views[0]
        z = self.tokenizer.encode(images)
        rows = z.flatten(0, 2)
        tokens = self.tokenizer.codebook.nearest(rows.detach())
        codes = self.tokenizer.codebook.codes[tokens].view_as(z)
        # Straight through: the decoder sees the codes, and its gradient reaches z as if it had seen that.
        painted = self.tokenizer.decode(z + (codes - z).detach())
        reconstruction, commitment = F.mse_loss(painted.float(), images.float()), F.mse_loss(z, codes)
        self.fresh = rows.detach(), tokens
        return {
            "loss": reconstruction + self.settings.beta * commitment,
            "reconstruction": reconstruction.detach(),
            "commitment": commitment.detach(),
            **use_of(tokens, self.settings.codes),
        }

    def after_step(self, progress: float) -> None:
        """Only now do the codes follow what they stood for in this step."""
        if self.fresh is not None:
            rows, tokens = self.fresh
            self.tokenizer.codebook.follow(rows, tokens, self.settings.decay)
            self.tokenizer.codebook.restart(rows, self.settings.restart)
            self.fresh = None

    def measure(self, look: Look) -> dict[str, float]:
        """`tokenizer/`: `error` of a pixel, and how held-out images use the codes; a dead code book shows here."""
        error = look.outputs(lambda images: (self.tokenizer(images) - images).float().square().mean((1, 2, 3))[:, None])
        use = use_of(look.outputs(lambda images: self.tokenizer.tokens(images).float()).long(), self.settings.codes)
        return {"tokenizer/error": error.mean().item(), **{f"tokenizer/{name}": u.item() for name, u in use.items()}}

    def pictures(self, images: Tensor) -> dict[str, Tensor]:
        """Images, and what is left of them when each patch is a code."""
        return {"image": images, "reconstructed": self.tokenizer(images)}


@torch.no_grad()
def use_of(tokens: Tensor, codes: int) -> dict[str, Tensor]:
    """How tokens (any shape, int64) use `codes`: `perplexity`, the exponential of their entropy, between 1 and `codes`;
    and `codes_used`, the share of codes that occur at all."""
    tokens = tokens.flatten()
    # No bincount, which waits to see how far it has to count.
    counts = torch.zeros(codes, device=tokens.device).index_add_(0, tokens, torch.ones_like(tokens, dtype=torch.float))
    share = counts / len(tokens)
    return {"perplexity": torch.special.entr(share).sum().exp(), "codes_used": (counts > 0).float().mean()}
