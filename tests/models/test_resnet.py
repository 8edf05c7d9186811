"""Our ResNets are torchvision's: the same names, the same numbers."""

import pytest
import torch
from torch import nn

from sslterm.models.resnet import ResNet


@pytest.mark.parametrize("name", ["resnet18", "resnet34", "resnet50"])
@pytest.mark.parametrize("stem", ["cifar", "imagenet"])
def test_the_same_weights_give_the_same_representation(name: str, stem: str) -> None:
    from torchvision.models import get_model

    torch.manual_seed(0)
    theirs = get_model(name, weights=None)
    theirs.fc = nn.Identity()
    if stem == "cifar":
        theirs.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
        theirs.maxpool = nn.Identity()
    ours = ResNet(name, 3, stem)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict(theirs.state_dict())
    images = torch.randn(2, 3, 48, 48)
    for network in (ours, theirs):
        network.train()
    assert torch.equal(ours(images), theirs(images))
    for network in (ours, theirs):
        network.eval()
    assert torch.equal(ours(images), theirs(images))


def test_it_begins_as_torchvisions_begins() -> None:
    torch.manual_seed(0)
    ours = ResNet("resnet18", 3, "cifar")
    for name, weight in ours.named_parameters():
        if weight.ndim == 4:
            fan_out = weight.shape[0] * weight.shape[2] * weight.shape[3]
            assert weight.std().item() == pytest.approx((2 / fan_out) ** 0.5, rel=0.1), name
        else:
            assert (weight == (1 if name.endswith("weight") else 0)).all(), name
