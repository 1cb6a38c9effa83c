"""MultiBoxLoss and center loss in PyTorch, for a whole batch at a time, without Python loops."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

OVERLAP = 0.5  # of a match at least; of a negative less
NEGATIVES = 3  # for each positive


@dataclass(frozen=True)
class Targets:
    """Of a batch: the class of each prior (0: background) and the box that it should find."""

    classes: Tensor
    boxes: Tensor
    negative: Tensor  # may be mined


def overlaps(priors: Tensor, boxes: Tensor) -> Tensor:
    """Intersection over union, … boxes × priors; corners."""
    boxes = boxes[:, :, None]
    low = torch.maximum(priors[:, :2], boxes[..., :2])
    high = torch.minimum(priors[:, 2:], boxes[..., 2:])
    size = (high - low).clamp_(min=0)
    both = size[..., 0] * size[..., 1]
    area = (priors[:, 2] - priors[:, 0]) * (priors[:, 3] - priors[:, 1])
    area_boxes = (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])
    return both / (area + area_boxes - both)


class Loss(torch.nn.Module):
    """(confidence + boxes + weight · centers) / matches.

    Each ground truth takes the prior that it overlaps most, every other prior the ground truth
    that it overlaps most, by OVERLAP at least.
    """

    def __init__(
        self, priors: Tensor, variances: Tensor, centers: Tensor | None, weight: float, rate: float
    ) -> None:
        """priors: corners; centers: classes × features, or None: there is no center loss."""
        super().__init__()
        self.priors, self.variances = priors, variances
        self.middle = (priors[:, :2] + priors[:, 2:]) / 2
        self.size = priors[:, 2:] - priors[:, :2]
        self.centers, self.weight, self.rate = centers, weight, rate

    @torch.no_grad()
    def match(self, labels: Tensor, truth: Tensor) -> Targets:
        """labels: batch × boxes; truth: batch × boxes × 4."""
        overlap = overlaps(self.priors, truth)
        best, chosen = overlap.max(dim=1)
        nearest = overlap.argmax(dim=2)
        positive = best >= OVERLAP
        positive.scatter_(1, nearest, True)
        order = torch.arange(truth.shape[1]).expand_as(nearest)
        chosen.scatter_(1, nearest, order)
        classes = labels.gather(1, chosen) * positive
        return Targets(classes, chosen, ~positive & (best < OVERLAP))

    def encode(self, boxes: Tensor, prior: Tensor) -> Tensor:
        """How the boxes differ from the priors of these indices: centers and sizes."""
        size = self.size[prior]
        shift = ((boxes[:, :2] + boxes[:, 2:]) / 2 - self.middle[prior]) / size
        growth = torch.log((boxes[:, 2:] - boxes[:, :2]) / size)
        return torch.cat([shift, growth], 1) / self.variances

    @torch.no_grad()
    def mine(self, scores: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """The negatives of largest loss, NEGATIVES for each positive of the image."""
        losses = torch.logsumexp(scores, 2) - scores[:, :, 0]
        losses.masked_fill_(~negative, -1)
        wanted = NEGATIVES * positive.sum(1)
        most = int(wanted.max().clamp(max=losses.shape[1]))
        values, indices = losses.topk(most, dim=1)
        taken = (torch.arange(most) < wanted[:, None]) & (values >= 0)
        return torch.zeros_like(negative).scatter_(1, indices, taken)

    def forward(
        self, predicted: tuple[Tensor, ...], labels: Tensor, truth: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The loss, and the number of matches. predicted: boxes, scores and maybe features."""
        boxes, scores = predicted[0].float(), predicted[1].float()
        targets = self.match(labels, truth)
        positive = targets.classes > 0
        image, prior = positive.nonzero(as_tuple=True)
        matches = torch.tensor(max(len(prior), 1))
        wanted = self.encode(truth[image, targets.boxes[image, prior]], prior)
        loss = F.smooth_l1_loss(boxes[image, prior], wanted, reduction="sum")
        seen = positive | self.mine(scores.detach(), positive, targets.negative)
        loss = loss + F.cross_entropy(scores[seen], targets.classes[seen], reduction="sum")
        if self.centers is not None:
            features = predicted[2].float()[image, prior]
            loss = loss + self.center_term(features, targets.classes[image, prior])
        return loss / matches, matches

    def center_term(self, features: Tensor, classes: Tensor) -> Tensor:
        """Half the squared distances to the centers, which then take their step."""
        assert self.centers is not None
        difference = features - self.centers[classes]
        with torch.no_grad():
            counts = torch.bincount(classes, minlength=len(self.centers))
            step = torch.zeros_like(self.centers).index_add_(0, classes, difference)
            self.centers += self.rate * step / (1 + counts[:, None])
        return self.weight / 2 * difference.square().sum()
