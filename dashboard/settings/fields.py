"""How each setting of an experiment is asked for: its kind of entry, its name for people, and what it does."""

from ballad.heads import HEADS
from ballad.samplers import SAMPLERS, samplers_help
from ballad.schedules import SCHEDULE_HELP, SCHEDULES
from ballad.shot_groups import FEW, MANY
from ballad.work.executors.registry import EXECUTORS
from dashboard.settings.field_kinds import Choice, Field, Lines, Name, Number, Share, Switch, Text
from dashboard.settings.head_fields import head_fields

SEEDS = "seeds"
EXECUTOR = "executor"

SAMPLER_TITLES = {sampler.name: sampler.title for sampler in SAMPLERS.values()}
METHOD_TITLES = {name: head.shown_title() for name, head in HEADS.items()}
TOWERS = {"both": "both", "image": "image", "text": "text"}
WEIGHTS = {"pretrained": "pretrained", "random": "random numbers"}
AUGMENTATIONS = {"none": "none", "crop_flip": "crop and flip", "crop_flip_jitter": "crop, flip and colour jitter"}
SELECTIONS = {"last": "the last epoch", "best": "the best epoch on validation"}

_SAMPLER_HELP = samplers_help()
_BATCH_HELP = "Images an update. Smaller batches on the same learning rate train longer steps; the paper uses 512."
_DRAW_HELP = "Images taken in a row from a drawn class. The paper's method takes 1, its released code 4."
_DROP_HELP = "Leave out an epoch's last batch when it is not full, as the released code does."

FIELDS: dict[str, Field] = {
    "name": Text("Name", "What the run is called in tables and charts.", empty="such as: BALLAD, λ = 0.2"),
    "notes": Text("Note", "Anything worth knowing later; changes no number."),
    "budget": Text("Budget", "The name of a reduced budget, shown with every result. ‘full’ is the paper's."),
    SEEDS: Text(
        "Seeds",
        "One run for each seed, such as ‘0’, ‘0, 1, 2’ or ‘0-4’; several form a group, whose mean and spread over "
        "seeds say how much of a difference is noise.",
    ),
    EXECUTOR: Choice(
        "Runs in",
        " ".join(kind.help for kind in EXECUTORS.values()),
        titles={kind.name: kind.title for kind in EXECUTORS.values()},
    ),
    "schedule": Choice(
        "Schedule",
        SCHEDULE_HELP,
        titles={schedule.name: schedule.title for schedule in SCHEDULES.values()},
    ),
    # Data
    "dataset.source": Name("Dataset", "A dataset of the catalogue, or the path of a folder or a CSV or Parquet table."),
    "dataset.imbalance_ratio": Number(
        "Imbalance ratio ρ",
        "Cuts a long tail: the most frequent class keeps ρ times as many images as the rarest.",
        least=1.0,
        step=10.0,
        empty="as the set comes",
    ),
    "dataset.imbalance_profile": Choice(
        "Profile of the tail",
        "How counts fall from the most frequent to the rarest class: exponential as CIFAR-LT, Pareto as ImageNet-LT.",
        titles={"exponential": "exponential", "pareto": "Pareto"},
    ),
    "dataset.shot_groups": Choice(
        "Shot groups",
        f"Many (≥ {MANY.at_least} images), medium and few (≤ {FEW.at_most}) by this split's counts, or kept from the "
        "split with ρ = 100 so that ratios compare class by class.",
        titles={"recount": "by this split's counts", "rho100": "as with ρ = 100"},
    ),
    "dataset.validation_per_class": Number(
        "Validation images a class", "Set aside from training where the set has no validation split.", least=0, step=1
    ),
    "dataset.test_per_class": Number(
        "Test images a class", "Set aside from training where the set has no test split.", least=0, step=1
    ),
    "dataset.classes": Number(
        "Classes",
        "Keep only so many, evenly spread over head and tail; for quick trials.",
        least=2,
        step=1,
        empty="all",
    ),
    "dataset.split_seed": Number("Split seed", "Decides which images a cut keeps or sets aside.", least=0, step=1),
    "dataset.shorter_side": Number(
        "Shorter side (pixels)",
        "Scales larger pictures down once and keeps them decoded, which takes disk and saves decoding in every epoch. "
        "The backbone's image size, or an eighth more, is a good choice.",
        least=16,
        step=16,
        empty="as the files are",
    ),
    "dataset.skip_unreadable": Switch(
        "Leave unreadable images out", "They are listed; otherwise a run stops at the first."
    ),
    # Backbone
    "backbone.name": Name(
        "Backbone",
        "The pretrained image and text towers: demo, one of the paper's four, any open_clip architecture, hf-hub:OWNER/"
        "NAME, or a folder.",
    ),
    "backbone.pretrained": Text(
        "Weights", "An open_clip tag or a checkpoint file.", empty="the name's own", optional=True
    ),
    "backbone.image_tower": Choice(
        "Image tower starts from", "Random numbers show what pretraining is worth (Table 4).", titles=WEIGHTS
    ),
    "backbone.text_tower": Choice(
        "Text tower starts from", "Random numbers show what pretraining is worth (Table 4).", titles=WEIGHTS
    ),
    "backbone.image_size": Number(
        "Image size (pixels)",
        "Side of the input; position embeddings are interpolated.",
        least=16,
        step=16,
        empty="own",
    ),
    "backbone.temperature": Number(
        "Temperature τ",
        "Divides the similarities of Eq. 1. Empty takes the backbone's own scale, τ = 0.01 for CLIP; the paper's "
        "τ = 1 leaves the softmax almost flat.",
        least=0.0,
        step=0.01,
        empty="the backbone's own",
    ),
    "backbone.trust_torchscript": Switch(
        "Trust a TorchScript file",
        "OpenAI's own .pt files are archives that can carry code, so they are opened from the shell only.",
    ),
    # Prompts
    "prompts.kind": Choice(
        "Prompts",
        "The sentences that stand for a class: one for all, one drawn at random for each class, or the mean of "
        "several (Table 10).",
        titles={
            "single": "a photo of a {}.",
            "random_single": "one of seven at random",
            "ensemble": "mean of seven",
            "custom": "my own",
        },
    ),
    "prompts.templates": Lines("My prompts", "One a line, each with {} for the class name; several are averaged."),
    # Phase A
    "phase_a.epochs": Number("Epochs of Phase A", "Passes over the training set; the paper takes 50.", least=0, step=1),
    "phase_a.learning_rate": Number(
        "Learning rate of Phase A",
        "Peak of the cosine; small, since the towers are already good.",
        least=0.0,
        step=1e-6,
    ),
    "phase_a.tuned": Choice(
        "Tuned towers", "Which towers Phase A trains; the others stay as they are (Table 5).", TOWERS
    ),
    "phase_a.sampler": Choice(
        "Sampler in Phase A",
        f"{_SAMPLER_HELP} BALLAD keeps Phase A on instance sampling: features learn best from all images as they come.",
        titles=SAMPLER_TITLES,
    ),
    "phase_a.objective": Choice(
        "Objective of Phase A",
        "Cross-entropy over all class texts (Algorithm 1), or contrastive over the texts of the batch.",
        titles={
            "class": "all classes (Algorithm 1)",
            "image_to_text": "image to text (Eq. 2)",
            "symmetric": "symmetric (Eq. 2 + 3)",
        },
    ),
    "phase_a.batch_size": Number("Batch size of Phase A", _BATCH_HELP, least=1, step=1),
    "phase_a.micro_batch": Number(
        "Images at a time",
        "On the device at once; gradients add up to the batch, so the numbers hold. Lower it when memory runs out.",
        least=1,
        step=1,
        empty="the whole batch",
    ),
    "phase_a.augmentation": Choice("Augmentation in Phase A", "How training images are varied.", titles=AUGMENTATIONS),
    "phase_a.precision": Choice(
        "Precision",
        "bf16 computes faster on a GPU over fp32 weights; the paper's method is fp32.",
        titles={"fp32": "fp32", "bf16": "bf16 (autocast)"},
    ),
    "phase_a.images_per_draw": Number("Images a draw in Phase A", _DRAW_HELP, least=1, step=1),
    "phase_a.drop_last": Switch("Drop the last batch in Phase A", _DROP_HELP),
    "phase_a.selection": Choice("Phase A hands on", "The towers that Phase B and the tests use.", titles=SELECTIONS),
    # Phase B
    "phase_b.epochs": Number(
        "Epochs of Phase B", "Seconds each, since it trains on stored features; the paper takes 10.", least=0, step=1
    ),
    "phase_b.learning_rate": Number("Learning rate of the adapter", "Peak of the cosine.", least=0.0, step=0.05),
    "phase_b.sampler": Choice(
        "Sampler in Phase B",
        f"{_SAMPLER_HELP} Balanced batches let the adapter see rare classes as often as frequent ones.",
        titles=SAMPLER_TITLES,
    ),
    "phase_b.batch_size": Number("Batch size of Phase B", _BATCH_HELP, least=1, step=1),
    "phase_b.method": Choice(
        "Method of Phase B", "What is trained on the frozen towers' features.", titles=METHOD_TITLES
    ),
    **{entry: field for head in HEADS.values() for entry, field in head_fields(head).items()},
    "phase_b.features": Choice(
        "Features for Phase B",
        "Stored once and read again, which takes seconds, or fresh augmentations through the towers every epoch.",
        titles={"cached": "stored (fast)", "exact": "fresh every epoch (slow)"},
    ),
    "phase_b.views": Number(
        "Stored views an image", "At most so many: the plain one, then augmented ones; rare classes get the most.", 1, 1
    ),
    "phase_b.augmentation": Choice("Augmentation in Phase B", "For views beyond the plain one.", titles=AUGMENTATIONS),
    "phase_b.images_per_draw": Number("Images a draw in Phase B", _DRAW_HELP, least=1, step=1),
    "phase_b.drop_last": Switch("Drop the last batch in Phase B", _DROP_HELP),
    "phase_b.selection": Choice("Phase B hands on", "The adapter that is tested.", titles=SELECTIONS),
    "phase_b.adjustment": Number(
        "Adjustment afterwards τ",
        "Takes τ · log(share of the class in the training set) from every logit of the trained model; 0 leaves them.",
        least=0.0,
        step=0.25,
    ),
    "phase_b.search": Choice(
        "Search on validation",
        "Train at each point of the method's grid, at most five, and keep the best on validation.",
        titles={"none": "none: the options as they are", "grid": "the method's grid"},
    ),
    "phase_b.seed": Number(
        "Seed of the adapter", "Its start and batches; Phase A is then shared by runs.", 0, 1, empty="the run's seed"
    ),
    # Optimizer
    "optimizer.momentum": Share("Momentum", "Of SGD, in both phases."),
    "optimizer.weight_decay": Number("Weight decay", "Of SGD, in both phases; 5e-4 in the released code.", 0.0, 1e-4),
    "optimizer.cosine_by": Choice(
        "Learning rate falls by",
        "Cosine decay at every step, or before each epoch as in the released code, whose last epoch has rate 0.",
        titles={"step": "step", "epoch": "epoch"},
    ),
    # Runtime
    "runtime.device": Name("Device", "Where it runs; auto takes a GPU where there is one. Changes no number."),
    "runtime.workers": Number(
        "Processes that read images", "0 reads in the training thread. Changes no number.", least=0, step=1
    ),
    "runtime.compile": Switch(
        "Compile the image tower",
        "Takes minutes before Phase A's first step, and may be faster then, on GPUs above all.",
    ),
    "runtime.keep_towers": Switch("Keep the trained towers", "Copies them into the run's folder; can be gigabytes."),
}
"""By dotted setting; the experiment's one seed is asked for as a list, ``seeds``, beside the ``executor``.

Options of methods go by the names of :func:`dashboard.settings.head_fields.entry_of_option`.
"""
