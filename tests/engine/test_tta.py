import pytest
import torch

from sslterm.engine.tta import flipped, plain, predicted, scaled, versions

ANSWERS = {
    (False, None): torch.tensor([[1.0, 0.0]]),
    (True, None): torch.tensor([[0.5, 0.5]]),
    (False, 36): torch.tensor([[0.2, 0.8]]),
    (True, 36): torch.tensor([[0.4, 0.6]]),
    (False, 40): torch.tensor([[0.6, 0.4]]),
    (True, 40): torch.tensor([[0.0, 1.0]]),
}


def predict(flip: bool, scale: int | None) -> torch.Tensor:
    return ANSWERS[flip, scale]


def test_plain_is_the_image_alone():
    assert plain(predict) is ANSWERS[False, None]


def test_flipped_is_the_mean_over_an_image_and_its_mirror_image():
    torch.testing.assert_close(flipped(predict), torch.tensor([[0.75, 0.25]]))


def test_scaled_is_the_mean_over_scales_each_with_its_mirror_image():
    torch.testing.assert_close(scaled(predict, (36, 40)), torch.tensor([[0.3, 0.7]]))


@pytest.mark.parametrize("tta", [False, True])
@pytest.mark.parametrize("scales", [(), (36,), (36, 40)])
def test_versions_are_what_predicted_asks_for_and_each_counts_the_same(tta, scales):
    asked = []

    def recording(flip: bool, scale: int | None) -> torch.Tensor:
        asked.append((flip, scale))
        return predict(flip, scale)

    found = predicted(recording, tta, scales)
    assert asked == versions(tta, scales)
    torch.testing.assert_close(found, torch.stack([ANSWERS[version] for version in asked]).mean(dim=0))


def test_naming_scales_asks_for_test_time_augmentation():
    assert versions(False) == [(False, None)]
    assert versions(True) == [(False, None), (True, None)]
    assert versions(False, (36, 40)) == versions(True, (36, 40)) == [(False, 36), (True, 36), (False, 40), (True, 40)]
