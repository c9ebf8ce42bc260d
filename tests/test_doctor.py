import sys
from pathlib import Path

import pytest
from huggingface_hub import constants as hub

from ballad.doctor import (
    backbone_findings,
    compared,
    dataset_findings,
    torch_finding,
    zero_shot_accuracy,
    zero_shot_finding,
)
from ballad.paper.published_accuracy import cifar_ensemble, published_accuracies
from ballad.sections import BackboneSettings, PromptSettings
from ballad.store import queries
from ballad.store.run_store import RunStore


@pytest.fixture(autouse=True)
def nothing_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No dataset below the data root, no weights in the hub's cache."""
    monkeypatch.setenv("BALLAD_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(hub, "HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.fixture
def cifar(tmp_path: Path) -> None:
    """The files of CIFAR-100, empty: present as far as a look at the folder goes."""
    for name in ("train", "test", "meta"):
        path = tmp_path / "data" / "cifar-100-python" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_zero_shot_accuracies_are_those_of_table_9() -> None:
    of_one_prompt = {each.dataset: each.by_backbone for each in published_accuracies() if each.how == "one prompt"}
    assert of_one_prompt == {
        "imagenet-lt": {"RN50": 58.2, "RN101": 61.2, "ViT-B/16": 66.7, "RN50x16": 69.0},
        "places-lt": {"RN50": 35.3, "RN101": 36.2, "ViT-B/16": 37.8, "RN50x16": 37.1},
        "cifar100-lt": {"RN50": 40.2, "RN101": 47.8, "ViT-B/16": 66.4, "RN50x16": 52.9},
    }


def test_prompts_are_as_many_as_is_said() -> None:
    for each in published_accuracies():
        templates = each.prompts().templates
        assert str(len(set(templates))) in each.how or each.prompts() == PromptSettings()
    assert "a photo of the small {}." in cifar_ensemble().templates


def test_libraries_that_do_not_load_together_are_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    assert torch_finding().state == "ok"
    monkeypatch.setitem(sys.modules, "torchvision.ops", None)
    finding = torch_finding()
    assert finding.state == "wrong" and "install both from one index" in finding.message


def test_every_dataset_and_backbone_is_looked_for(cifar: None) -> None:
    datasets = {finding.subject: finding.state for finding in dataset_findings()}
    assert datasets["demo"] == datasets["cifar100-lt"] == "ok"
    assert datasets["imagenet-lt"] == datasets["cifar10-lt"] == "missing"
    backbones = list(backbone_findings())
    assert [finding.subject for finding in backbones] == ["RN50", "RN101", "ViT-B/16", "RN50x16"]
    assert {finding.state for finding in backbones} == {"missing"}


def test_skipped_says_what_is_lacking(tmp_path: Path, cifar: None) -> None:
    of_dataset = {each.dataset: each for each in published_accuracies() if each.how == "one prompt"}
    imagenet, cifar100 = of_dataset["imagenet-lt"], of_dataset["cifar100-lt"]
    without_data = zero_shot_finding(tmp_path, imagenet, "RN50")
    assert without_data.state == "skipped" and "ImageNet-LT is not available" in without_data.message
    without_weights = zero_shot_finding(tmp_path, cifar100, "RN50")
    assert without_weights.state == "skipped" and "weights of RN50 are not on this machine" in without_weights.message
    assert "with one prompt should be 40.2 %" in without_weights.message


@pytest.mark.parametrize(("measured", "state"), [(40.2, "ok"), (40.7, "ok"), (39.6, "wrong"), (1.0, "wrong")])
def test_measured_accuracy_against_the_published(measured: float, state: str) -> None:
    assert compared("RN50 on cifar100-lt", "one prompt", measured, 40.2).state == state


def test_zero_shot_accuracy_is_a_run_that_is_kept(tmp_path: Path, tiny_images: Path, tiny_backbone: Path) -> None:
    backbone = BackboneSettings(name=str(tiny_backbone))
    accuracy = zero_shot_accuracy(tmp_path, str(tiny_images), backbone, cifar_ensemble())
    (run,) = queries.runs(RunStore(tmp_path)).to_dict("records")
    results = queries.results(RunStore(tmp_path), [run["id"]], split="test")
    assert run["schedule"] == "zero_shot" and results["all"].tolist() == [accuracy]
