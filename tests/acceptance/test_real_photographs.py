"""The whole path on real photographs and a real pretrained checkpoint, through the doors a user has."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ballad.data.catalog import load_dataset
from ballad.sections import DatasetSettings
from tests.helpers.contents import contents

SHARED = Path(__file__).parents[3] / "shared"
IMAGES, BACKBONE = SHARED / "data" / "tiny-imagenet-lt", SHARED / "backbones" / "lite-clip"
EIGHT_MINUTES = 480

pytestmark = pytest.mark.skipif(not IMAGES.exists(), reason="no real photographs lie beside the project")


@pytest.mark.timeout(EIGHT_MINUTES)
def test_two_phases_on_twenty_classes(tmp_path):
    command = [sys.executable, "-m", "ballad", "run", "--json"]
    command += ["--dataset", str(IMAGES), "--backbone", str(BACKBONE)]
    for setting in (
        "dataset.classes=20",
        "phase_a.epochs=1",
        "phase_a.batch_size=64",
        "phase_a.learning_rate=0.00003",
        "phase_b.batch_size=128",
    ):
        command += ["--set", setting]
    environment = {**os.environ, "BALLAD_HOME": str(tmp_path)}
    finished = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=EIGHT_MINUTES)
    assert finished.returncode == 0, finished.stderr
    result = json.loads(finished.stdout.splitlines()[-1])

    assert set(result) >= {"run", "key", "seconds", "zero_shot", "phase_a", "ballad"}
    for model in ("zero_shot", "phase_a", "ballad"):
        assert set(result[model]) == {"many", "medium", "few", "all"}
        # Among 20 classes chance is 5 %.
        assert 30 < result[model]["all"] < 99
    assert result["phase_a"]["many"] > result["zero_shot"]["many"]
    assert result["ballad"]["few"] > result["phase_a"]["few"]
    assert (tmp_path / "runs" / result["run"] / "ballad" / "predictions-test.parquet").exists()


def test_lists_and_class_folders_of_the_same_photographs_agree(tmp_path):
    synsets = [line.split()[0] for line in (IMAGES / "classnames.txt").read_text().splitlines()]
    for split in ("train", "val", "test"):
        for line in (IMAGES / f"TinyImageNet_LT_{split}.txt").read_text().splitlines():
            name, label = line.split()
            link = tmp_path / split / synsets[int(label)] / name.rpartition("/")[2]
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(IMAGES / name)
    (tmp_path / "classnames.txt").symlink_to(IMAGES / "classnames.txt")
    listed, folders = (load_dataset(DatasetSettings(source=str(source))) for source in (IMAGES, tmp_path))
    assert (
        [len(split) for split in listed.splits] == [len(split) for split in folders.splits] == [21_521, 4_000, 10_000]
    )
    assert listed.class_counts.tolist() == folders.class_counts.tolist()
    assert contents(listed) == contents(folders)
