"""The queue: rows enter in order, the oldest leave, and all of it is in the state."""

import torch

from sslterm.models.queue import Queue


def test_it_begins_as_noise_on_the_sphere():
    torch.manual_seed(0)
    rows = Queue(512, 64).rows
    torch.testing.assert_close(rows.norm(dim=1), torch.ones(512))
    assert rows.mean().abs() < 0.01


def test_rows_enter_in_order_and_the_oldest_leave():
    queue = Queue(6, 2)
    noise = queue.rows.clone()
    queue.push(torch.ones(4, 2))
    assert torch.equal(queue.rows, torch.cat([torch.ones(4, 2), noise[4:]]))
    queue.push(torch.tensor([[1.0, 2], [3, 4], [5, 6], [7, 8]]))
    assert torch.equal(queue.rows, torch.tensor([[5.0, 6], [7, 8], [1, 1], [1, 1], [1, 2], [3, 4]]))
    assert queue.oldest == 2


def test_it_keeps_no_gradient_and_float32():
    queue = Queue(4, 3)
    queue.push(torch.randn(2, 3, requires_grad=True).bfloat16())
    assert queue.rows.dtype == torch.float32
    assert not queue.rows.requires_grad


def test_the_state_comes_back_with_its_place():
    queue, other = Queue(4, 3), Queue(4, 3)
    queue.push(torch.ones(3, 3))
    other.load_state_dict(queue.state_dict())
    for one in (queue, other):
        one.push(torch.full((2, 3), 2.0))
    assert torch.equal(queue.rows, other.rows)
