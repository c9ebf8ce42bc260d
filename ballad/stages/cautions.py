"""Settings that do nothing, or not what they seem to, given the other settings, the data or the backbone.

These are not errors, and the experiment runs. Forms, the shell and the run's result report them.
"""

from collections.abc import Iterator
from pathlib import Path

from ballad.experiment import Experiment
from ballad.model.source import find_source, folder_weights, read_layout
from ballad.model.tensor_types import tensor_types
from ballad.sections import BackboneSettings

CLIP_TOKENS = 49408
"""In the vocabulary of CLIP's own tokenizer."""


def cautions(experiment: Experiment, *, has_validation: bool) -> list[str]:
    """A sentence for each setting of ``experiment`` that does not do what it says; opens no image and no weights.

    has_validation : whether the dataset has a validation split.
    """
    return [
        *_of_selection(experiment, has_validation),
        *_of_rates(experiment),
        *_of_objective(experiment),
        *_of_interpolation(experiment),
        *_of_backbone(experiment.backbone),
    ]


def _phases(experiment: Experiment) -> Iterator[str]:
    """The sections of settings that train something."""
    if experiment.training.trains_towers:
        yield "phase_a"
    if experiment.training.has_phase_b:
        yield "phase_b"


def _of_selection(experiment: Experiment, has_validation: bool) -> Iterator[str]:
    for phase in _phases(experiment):
        if getattr(experiment, phase).selection == "best" and not has_validation:
            yield (
                f"{phase}.selection = best does nothing: there is no validation split to select on, so the last epoch "
                "is used; set images aside with dataset.validation_per_class."
            )


def _of_rates(experiment: Experiment) -> Iterator[str]:
    for phase in _phases(experiment):
        if getattr(experiment, phase).epochs == 1 and experiment.optimizer.cosine_by == "epoch":
            yield (
                f"{phase}.epochs = 1 trains nothing: with optimizer.cosine_by = epoch the last epoch has a learning "
                "rate of 0, and this is the only epoch; train longer, or set optimizer.cosine_by = step."
            )


def _of_objective(experiment: Experiment) -> Iterator[str]:
    settings = experiment.phase_a
    if not experiment.training.trains_towers or settings.objective == "class":
        return
    in_a_row = 1 if settings.sampler == "instance" else settings.images_per_draw
    if settings.batch_size <= in_a_row:
        yield (
            f"phase_a.objective = {settings.objective} has nothing to contrast: with phase_a.batch_size = "
            f"{settings.batch_size}, each batch holds a single class and its loss is 0; choose larger batches."
        )


def _of_interpolation(experiment: Experiment) -> Iterator[str]:
    if experiment.training.trains_towers and experiment.interpolation == 0:
        yield (
            "phase_a.interpolation = 0 hands on the untouched towers: what Phase A trains is not used; choose a value "
            "above 0, or a schedule without Phase A."
        )


def _of_backbone(settings: BackboneSettings) -> Iterator[str]:
    source = find_source(settings)
    if source.kind == "folder" and settings.text_tower == "pretrained":
        text = read_layout(source).model["text_cfg"]
        tokens = text.get("vocab_size", CLIP_TOKENS)
        if tokens != CLIP_TOKENS and not text.get("hf_tokenizer_name"):
            yield (
                f"The backbone's text tower knows {tokens:,} tokens, and CLIP's tokenizer, which is used because no "
                f"other is named, has {CLIP_TOKENS:,}: the prompts may mean nothing to it; name its tokenizer as "
                "hf_tokenizer_name in the backbone's open_clip_config.json."
            )
    file = source.checkpoint
    if file is None and source.kind == "folder" and source.needs_weights:
        file = folder_weights(Path(source.name))
    if file is not None and any(tensor.is_8_bit_matrix for tensor in tensor_types(file)):
        yield (
            f"The weights in {file} are 8-bit integers, which are read without the scale they were divided by, so the "
            "towers will not work as trained; get the weights as floating-point numbers."
        )
