"""The demo set has the long tail it claims, and its backbone knows the things in it about equally well."""

import subprocess
import sys

import numpy as np
import pytest

from ballad.data.demo.attributes import COLOURS, SHAPES, TEXTURES, all_things
from ballad.data.demo.dataset import demo_classes, demo_dataset
from ballad.data.demo.rendering import FIELD, IMAGE_SIZE, STUDIO, render
from ballad.model.source import DEMO_FOLDER
from ballad.sections import BackboneSettings, PromptSettings


@pytest.fixture(scope="module")
def demo():
    return demo_dataset()


def test_sixty_classes_with_imbalance_ratio_100_and_all_shot_groups(demo):
    assert demo.num_classes == 60
    assert demo.class_counts.max() == 100 * demo.class_counts.min()
    assert np.all(np.diff(demo.class_counts) <= 0)
    groups = demo.shot_group_of_class
    assert {group: groups.count(group) for group in ("many", "medium", "few")} == {"many": 14, "medium": 21, "few": 25}


def test_validation_and_test_are_balanced(demo):
    assert set(demo.val.counts(60)) == {20}
    assert set(demo.test.counts(60)) == {40}


def test_it_says_that_it_is_synthetic(demo):
    assert demo.synthetic
    assert "synthetic" in demo.title


def test_class_names_are_distinct_and_spell_the_attributes(demo):
    assert len(set(demo.class_names)) == 60
    for name in demo.class_names:
        colour, texture, shape = name.split(" ")
        assert colour in COLOURS and texture in TEXTURES and shape in SHAPES


def test_every_few_shot_class_differs_from_a_frequent_class_in_one_attribute(demo):
    things = demo_classes()
    frequent = [thing for thing, count in zip(things, demo.class_counts, strict=True) if count > 2 * 20]
    for thing, group in zip(things, demo.shot_group_of_class, strict=True):
        if group == "few":
            assert min(_differences(thing, other) for other in frequent) == 1, thing.name


def _differences(one, other):
    return (one.colour != other.colour) + (one.texture != other.texture) + (one.shape != other.shape)


def test_rendering_repeats_with_the_seed_and_only_with_it():
    things = all_things()[::8]
    first = render(things, FIELD, np.random.default_rng(7))
    assert first.dtype == np.uint8
    assert first.shape == (len(things), IMAGE_SIZE, IMAGE_SIZE, 3)
    np.testing.assert_array_equal(first, render(things, FIELD, np.random.default_rng(7)))
    assert not np.array_equal(first, render(things, FIELD, np.random.default_rng(8)))


def test_no_picture_is_in_two_splits(demo):
    pictures = [picture.tobytes() for split in demo.splits for picture in split.pixels]
    assert len(set(pictures)) == len(pictures)


def test_every_shape_and_texture_looks_different():
    """With nothing left to chance but the pose, pictures of different things differ."""
    things = [thing for thing in all_things() if thing.colour == 0]
    pictures = render(things, STUDIO, np.random.default_rng(0))
    assert len({picture.tobytes() for picture in pictures}) == len(SHAPES) * len(TEXTURES)


def test_the_data_package_does_not_import_torch():
    code = "import sys, ballad.data.demo.dataset; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_shipped_backbone_is_at_most_8_megabytes():
    assert sum(file.stat().st_size for file in DEMO_FOLDER.iterdir()) <= 8e6


def test_zero_shot_is_well_above_chance_and_level_over_the_shot_groups(demo):
    import torch

    from ballad.data.images import image_batches, to_input
    from ballad.model.backbone import load_backbone

    backbone = load_backbone(BackboneSettings(name="demo"), seed=0)
    batches = np.array_split(np.arange(len(demo.test)), 10)
    with torch.inference_mode():
        text = backbone.encode_classes(demo.class_names, PromptSettings(), seed=0)
        features = torch.cat(
            [
                backbone.encode_images(to_input(pixels, backbone.image_spec, "cpu"))
                for pixels, _, _ in image_batches(demo.test, backbone.image_spec, batches)
            ]
        )
        correct = (features @ text.T).argmax(dim=1).numpy() == demo.test.labels

    groups = np.array(demo.shot_group_of_class)[demo.test.labels]
    accuracy = {group: 100 * correct[groups == group].mean() for group in ("many", "medium", "few")}
    assert min(accuracy.values()) > 40
    assert max(accuracy.values()) - min(accuracy.values()) < 8
    assert 5 < features.norm(dim=1).mean() < 20
