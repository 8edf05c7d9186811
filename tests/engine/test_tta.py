import pytest
import torch

from sslterm.engine.tta import flipped, plain, predicted, scaled

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


def test_scaled_adds_scales_to_the_ordinary_one_each_with_its_mirror_image():
    expected = torch.stack(list(ANSWERS.values())).mean(dim=0)
    torch.testing.assert_close(scaled(predict, (36, 40)), expected)


@pytest.mark.parametrize(
    ("tta", "scales", "versions"),
    [
        (False, (), [(False, None)]),
        (True, (), [(False, None), (True, None)]),
        (False, (36,), [(False, None), (True, None), (False, 36), (True, 36)]),
        (True, (36, 40), list(ANSWERS)),
    ],
)
def test_every_version_counts_the_same(tta, scales, versions):
    asked = []

    def recording(flip: bool, scale: int | None) -> torch.Tensor:
        asked.append((flip, scale))
        return predict(flip, scale)

    found = predicted(recording, tta, scales)
    assert sorted(asked, key=str) == sorted(versions, key=str)
    torch.testing.assert_close(found, torch.stack([ANSWERS[version] for version in versions]).mean(dim=0))
