"""Images have one diagnosis, however they are held: 8-bit or floats, channels first or last."""

import numpy as np
import pytest

import linssl

N, SIDES = 400, (6, 7, 3)
RNG = np.random.default_rng(0)


def planted():
    """8-bit pictures of three classes, two of which are waves of red and of blue."""
    y = np.arange(N) % 3
    down, right = np.mgrid[: SIDES[0], : SIDES[1]]
    x = RNG.normal(size=(N, *SIDES)) @ [[1, 0.5, 0.2], [0, 1, 0.3], [0, 0, 0.6]]
    x[y == 0, ..., 0] += 2 * np.cos(down / 2)
    x[y == 1, ..., 2] += 2 * np.sin(right / 2)
    return np.clip(128 + 30 * x, 0, 255).round().astype(np.uint8), y


IMAGES, Y = planted()
FIRST = np.moveaxis(IMAGES, -1, 1)
HELD = {  # and what says which images they are
    "floats": (IMAGES / 255, {}),
    "single precision": ((IMAGES / 255).astype(np.float32), {}),
    "first": (FIRST, {}),
    "first, floats": (FIRST / 255, {"channels": "first"}),
    "rows": (IMAGES.reshape(N, -1), {"image_shape": SIDES}),
    "rows, first": (FIRST.reshape(N, -1), {"image_shape": (3, 6, 7)}),
}


def numbers(d):
    both = d.joint_embedding, d.reconstruction
    return np.concatenate([[r.kept, r.gap, *r.spectrum, *r.spectrum_error] for r in both])


@pytest.fixture(scope="module", params=["shifts:1", "mask:0.5", "noise:0.1"])
def words(request):
    return request.param, linssl.diagnose(IMAGES, Y, augmentation=request.param)


@pytest.mark.parametrize("held", HELD)
def test_images_have_one_diagnosis_however_they_are_held(words, held):
    augmentation, want = words
    data, options = HELD[held]
    found = linssl.diagnose(data, Y, augmentation=augmentation, **options)
    assert found.recommendation == want.recommendation
    assert found.image == want.image == SIDES
    loose = data.dtype == np.float32  # has rounded the pixels
    np.testing.assert_allclose(numbers(found), numbers(want), rtol=1e-4 if loose else 1e-8)
    first = "whose channels came first" in " ".join(found.notes)
    assert first == ("first" in held)
    a, b = (np.array(d.joint_embedding.directions)[0] for d in (found, want))
    assert min(np.abs(a - b).max(), np.abs(a + b).max()) < 1e-3 * np.abs(b).max()


class Tensor:
    """What diagnose may know of a tensor of torch."""

    def __init__(self, values, grad=True):
        self.values, self.grad, self.shape = values, grad, values.shape

    def __array__(self, dtype=None, copy=None):
        if self.grad:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad.")
        return self.values if dtype is None else self.values.astype(dtype)

    def detach(self):
        return Tensor(self.values, False)

    def cpu(self):
        return self

    def clone(self):
        return Tensor(self.values.copy(), self.grad)

    def reshape(self, *shape):
        return Tensor(self.values.reshape(*shape), self.grad)

    def __getitem__(self, where):
        return Tensor(self.values[where], self.grad)

    def __len__(self):
        return len(self.values)

    def __iter__(self):
        return (self[i] for i in range(len(self)))


def noisy(seen, wrap=np.asarray, first=False):
    """A view that draws for each instance, the same whatever the order, and what it got."""
    rng = np.random.default_rng(1)

    def view(x):
        seen.append(x)
        values = x.values if isinstance(x, Tensor) else x
        block = values.reshape(-1, *values.shape[-3:])
        noise = 20 * rng.standard_normal((len(block), *SIDES))
        noise = np.moveaxis(noise, -1, 1) if first else noise
        return wrap((block + noise).reshape(values.shape))

    return view


@pytest.mark.parametrize("batched", [False, True])
def test_a_view_gets_what_came_and_its_channels_go_last(batched):
    seen, options = [], {"batched": batched, "views_per_sample": 2}
    want = linssl.diagnose(IMAGES, Y, view=noisy(seen), **options)
    for data, wrap in ((FIRST, np.asarray), (Tensor(FIRST), Tensor)):
        got = []
        found = linssl.diagnose(data, Y, view=noisy(got, wrap, first=True), **options)
        np.testing.assert_allclose(numbers(found), numbers(want), rtol=1e-8)
        assert found.recommendation == want.recommendation
        assert found.image == SIDES
        assert {type(x) for x in got} == {type(data)}
        sides = {tuple(x.shape[batched:]) for x in got}
        assert sides == {(3, 6, 7)}
        first = got[0][0] if batched else got[0]
        values = first.values if isinstance(first, Tensor) else first
        np.testing.assert_array_equal(values, FIRST[0])
        assert values.dtype == np.uint8
    assert {tuple(x.shape[batched:]) for x in seen} == {SIDES}


def test_a_view_that_changes_nothing_is_noted_and_not_warned_of(recwarn):
    for view in (lambda x: x, lambda x: Tensor(x)):
        found = linssl.diagnose(IMAGES, Y, view=view, views_per_sample=2)
        assert any("returned every instance unchanged" in note for note in found.notes)
    assert not [w for w in recwarn if issubclass(w.category, UserWarning)]
    other = linssl.diagnose(IMAGES, Y, view=lambda x: 1.5 * x, views_per_sample=2)
    assert not any("unchanged" in note for note in other.notes)


def test_a_view_in_other_units_is_noted_and_the_noise_that_it_needs_is_in_them():
    twice = np.concatenate([IMAGES, IMAGES], 2)[..., :1] / 255  # 84 pixels, half of them redundant
    for scale in (1, 255):
        view = lambda x, s=scale: x[::-1] / s  # noqa: E731
        found = linssl.diagnose(twice, view=view, dim=2, views_per_sample=2)
        share = found.noise_floor * scale**2 / twice.var(0).mean()
        assert 0.9e-3 < share < 1.1e-3
        noted = any("Views vary 1.5e-05 times as much as the data" in n for n in found.notes)
        assert noted == (scale == 255)


def test_one_draw_for_a_whole_block_is_caught():
    rng = np.random.default_rng(2)

    def flip(block):  # as transforms of torchvision do
        return block[:, :, ::-1] if rng.random() < 0.5 else block

    with pytest.raises(ValueError, match=r"for each instance apart with batched=True .*torchv"):
        linssl.diagnose(IMAGES, Y, view=flip, batched=True)
    linssl.diagnose(IMAGES, Y, view=flip, views_per_sample=2)
