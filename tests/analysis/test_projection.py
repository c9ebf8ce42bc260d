import numpy as np
import pytest

from ballad.analysis.projection import (
    TSNE_ITERATIONS,
    Neighbourhood,
    align,
    neighbourhood,
    place_class_texts,
    project,
    subsample,
    unit_rows,
)
from ballad.errors import Cancelled, RunError
from ballad.events import CancelToken


def clusters(classes=4, each=30, dimensions=20, seed=0):
    """Well separated classes: labels [N], features [N, d], class centres [K, d]."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(classes), each)
    centres = 5 * rng.normal(size=(classes, dimensions))
    return labels, (centres[labels] + rng.normal(size=(len(labels), dimensions))).astype(np.float32), centres


def nearest_share_a_class(layout, labels):
    distances = np.linalg.norm(layout[:, None] - layout[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    return (labels[distances.argmin(axis=1)] == labels).mean()


def test_neighbours_are_exact_and_leave_the_sample_out():
    _, features, _ = clusters()
    neighbours = neighbourhood(features)
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    distances = np.linalg.norm(unit[:, None] - unit[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    # 20 dimensions fit into the 50 principal ones, so nothing is lost.
    np.testing.assert_array_equal(neighbours.indices[:, 0], distances.argmin(axis=1))
    np.testing.assert_allclose(neighbours.distances[:, 0], distances.min(axis=1), rtol=1e-3)
    assert not (neighbours.indices == np.arange(len(features))[:, None]).any()


@pytest.mark.parametrize("method", ["tsne", "umap"])
def test_classes_stay_together_and_seeds_repeat(method):
    labels, features, _ = clusters()
    neighbours = neighbourhood(features)
    layout = project(neighbours, method, seed=3)
    assert layout.shape == (120, 2) and layout.dtype == np.float32 and np.isfinite(layout).all()
    assert nearest_share_a_class(layout, labels) == 1
    np.testing.assert_array_equal(layout, project(features, method, seed=3))


def test_a_kept_neighbourhood_gives_the_same_map(tmp_path):
    neighbours = neighbourhood(clusters()[1])
    neighbours.save(tmp_path / "neighbours.npz")
    loaded = Neighbourhood.load(tmp_path / "neighbours.npz")
    np.testing.assert_array_equal(project(loaded), project(neighbours))
    assert [path.name for path in tmp_path.iterdir()] == ["neighbours.npz"]


@pytest.mark.parametrize("content", [None, b"PK\x03\x04 cut off", b"text"])
def test_a_broken_neighbourhood_is_named(tmp_path, content):
    path = tmp_path / "neighbours.npz"
    if content:
        path.write_bytes(content)
    with pytest.raises(RunError, match=r"neighbours\.npz holds no neighbourhood"):
        Neighbourhood.load(path)


def test_length_of_features_does_not_matter():
    _, features, _ = clusters()
    np.testing.assert_allclose(
        neighbourhood(features).distances, neighbourhood(features * np.arange(1, 121)[:, None]).distances, atol=1e-5
    )


@pytest.mark.parametrize("method", ["tsne", "umap"])
def test_five_images_are_enough_and_four_are_not(method):
    features = np.random.default_rng(0).normal(size=(5, 3))
    assert np.isfinite(project(features, method)).all()
    with pytest.raises(RunError, match="at least 5 images, but only 4 were chosen"):
        project(features[:4], method)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_images_that_are_all_alike_are_refused(value):
    with pytest.raises(RunError, match="all have the same features in this model, so there is nothing to project"):
        project(np.full((30, 8), value, np.float32), "umap")


@pytest.mark.parametrize("method", ["tsne", "umap"])
@pytest.mark.parametrize("distinct", [2, 3])
def test_a_few_distinct_vectors_have_places(method, distinct):
    vectors = np.eye(8, dtype=np.float32)[:distinct]
    which = np.arange(40) % distinct
    layout = project(vectors[which], method)
    assert np.isfinite(layout).all()
    centres = np.stack([layout[which == each].mean(axis=0) for each in range(distinct)])
    assert np.ptp(centres, axis=0).max() > 0.1


def test_tsne_reports_every_step_to_the_end():
    events = []
    project(clusters()[1], on_event=events.append)
    assert [event.step for event in events] == list(range(25, TSNE_ITERATIONS + 1, 25))
    assert {event.steps for event in events} == {TSNE_ITERATIONS}
    assert events[-1].loss < events[9].loss


def test_cancel_stops_tsne_in_the_middle():
    token, events = CancelToken(), []

    def cancel_at_the_third(event):
        events.append(event)
        if len(events) == 3:
            token.cancel()

    with pytest.raises(Cancelled):
        project(clusters()[1], on_event=cancel_at_the_third, cancel=token)
    assert len(events) == 3


def test_align_undoes_turning_mirroring_scaling_and_moving():
    layout = np.random.default_rng(0).normal(size=(50, 2))
    turned = layout @ np.array([[0.6, -0.8], [0.8, 0.6]]) * [1, -1] * 7 + [100, -3]
    np.testing.assert_allclose(align(turned, layout), layout, atol=1e-4)


def test_aligned_maps_of_a_turned_space_agree():
    labels, features, _ = clusters()
    rotation = np.linalg.qr(np.random.default_rng(1).normal(size=(20, 20)))[0]
    first = project(features)
    second = align(project(features @ rotation), first)
    centres = np.array([[layout[labels == k].mean(axis=0) for k in range(4)] for layout in (first, second)])
    radius = np.linalg.norm(centres[0] - centres[0].mean(axis=0), axis=1).mean()
    assert np.linalg.norm(centres[0] - centres[1], axis=1).max() < 0.5 * radius


def test_texts_stand_among_their_images():
    labels, features, centres = clusters()
    layout = np.stack([labels, labels**2], axis=1) + 0.01 * np.random.default_rng(0).normal(size=(120, 2))
    np.testing.assert_allclose(place_class_texts(layout, features, centres), [[k, k**2] for k in range(4)], atol=0.05)


def test_subsample_keeps_every_few_shot_sample_and_shares_the_rest():
    labels = np.repeat([0, 1, 2], [100, 50, 12])
    groups = ["many", "medium", "few"]
    chosen = subsample(labels, groups, limit=40)
    assert np.bincount(labels[chosen]).tolist() == [14, 14, 12]
    assert (np.diff(chosen) > 0).all()
    np.testing.assert_array_equal(chosen, subsample(labels, groups, limit=40))
    assert not np.array_equal(chosen, subsample(labels, groups, limit=40, seed=1))


def test_subsample_takes_what_small_classes_cannot_give_from_larger_ones():
    labels = np.repeat([0, 1, 2], [100, 3, 2])
    assert np.bincount(labels[subsample(labels, ["many", "many", "few"], limit=25)]).tolist() == [20, 3, 2]
    assert len(subsample(labels, ["many", "many", "few"], limit=1000)) == 105


def test_subsample_leaves_half_of_the_places_to_other_classes():
    labels = np.repeat([0, 1, 2, 3], [60, 40, 60, 60])
    chosen = subsample(labels, ["few", "few", "many", "medium"], limit=100)
    assert np.bincount(labels[chosen]).tolist() == [25, 25, 25, 25]
    labels = np.repeat([0, 1, 2, 3], [60, 40, 10, 10])
    chosen = subsample(labels, ["few", "few", "many", "medium"], limit=80)
    assert np.bincount(labels[chosen]).tolist() == [30, 30, 10, 10]


def test_unit_rows_leaves_zeros():
    np.testing.assert_allclose(unit_rows(np.array([[3, 4], [0, 0]])), [[0.6, 0.8], [0, 0]])
