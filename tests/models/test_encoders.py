"""Encoders: their shapes, their named parts, their stems, and what is said of weights that cannot be had."""

import urllib.request

import pytest
import torch
from torch import nn

from sslterm import presets
from sslterm.models.encoders import WeightsError, build_encoder, features, input_channels, parts


def encoder(name: str, channels: int = 3, **more) -> nn.Module:
    return build_encoder(presets.Encoder(name=name, **more), channels)


@pytest.mark.parametrize(
    ("name", "width"), [("resnet18", 512), ("resnet34", 512), ("resnet50", 2048), ("mobilenet_v3_small", 576)]
)
def test_features_are_as_wide_as_promised(name, width):
    network = encoder(name)
    assert features(network) == width
    h = network(torch.randn(2, 3, 32, 32).to(memory_format=torch.channels_last))
    assert h.shape == (2, width)


def test_the_cifar_stem_keeps_the_side():
    network = encoder("resnet18")
    maps = []
    for name in ("conv1", "maxpool", "layer1", "layer4"):
        network.get_submodule(name).register_forward_hook(lambda _m, _i, output: maps.append(tuple(output.shape[1:])))
    network(torch.randn(2, 3, 32, 32))
    assert maps == [(64, 32, 32), (64, 32, 32), (64, 32, 32), (512, 4, 4)]


def test_the_imagenet_stem_quarters_the_side():
    network = encoder("resnet18", stem="imagenet")
    maps = []
    network.get_submodule("maxpool").register_forward_hook(lambda _m, _i, output: maps.append(tuple(output.shape[1:])))
    network(torch.randn(2, 3, 64, 64))
    assert maps == [(64, 16, 16)]


def test_resnet18_has_as_many_weights_as_its_layers_say():
    # torchvision's 11,689,512 without the classifier's 513,000, the stem's 7x7 exchanged for 3x3.
    assert sum(p.numel() for p in encoder("resnet18").parameters()) == 11_689_512 - 513_000 - 3 * 64 * (49 - 9)


def test_parts_are_named_from_the_image_upward():
    assert list(parts(encoder("resnet18"))) == ["conv1", "bn1", "layer1", "layer2", "layer3", "layer4"]
    assert list(parts(encoder("tinyvgg-a"))) == ["layer1", "layer2", "layer3", "layer4", "layer5", "full"]
    mobile = list(parts(encoder("mobilenet_v3_small")))
    assert mobile == ["conv1", *(f"block{n}" for n in range(1, 12)), "conv2"]


def test_a_last_layer_stands_behind_the_network_and_changes_no_other_name():
    torch.manual_seed(0)
    plain = encoder("conv4")
    torch.manual_seed(0)
    narrow = encoder("conv4", features=24)
    images = torch.randn(2, 3, 16, 16)
    assert features(narrow) == 24
    torch.testing.assert_close(narrow(images), nn.functional.linear(plain(images), *narrow.last.parameters()))
    assert list(parts(narrow)) == [*parts(plain), "last"]
    assert [name.removeprefix("trunk.") for name in narrow.state_dict()] == [
        *plain.state_dict(),
        "last.weight",
        "last.bias",
    ]


def test_mobilenet_computes_what_torchvision_computes():
    from torchvision.models import mobilenet_v3_small

    torch.manual_seed(0)
    theirs = mobilenet_v3_small().eval()
    torch.manual_seed(0)
    ours = encoder("mobilenet_v3_small").eval()
    images = torch.randn(2, 3, 64, 64)
    expected = theirs.avgpool(theirs.features(images)).flatten(1)
    torch.testing.assert_close(ours(images), expected)


def test_tinyvgg_takes_the_data_channels_and_torchvision_networks_three():
    assert input_channels(presets.Encoder(name="tinyvgg-b"), 1) == 1
    assert input_channels(presets.Encoder(name="resnet18"), 1) == 3
    assert encoder("tinyvgg-a", channels=1)(torch.randn(2, 1, 28, 28)).shape == (2, 64)


class TestImageNetWeights:
    @pytest.fixture
    def checkpoints(self, tmp_path, monkeypatch):
        """The place where torch looks for downloaded weights; the network leads nowhere."""
        monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.setattr(urllib.request, "_opener", None)  # an earlier request may have kept another proxy
        (tmp_path / "checkpoints").mkdir()
        return tmp_path / "checkpoints"

    def test_a_file_in_its_place_is_loaded(self, checkpoints):
        from torchvision.models import resnet18

        theirs = resnet18()
        torch.save(theirs.state_dict(), checkpoints / "resnet18-f37072fd.pth")
        ours = encoder("resnet18", stem="imagenet", weights="imagenet")
        assert torch.equal(ours.get_submodule("conv1").weight, theirs.conv1.weight)

    def test_without_network_the_sentence_says_which_file_goes_where(self, checkpoints, capsys):
        with pytest.raises(WeightsError, match="could not be downloaded") as caught:
            encoder("resnet18", stem="imagenet", weights="imagenet")
        assert str(checkpoints / "resnet18-f37072fd.pth") in str(caught.value)
        assert "https://download.pytorch.org/models/resnet18-f37072fd.pth" in str(caught.value)

    @pytest.mark.parametrize("content", [b"", b"not weights at all", b"\x80\x02}q\x00."])
    def test_a_broken_file_is_named(self, checkpoints, content):
        (checkpoints / "resnet18-f37072fd.pth").write_bytes(content)
        with pytest.raises(WeightsError, match=r"resnet18-f37072fd\.pth does not hold the ImageNet weights"):
            encoder("resnet18", stem="imagenet", weights="imagenet")

    def test_weights_of_another_network_are_refused(self, checkpoints):
        torch.save({"weight": torch.zeros(1)}, checkpoints / "resnet18-f37072fd.pth")
        with pytest.raises(WeightsError, match="does not hold"):
            encoder("resnet18", stem="imagenet", weights="imagenet")

    def test_the_cifar_stem_is_refused(self):
        with pytest.raises(WeightsError, match='stem = "imagenet"'):
            encoder("resnet18", weights="imagenet")

    def test_tinyvgg_is_refused(self):
        with pytest.raises(WeightsError, match="nobody trained tinyvgg-c on ImageNet"):
            encoder("tinyvgg-c", weights="imagenet")

    def test_our_own_weights_are_left_to_who_knows_runs(self):
        encoder("tinyvgg-a", weights="runs/some-run")
