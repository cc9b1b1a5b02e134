"""Random streams are independent, uniform, and the same with every NumPy."""

import hashlib

import numpy as np

from blendgen.streams import noise_stream, stream


def test_a_stream_depends_on_its_four_arguments_only():
    base = stream(0, 0, 0, "a").random(4)
    assert np.array_equal(base, stream(0, 0, 0, "a").random(4))
    for other in (stream(1, 0, 0, "a"), stream(0, 1, 0, "a"), stream(0, 0, 1, "a"), stream(0, 0, 0, "b")):
        assert not np.array_equal(base, other.random(4))


def test_streams_give_the_same_numbers_with_every_supported_numpy():
    numbers = stream(7, 3, 0, "camera.azimuth_deg").random(1000)
    noise = noise_stream(7, "read_noise").standard_normal(1000)
    counts = noise_stream(7, "shot_noise").poisson(np.linspace(0, 5000, 1000))
    digest = hashlib.sha256(numbers.tobytes() + noise.tobytes() + counts.astype("<i8").tobytes())
    assert digest.hexdigest()[:16] == "20229e3c56bc6a73"


def test_streams_are_uniform_over_indices():
    first = np.array([stream(0, index, 0, "x").random() for index in range(4000)])
    histogram, _ = np.histogram(first, bins=20, range=(0, 1))
    assert np.sum((histogram - 200) ** 2 / 200) < 43.8  # chi-square, 19 degrees of freedom, p = 0.001
