"""The teacher: an exact copy at first, then a moving average that no gradient reaches."""

import copy
import math

import pytest
import torch
from torch import nn

from sslterm.models.teacher import Teacher, rising


def student() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 5))


def test_it_starts_as_an_exact_copy_of_its_own():
    body, head = student(), nn.Linear(5, 2)
    teacher = Teacher(body, head)
    images = torch.randn(6, 3, 8, 8)
    assert torch.equal(teacher(images), copy.deepcopy(head)(copy.deepcopy(body)(images)))
    assert not {id(p) for p in teacher.parameters()} & {id(p) for p in (*body.parameters(), *head.parameters())}


def test_no_gradient_is_recorded():
    teacher = Teacher(student())
    assert not any(p.requires_grad for p in teacher.parameters())
    assert not teacher(torch.randn(2, 3, 8, 8, requires_grad=True)).requires_grad


def test_following_is_the_naive_moving_average():
    body, head = student(), nn.Linear(5, 2)
    teacher = Teacher(body, head)
    own = [p.clone() for p in teacher.parameters()]
    for p in (*body.parameters(), *head.parameters()):
        p.data += torch.randn_like(p)
    for momentum in (0.99, 0.5):
        teacher.follow(body, head, teacher_momentum=momentum)
        theirs = [*body.parameters(), *head.parameters()]
        own = [momentum * o + (1 - momentum) * t for o, t in zip(own, theirs, strict=True)]
    for followed, naive in zip(teacher.parameters(), own, strict=True):
        torch.testing.assert_close(followed, naive.detach())


def test_statistics_come_from_its_own_batches():
    body = student()
    teacher = Teacher(body)
    images = torch.randn(6, 3, 8, 8) + 3
    body(torch.randn(6, 3, 8, 8))
    teacher(images)
    before = teacher.copies[0][1].running_mean.clone()
    teacher.follow(body, teacher_momentum=0.0)
    assert torch.equal(teacher.copies[0][1].running_mean, before)
    assert not torch.equal(body[1].running_mean, before)
    assert teacher.training


def test_momentum_rises_to_one_along_a_cosine():
    assert rising(0.996, 0.0) == pytest.approx(0.996)
    assert rising(0.996, 1.0) == 1.0
    for k in range(11):
        assert rising(0.99, k / 10) == pytest.approx(1 - 0.01 * (math.cos(math.pi * k / 10) + 1) / 2)
